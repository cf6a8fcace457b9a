//! One block's change, held in memory for look-ups.

use std::collections::HashMap;

use alloy_primitives::{B256, Bytes, U256};
use foldhash::fast::RandomState;

use crate::{Account, StateDiff};

/// A [`StateDiff`] with an index over it. Immutable, shared by every state above it.
///
/// Addresses and slots are chosen by whoever sends transactions, so the tables are seeded (foldhash).
#[derive(Debug)]
pub struct Layer {
    diff: StateDiff,
    accounts: HashMap<B256, u32, RandomState>,
    storage: HashMap<B256, u32, RandomState>,
}

impl Layer {
    /// Indexes a diff.
    pub fn new(diff: StateDiff) -> Self {
        let accounts = diff.accounts.iter().zip(0..).map(|((hash, _), at)| (*hash, at)).collect();
        let storage = diff.storage.iter().zip(0..).map(|(storage, at)| (storage.address_hash, at)).collect();
        Self { diff, accounts, storage }
    }

    /// The change that the layer holds.
    pub fn diff(&self) -> &StateDiff {
        &self.diff
    }

    /// The account after this layer; outer `None` if the layer does not say.
    pub(crate) fn account(&self, address_hash: &B256) -> Option<Option<Account>> {
        self.accounts.get(address_hash).map(|&at| self.diff.accounts[at as usize].1)
    }

    /// The slot's value after this layer, `None` if the layer does not say.
    pub(crate) fn slot(&self, address_hash: &B256, slot_hash: &B256) -> Option<U256> {
        let storage = &self.diff.storage[*self.storage.get(address_hash)? as usize];
        match storage.slots.binary_search_by(|(hash, _)| hash.cmp(slot_hash)) {
            Ok(at) => Some(storage.slots[at].1),
            Err(_) => storage.cleared.then_some(U256::ZERO),
        }
    }

    /// Code that this layer brought.
    pub(crate) fn code(&self, code_hash: &B256) -> Option<&Bytes> {
        let at = self.diff.codes.binary_search_by(|(hash, _)| hash.cmp(code_hash)).ok()?;
        Some(&self.diff.codes[at].1)
    }
}
