//! A flat store that lives on the heap.

use std::collections::HashMap;

use alloy_primitives::{B256, Bytes, U256};
use foldhash::fast::RandomState;

use crate::{Account, FlatStore, StateDiff, StateError};

/// Flat state in memory: the base of test vectors and of chains that need no disk.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    accounts: HashMap<B256, Account, RandomState>,
    storage: HashMap<B256, HashMap<B256, U256, RandomState>, RandomState>,
    codes: HashMap<B256, Bytes, RandomState>,
}

impl MemoryStore {
    /// Applies what a block changed.
    pub fn apply(&mut self, diff: &StateDiff) {
        for (hash, account) in &diff.accounts {
            match account {
                Some(account) => self.accounts.insert(*hash, *account),
                None => self.accounts.remove(hash),
            };
        }
        for storage in &diff.storage {
            let slots = self.storage.entry(storage.address_hash).or_default();
            if storage.cleared {
                slots.clear();
            }
            for (slot, value) in &storage.slots {
                if value.is_zero() {
                    slots.remove(slot);
                } else {
                    slots.insert(*slot, *value);
                }
            }
            if slots.is_empty() {
                self.storage.remove(&storage.address_hash);
            }
        }
        self.codes.extend(diff.codes.iter().cloned());
    }

    /// Every account, in no order.
    pub fn iter_accounts(&self) -> impl Iterator<Item = (&B256, &Account)> {
        self.accounts.iter()
    }

    /// Every slot of an account that is not zero, in no order.
    pub fn iter_slots(&self, address_hash: &B256) -> impl Iterator<Item = (&B256, &U256)> {
        self.storage.get(address_hash).into_iter().flatten()
    }
}

impl FlatStore for MemoryStore {
    fn account(&self, address_hash: &B256) -> Result<Option<Account>, StateError> {
        Ok(self.accounts.get(address_hash).copied())
    }

    fn slot(&self, address_hash: &B256, slot_hash: &B256) -> Result<U256, StateError> {
        Ok(self.storage.get(address_hash).and_then(|slots| slots.get(slot_hash)).copied().unwrap_or_default())
    }

    fn code(&self, code_hash: &B256) -> Result<Option<Bytes>, StateError> {
        Ok(self.codes.get(code_hash).cloned())
    }
}
