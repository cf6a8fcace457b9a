//! A persisted trie in maps: the source of tests and of the runners of official vectors.

use crate::{Branch, BranchChange, NodeSource, Path, RootAfter, SourceError, Updates};
use alloy_primitives::{B256, U256};
use balsa_state::Account;
use std::{
    collections::{BTreeMap, btree_map},
    ops::Bound,
};

/// A [`NodeSource`] in memory. [`MemoryNodes::apply`] takes it from block to block as a store would.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemoryNodes {
    /// The flat accounts, by address hash.
    pub accounts: BTreeMap<B256, Account>,
    /// The flat slots, by address hash and slot hash; no zeros, no empty maps.
    pub slots: BTreeMap<B256, BTreeMap<B256, U256>>,
    account_branches: BTreeMap<Path, Branch>,
    storage_branches: BTreeMap<B256, BTreeMap<Path, Branch>>,
}

impl MemoryNodes {
    /// Persists what a block changed.
    pub fn apply(&mut self, updates: &Updates, after: &RootAfter) {
        for (update, account) in updates.accounts.iter().zip(after.accounts.iter()) {
            let key = update.address_hash;
            let slots = self.slots.entry(key).or_default();
            if account.is_none() || update.destroyed || update.storage_cleared {
                slots.clear();
            }
            match account {
                Some(account) => self.accounts.insert(key, account),
                None => self.accounts.remove(&key),
            };
            for (slot, value) in update.slots.iter().filter(|_| account.is_some()) {
                if value.is_zero() {
                    slots.remove(slot)
                } else {
                    slots.insert(*slot, *value)
                };
            }
            if slots.is_empty() {
                self.slots.remove(&key);
            }
        }
        write(&mut self.account_branches, after.nodes.account_branches());
        for nodes in after.nodes.storages() {
            let branches = self.storage_branches.entry(nodes.address_hash).or_default();
            if nodes.cleared {
                branches.clear();
            }
            write(branches, nodes.branches());
            if branches.is_empty() {
                self.storage_branches.remove(&nodes.address_hash);
            }
        }
    }

    /// How many branch records are kept.
    pub fn branch_count(&self) -> usize {
        self.account_branches.len() + self.storage_branches.values().map(BTreeMap::len).sum::<usize>()
    }
}

fn write<'a>(to: &mut BTreeMap<Path, Branch>, changes: impl Iterator<Item = (Path, BranchChange<'a>)>) {
    for (path, change) in changes {
        match change.record() {
            Some(branch) => to.insert(path, branch),
            None => to.remove(&path),
        };
    }
}

fn under<'a, V>(map: &'a BTreeMap<B256, V>, prefix: &Path) -> btree_map::Range<'a, B256, V> {
    map.range((Bound::Included(prefix.first_key()), Bound::Included(prefix.last_key())))
}

impl NodeSource for MemoryNodes {
    fn account_branch(&self, path: &Path) -> Result<Option<Branch>, SourceError> {
        Ok(self.account_branches.get(path).cloned())
    }

    fn storage_branch(&self, address_hash: &B256, path: &Path) -> Result<Option<Branch>, SourceError> {
        Ok(self.storage_branches.get(address_hash).and_then(|branches| branches.get(path)).cloned())
    }

    fn accounts_under(&self, prefix: &Path, limit: usize) -> Result<Vec<(B256, Account)>, SourceError> {
        Ok(under(&self.accounts, prefix).take(limit).map(|(key, account)| (*key, *account)).collect())
    }

    fn slots_under(&self, address_hash: &B256, prefix: &Path, limit: usize) -> Result<Vec<(B256, U256)>, SourceError> {
        let Some(slots) = self.slots.get(address_hash) else {
            return Ok(Vec::new());
        };
        Ok(under(slots, prefix).take(limit).map(|(key, value)| (*key, *value)).collect())
    }
}
