//! A state as `evm --dump` shows it.

use crate::fixture::Accounts;
use alloy_primitives::{Address, B256, Bytes, U256, hex, keccak256};
use balsa_state::{Account, EMPTY_CODE_HASH, State, StateError};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The accounts of a state.
#[derive(Clone, Debug, Serialize)]
pub struct Dump {
    /// The state root, without the usual prefix.
    root: String,
    /// By address, as it is written for people.
    accounts: BTreeMap<String, DumpedAccount>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct DumpedAccount {
    /// Wei, in decimal digits.
    balance: String,
    nonce: u64,
    root: B256,
    code_hash: B256,
    #[serde(skip_serializing_if = "<[u8]>::is_empty")]
    code: Bytes,
    /// Values without leading zeros, nor prefix.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    storage: BTreeMap<B256, String>,
    address: Address,
    /// The address's hash.
    key: B256,
}

/// The addresses and slots that a state can hold something at: it knows their hashes only.
#[derive(Debug, Default)]
pub(crate) struct Places(BTreeMap<Address, BTreeSet<U256>>);

impl Places {
    /// Adds those that a fixture names.
    pub(crate) fn name(&mut self, accounts: &Accounts) {
        let slots = |account: &crate::fixture::Account| account.storage.keys().map(|slot| slot.0).collect();
        self.reach(accounts.iter().map(|(address, account)| (*address, slots(account))));
    }

    /// Adds those that were reached.
    pub(crate) fn reach(&mut self, reached: impl IntoIterator<Item = (Address, Vec<U256>)>) {
        for (address, slots) in reached {
            self.0.entry(address).or_default().extend(slots);
        }
    }
}

impl Dump {
    /// What the state holds at these places.
    pub(crate) fn of(root: B256, state: &State, places: &Places) -> Result<Self, StateError> {
        let mut accounts = BTreeMap::new();
        for (address, slots) in &places.0 {
            let key = keccak256(address);
            if let Some(account) = state.account(&key)? {
                accounts.insert(address.to_checksum(None), DumpedAccount::of(*address, key, account, state, slots)?);
            }
        }
        Ok(Self { root: hex::encode(root), accounts })
    }
}

impl DumpedAccount {
    fn of(
        address: Address,
        key: B256,
        account: Account,
        state: &State,
        slots: &BTreeSet<U256>,
    ) -> Result<Self, StateError> {
        let mut storage = BTreeMap::new();
        for slot in slots.iter().map(|slot| B256::from(*slot)) {
            let value = state.slot(&key, &keccak256(slot))?;
            if !value.is_zero() {
                storage.insert(slot, hex::encode(value.to_be_bytes_trimmed_vec()));
            }
        }
        let Account { nonce, balance, code_hash, storage_root } = account;
        let code = if code_hash == EMPTY_CODE_HASH { Bytes::new() } else { state.code(&code_hash)? };
        Ok(Self { balance: balance.to_string(), nonce, root: storage_root, code_hash, code, storage, address, key })
    }
}
