//! Ether, tokens and collectibles change hands.

use alloy_primitives::{Bytes, U256};

use super::{Approval, Plan};
use crate::abi::{call, word};
use crate::intent::Call;

const TRANSFER_GAS: u64 = 60_000;
const NEW_ACCOUNT_GAS: u64 = 300_000;
const TOKEN_GAS: u64 = 250_000;
const NFT_GAS: u64 = 450_000;
/// How many approvals are remembered; forgotten ones stay.
const APPROVALS_MAX: usize = 1024;

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
        let token = self.draw_hot(self.world.tokens.len());
        self.token_call(token, call("transfer(address,uint256)", &words))
    }

    /// To signers only, whose transfers on behalf of `sender` draw on it; the router's own approval stays untouched.
    pub(super) fn token_approve(&mut self, sender: usize) -> Call {
        let spender = self.random.index(self.world.signers.len());
        let token = self.draw_hot(self.world.tokens.len());
        let approval = Approval { token, owner: sender, spender };
        match self.known.approvals.len() < APPROVALS_MAX {
            true => self.known.approvals.push(approval),
            false => {
                let forgotten = self.random.index(APPROVALS_MAX);
                self.known.approvals[forgotten] = approval;
            }
        }
        let words = [word(self.world.signers[spender].address), self.draw_tokens()];
        self.token_call(token, call("approve(address,uint256)", &words))
    }

    /// By an approval that is there, if `sender` has been given one; else the call reverts, as happens to wallets.
    pub(super) fn token_transfer_from(&mut self, sender: usize) -> Call {
        let given = self.known.approvals.iter().rfind(|approval| approval.spender == sender).copied();
        let Approval { token, owner, .. } = given.unwrap_or_else(|| Approval {
            token: self.random.index(self.world.tokens.len()),
            owner: self.random.index(self.world.signers.len()),
            spender: sender,
        });
        let recipient = self.draw_token_recipient();
        let amount = U256::from(self.random.below(1000));
        let words = [word(self.world.signers[owner].address), word(recipient), amount];
        self.token_call(token, call("transferFrom(address,address,uint256)", &words))
    }

    /// Someone who may spend another's tokens, if there is anyone.
    pub(super) fn draw_spender(&mut self) -> Option<usize> {
        let position = self.random.index(self.known.approvals.len());
        self.known.approvals.get(position).map(|approval| approval.spender)
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

    fn token_call(&self, token: usize, input: Bytes) -> Call {
        Call::new(self.world.tokens[token].address, input, TOKEN_GAS)
    }
}
