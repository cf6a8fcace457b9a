//! What the protocol itself takes part in: blobs, delegations, and requests to the consensus layer.

use alloy_eips::{eip7002, eip7251, eip8282};
use alloy_primitives::{Address, B256, Bytes, U256};
use balsa_chainspec::MAINNET_DEPOSIT_CONTRACT;

use super::Plan;
use crate::abi::{call, word};
use crate::genesis::CHAIN_ID;
use crate::intent::{Call, Delegation, Form, Intent};
use crate::kind::Kind;

const BLOB_GAS: u64 = 100_000;
const SET_CODE_GAS: u64 = 400_000;
const AUTHORISATION_GAS: u64 = 300_000;
const BATCH_GAS: u64 = 250_000;
const REQUEST_GAS: u64 = 1_200_000;
/// Far above what a request costs while its queue is short; the contract keeps the rest.
const REQUEST_FEE: u64 = 1_000_000_000;
const GWEI: u64 = 1_000_000_000;
/// The least stake of a builder deposit, in gwei (EIP-8282).
const BUILDER_DEPOSIT_GWEI: u64 = 1_000_000_000;

impl Plan {
    /// Blobs, with a plain transfer.
    pub(super) fn blob(&mut self) -> Intent {
        let sender = self.draw_sender(Kind::Blob);
        let hashes = (0..self.random.between(1, 3)).map(|_| self.versioned_hash()).collect();
        let to = self.draw_recipient();
        let call = Call::new(to, Bytes::new(), BLOB_GAS).with_value(self.draw_wei());
        self.intent(Kind::Blob, sender, call, Form::Blob(hashes))
    }

    /// Other signers delegate to the batch sender, or take that back; then the first of them sends a batch, called by
    /// the sender. One authorisation in ten is of another chain and does nothing.
    pub(super) fn set_code(&mut self) -> Intent {
        let sender = self.draw_sender(Kind::SetCode);
        // The sender's nonce is used before those of the authorities.
        let mut intent = self.intent(Kind::SetCode, sender, Call::new(Address::ZERO, Bytes::new(), 0), Form::Legacy);
        let count = self.random.between(1, 3);
        let delegations: Vec<Delegation> = (0..count).map(|_| self.delegation()).collect();
        let authority = delegations[0].authority;
        let gas_limit = SET_CODE_GAS + count * AUTHORISATION_GAS;
        intent.call = self.batch(authority);
        intent.call.gas_limit += gas_limit;
        intent.form = Form::SetCode(delegations);
        intent
    }

    /// Some delegated account's batch, called by anyone; a plain batch sender's call where none is delegated.
    pub(super) fn delegated_call(&mut self) -> Call {
        let position = self.random.index(self.known.delegated.len());
        let authority = self.known.delegated.get(position).copied().unwrap_or(0);
        self.batch(authority)
    }

    pub(super) fn deposit(&mut self) -> Call {
        // pubkey ++ withdrawal credentials ++ amount, little-endian ++ signature
        let mut record = self.random_bytes(48 + 32);
        record.extend_from_slice(&(32 * GWEI).to_le_bytes());
        record.extend(self.random_bytes(96));
        Call::new(MAINNET_DEPOSIT_CONTRACT, record.into(), REQUEST_GAS)
    }

    pub(super) fn withdrawal_request(&mut self) -> Call {
        // pubkey ++ amount
        let mut record = self.random_bytes(48);
        record.extend_from_slice(&self.random.below(32 * GWEI).to_be_bytes());
        request(eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS, record)
    }

    pub(super) fn consolidation_request(&mut self) -> Call {
        let record = self.random_bytes(48 + 48);
        request(eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS, record)
    }

    pub(super) fn builder_deposit(&mut self) -> Call {
        // pubkey ++ withdrawal credentials ++ amount ++ signature
        let mut record = self.random_bytes(48 + 32);
        record.extend_from_slice(&BUILDER_DEPOSIT_GWEI.to_be_bytes());
        record.extend(self.random_bytes(96));
        let stake = U256::from(BUILDER_DEPOSIT_GWEI) * U256::from(GWEI);
        let call = request(eip8282::BUILDER_DEPOSIT_CONTRACT_ADDRESS, record);
        let value = call.value + stake;
        call.with_value(value)
    }

    pub(super) fn builder_exit(&mut self) -> Call {
        let record = self.random_bytes(48);
        request(eip8282::BUILDER_EXIT_CONTRACT_ADDRESS, record)
    }

    fn delegation(&mut self) -> Delegation {
        let authority = self.random.index(self.world.signers.len());
        if self.random.chance(100) {
            // Of another chain: skipped, and the nonce stays.
            let nonce = self.known.nonces[authority];
            let target = self.world.singles.delegate.address;
            return Delegation { authority, target, nonce, chain_id: CHAIN_ID + 1 };
        }
        let chain_id = if self.random.chance(200) { 0 } else { CHAIN_ID };
        let revoked = self.random.chance(150);
        self.known.delegated.retain(|known| *known != authority);
        if revoked {
            return self.authorise(authority, Address::ZERO, chain_id);
        }
        self.known.delegated.push(authority);
        self.authorise(authority, self.world.singles.delegate.address, chain_id)
    }

    /// A call that makes `authority` send tokens to a few accounts.
    fn batch(&mut self, authority: usize) -> Call {
        let count = self.random.between(1, 4);
        let token = self.draw_hot(self.world.tokens.len());
        let mut words = vec![word(self.world.tokens[token].address), U256::from(count)];
        for _ in 0..count {
            words.push(word(self.draw_recipient()));
            words.push(self.draw_tokens());
        }
        let input = call("transferMany(address,uint256)", &words);
        Call::new(self.world.signers[authority].address, input, BATCH_GAS + count * BATCH_GAS)
    }

    fn versioned_hash(&mut self) -> B256 {
        let mut hash = self.random.hash();
        hash[0] = 1;
        hash
    }

    fn random_bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes: Vec<u8> = (0..length.div_ceil(32)).flat_map(|_| self.random.hash().0).collect();
        bytes.truncate(length);
        bytes
    }
}

fn request(predeploy: Address, record: Vec<u8>) -> Call {
    Call::new(predeploy, record.into(), REQUEST_GAS).with_value(U256::from(REQUEST_FEE))
}
