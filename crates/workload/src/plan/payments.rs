//! Ether, tokens and collectibles change hands.

use alloy_primitives::{Bytes, U256};

use super::Plan;
use crate::abi::{call, word};
use crate::intent::Call;

const TRANSFER_GAS: u64 = 60_000;
const NEW_ACCOUNT_GAS: u64 = 300_000;
const TOKEN_GAS: u64 = 250_000;
const NFT_GAS: u64 = 450_000;

impl Plan {
    pub(super) fn transfer(&mut self) -> Call {
        let to = self.draw_recipient();
        Call::new(to, Bytes::new(), TRANSFER_GAS).with_value(self.draw_wei())
    }

    pub(super) fn transfer_new(&mut self) -> Call {
        let to = self.stranger();
        Call::new(to, Bytes::new(), NEW_ACCOUNT_GAS).with_value(self.draw_wei())
    }

    pub(super) fn token_transfer(&mut self) -> Call {
        let words = [word(self.draw_token_recipient()), self.draw_tokens()];
        self.token_call(call("transfer(address,uint256)", &words))
    }

    /// To signers only, whose transfers on behalf of others draw on it; the router's own approval stays untouched.
    pub(super) fn token_approve(&mut self) -> Call {
        let spender = self.random.index(self.world.signers.len());
        let words = [word(self.world.signers[spender].address), self.draw_tokens()];
        self.token_call(call("approve(address,uint256)", &words))
    }

    /// The approval is there or it is not: without it the call reverts, as happens to wallets.
    pub(super) fn token_transfer_from(&mut self) -> Call {
        let owner = self.random.index(self.world.signers.len());
        let recipient = self.draw_token_recipient();
        let amount = U256::from(self.random.below(1000));
        let words = [word(self.world.signers[owner].address), word(recipient), amount];
        self.token_call(call("transferFrom(address,address,uint256)", &words))
    }

    pub(super) fn nft_mint(&mut self, sender: usize) -> Call {
        let collection = self.draw_hot(self.world.nfts.len());
        self.known.pieces[collection].push(sender);
        let input = call("mint(address)", &[word(self.world.signers[sender].address)]);
        Call::new(self.world.nfts[collection].address, input, NFT_GAS)
    }

    /// The newest piece that `sender` owns, to another signer; a mint where there is none.
    pub(super) fn nft_transfer(&mut self, sender: usize) -> Call {
        let owned = |pieces: &Vec<usize>| pieces.iter().rposition(|owner| *owner == sender);
        let found = self.known.pieces.iter().enumerate().find_map(|(index, pieces)| Some((index, owned(pieces)?)));
        let Some((collection, id)) = found else {
            return self.nft_mint(sender);
        };
        let recipient = self.random.index(self.world.signers.len());
        self.known.pieces[collection][id] = recipient;
        let signers = &self.world.signers;
        let words = [word(signers[sender].address), word(signers[recipient].address), U256::from(id)];
        let input = call("transferFrom(address,address,uint256)", &words);
        Call::new(self.world.nfts[collection].address, input, NFT_GAS)
    }

    /// The owner of some piece, if there is any.
    pub(super) fn draw_owner(&mut self) -> Option<usize> {
        let collection = self.draw_hot(self.world.nfts.len());
        let pieces = self.known.pieces[collection].len();
        let piece = self.random.index(pieces);
        self.known.pieces[collection].get(piece).copied()
    }

    /// A new holder now and then, else an account that is there.
    fn draw_token_recipient(&mut self) -> alloy_primitives::Address {
        match self.random.chance(60) {
            true => self.stranger(),
            false => self.draw_recipient(),
        }
    }

    fn token_call(&mut self, input: Bytes) -> Call {
        let token = self.draw_hot(self.world.tokens.len());
        Call::new(self.world.tokens[token].address, input, TOKEN_GAS)
    }
}
