//! Branch records of a trie, by path.

use std::collections::BTreeMap;

use alloy_primitives::B256;
use balsa_trie::{Branch, BranchChange, NodeChanges, Path};

/// The records that a trie was persisted as.
#[derive(Clone, Debug, Default)]
pub(super) struct Branches {
    accounts: BTreeMap<Path, Branch>,
    storages: BTreeMap<B256, BTreeMap<Path, Branch>>,
}

impl Branches {
    pub(super) fn account(&self, path: &Path) -> Option<Branch> {
        self.accounts.get(path).cloned()
    }

    pub(super) fn storage(&self, address_hash: &B256, path: &Path) -> Option<Branch> {
        self.storages.get(address_hash)?.get(path).cloned()
    }

    pub(super) fn apply(&mut self, changes: &NodeChanges) {
        put(&mut self.accounts, changes.account_branches());
        for nodes in changes.storages() {
            let records = self.storages.entry(nodes.address_hash).or_default();
            if nodes.cleared {
                records.clear();
            }
            put(records, nodes.branches());
        }
    }
}

fn put<'a>(records: &mut BTreeMap<Path, Branch>, changes: impl Iterator<Item = (Path, BranchChange<'a>)>) {
    for (path, change) in changes {
        match change.record() {
            Some(branch) => records.insert(path, branch),
            None => records.remove(&path),
        };
    }
}
