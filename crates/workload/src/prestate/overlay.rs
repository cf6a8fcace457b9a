//! What blocks changed, over the state that they began with.

use std::collections::HashMap;
use std::sync::Arc;

use alloy_primitives::{B256, Bytes, U256};
use balsa_state::{Account, FlatStore, StateDiff, StateError};

use super::Prestate;

/// A flat store that holds changes only.
#[derive(Clone)]
pub struct Overlay {
    base: Arc<Prestate>,
    accounts: HashMap<B256, Option<Account>>,
    storage: HashMap<B256, ChangedStorage>,
    codes: HashMap<B256, Bytes>,
}

#[derive(Clone, Default)]
struct ChangedStorage {
    /// The base's slots are gone.
    cleared: bool,
    slots: HashMap<B256, U256>,
}

impl Overlay {
    /// The base as it is.
    #[must_use]
    pub fn new(base: Arc<Prestate>) -> Self {
        Self { base, accounts: HashMap::new(), storage: HashMap::new(), codes: HashMap::new() }
    }

    /// Applies what a block changed.
    pub fn apply(&mut self, diff: &StateDiff) {
        self.accounts.extend(diff.accounts.iter().copied());
        for changed in &diff.storage {
            let storage = self.storage.entry(changed.address_hash).or_default();
            if changed.cleared {
                storage.cleared = true;
                storage.slots.clear();
            }
            storage.slots.extend(changed.slots.iter().copied());
        }
        self.codes.extend(diff.codes.iter().cloned());
    }
}

impl FlatStore for Overlay {
    fn account(&self, address_hash: &B256) -> Result<Option<Account>, StateError> {
        match self.accounts.get(address_hash) {
            Some(account) => Ok(*account),
            None => self.base.account(address_hash),
        }
    }

    fn slot(&self, address_hash: &B256, slot_hash: &B256) -> Result<U256, StateError> {
        match self.storage.get(address_hash) {
            Some(storage) if storage.cleared || storage.slots.contains_key(slot_hash) => {
                Ok(storage.slots.get(slot_hash).copied().unwrap_or_default())
            }
            _ => self.base.slot(address_hash, slot_hash),
        }
    }

    fn code(&self, code_hash: &B256) -> Result<Option<Bytes>, StateError> {
        match self.codes.get(code_hash) {
            Some(code) => Ok(Some(code.clone())),
            None => self.base.code(code_hash),
        }
    }
}
