//! A trie that has grown too large in memory begins anew from the disk.
//!
//! Nodes stay in memory once they were read or made, for they will be needed again; a chain that runs for long would
//! hold all of its trie one day. When the budget is passed, all but a few blocks are flushed, and the versions of those
//! few are derived once more, on a trie that starts with nothing but its root. That costs the hashing of a few blocks,
//! once in as long as it takes to read the budget full.
//!
//! Rejected: to drop single nodes by age. It would put a mark on every node that is only read, on the path where
//! roots are computed, to save what happens once in hours.

use std::{collections::HashMap, sync::Arc};

use alloy_primitives::B256;
use balsa_state::{StateDiff, StorageDiff};
use balsa_storage::StateChange;
use balsa_trie::{AccountUpdate, NodeChanges, StateTrie, Updates, root_after};
use tracing::{debug_span, info};

use crate::{Chain, ChainError, KeptBlock, LookupError};

/// Blocks whose versions are derived again at most on the canonical chain: what a reorganisation may still want.
const RENEWED_BLOCKS: u64 = 8;

impl Chain {
    /// Begins the trie anew if it is larger than the settings allow.
    pub(crate) fn renew_trie_if_large(&mut self) -> Result<(), ChainError> {
        if self.view.head().trie.arena_bytes().pages <= self.settings.trie_bytes_max {
            return Ok(());
        }
        let _span = debug_span!(target: "balsa::stage", "renew_trie").entered();
        let above_root = self.view.head().number() - self.view.root().number();
        self.hand_over(above_root.saturating_sub(RENEWED_BLOCKS))?;
        self.ping()?;
        let before = self.view.head().trie.arena_bytes().pages;
        self.renew_trie()?;
        let after = self.view.head().trie.arena_bytes().pages;
        info!(before, after, blocks = self.view.tree.blocks().count(), "began the trie anew");
        Ok(())
    }

    /// Derives the versions of all blocks in the tree from the root's, which the store holds.
    fn renew_trie(&mut self) -> Result<(), ChainError> {
        let root = self.view.root();
        assert_eq!(self.view.flushed(), Some(root.pointer()), "the store holds another state than the root's");
        let empty = StateTrie::persisted_in(root.block.header.state_root, self.settings.trie_memory.pages()?);
        let mut tries = HashMap::from([(root.hash(), (empty, Arc::default()))]);
        for kept in self.view.tree.in_order() {
            if let Some((parent, _)) = tries.get(&kept.parent_hash()) {
                let derived = self.derive(parent, kept)?;
                tries.insert(kept.hash(), derived);
            }
        }
        self.update(|view| view.tree.replace_tries(&tries));
        Ok(())
    }

    /// A block's version from its parent's, by what the block changed, and what is to be written of it: that of the old
    /// version would keep the old nodes.
    fn derive(&self, parent: &StateTrie, kept: &KeptBlock) -> Result<(StateTrie, Arc<NodeChanges>), ChainError> {
        let updates = updates(kept.change.layer.diff());
        let pool = self.executor.pool();
        let after = pool.install(|| root_after(parent, &*self.view.store, &updates)).map_err(ChainError::Trie)?;
        let (found, expected) = (after.root, kept.block.header.state_root);
        if found != expected {
            return Err(LookupError::StateRoot { block: kept.pointer(), found, expected }.into());
        }
        Ok((after.trie, Arc::new(after.nodes)))
    }
}

impl KeptBlock {
    /// The same block on another version of the same trie.
    pub(crate) fn with_trie(&self, (trie, nodes): &(StateTrie, Arc<NodeChanges>)) -> Arc<Self> {
        let change = StateChange { nodes: nodes.clone(), layer: self.change.layer.clone() };
        Arc::new(Self { trie: trie.clone(), change, ..self.clone() })
    }
}

/// A diff as the trie takes it. Accounts that a diff has are there, empty or not.
fn updates(diff: &StateDiff) -> Updates {
    let storage: HashMap<B256, &StorageDiff> =
        diff.storage.iter().map(|storage| (storage.address_hash, storage)).collect();
    let update = |(address_hash, account): &(B256, Option<balsa_state::Account>)| {
        let storage = storage.get(address_hash);
        AccountUpdate {
            address_hash: *address_hash,
            nonce: account.map(|account| account.nonce),
            balance: account.map(|account| account.balance),
            code_hash: account.map(|account| account.code_hash),
            destroyed: account.is_none(),
            storage_cleared: storage.is_some_and(|storage| storage.cleared),
            slots: storage.filter(|_| account.is_some()).map(|storage| storage.slots.clone()).unwrap_or_default(),
        }
    };
    Updates { accounts: diff.accounts.iter().map(update).collect(), keep_empty: true }
}
