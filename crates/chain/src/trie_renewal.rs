//! The trie keeps to its room: what was not changed for long is left to the disk.
//!
//! Nodes stay in memory once they were read or made, for they will be needed again; a chain that runs for long would
//! hold all of its trie one day. So past ten sixteenths of the room that `state_budget.rs` gives it, the versions of all
//! blocks in the tree are made once more, in fresh memory, with the youngest of their nodes up to three sixteenths: upper
//! levels and hot paths stay, and old and new nodes together fit the room. That copies some nodes, once in as long as it takes
//! to fill the rest.
//!
//! Only what the store has can be left to it. Where the blocks that are not flushed own more than what may stay, all but a
//! few are flushed first.
//!
//! Rejected: to begin anew with nothing (the next blocks would read all of their paths from the disk, the hot ones too); to
//! unlink nodes in place (readers of the versions would be disturbed, and a node that an older snapshot lacks be lost to
//! its readers); to mark nodes that are only read, on the path where roots are computed.

use std::{collections::HashMap, sync::Arc};

use alloy_primitives::B256;
use balsa_storage::StateChange;
use balsa_trie::{NodeChanges, Relative, StateTrie, TrieError, renewed};
use tracing::{debug_span, info};

use crate::{Chain, ChainError, KeptBlock};

/// Blocks above the flushed one that stay, where the budget is too small for more: what a reorganisation may still want.
const RENEWED_BLOCKS: u64 = 8;

impl Chain {
    /// Leaves old nodes to the disk if the trie is larger than the budget allows. `newest` stays in the tree.
    pub(crate) fn renew_trie_if_large(&mut self, newest: &B256) -> Result<(), ChainError> {
        self.old_arenas.retain(|arena| arena.bytes().is_some());
        let before = self.state_memory();
        let bytes_max = before.trie_bytes_max();
        let grown = before.trie() > self.renewed_trie_bytes.saturating_add(bytes_max / 16);
        if before.trie() <= bytes_max / 16 * 10 || !grown {
            return Ok(());
        }
        let _span = debug_span!(target: "balsa::stage", "renew_trie").entered();
        let kept_bytes = bytes_max / 16 * 3;
        if self.unflushed_trie_bytes() > kept_bytes {
            let root = self.view.root().number();
            let above_root = self.view.head().number() - root;
            let below_newest = self.view.tree.common_number(newest) - root;
            self.hand_over(above_root.saturating_sub(RENEWED_BLOCKS).min(below_newest))?;
        }
        self.ping()?;
        self.renew_trie(kept_bytes.saturating_sub(self.unflushed_trie_bytes()))?;
        self.renewed_trie_bytes = self.state_memory().trie();
        let blocks = self.view.tree.blocks().count();
        info!(before = before.trie(), after = self.renewed_trie_bytes, blocks, "left old trie nodes to the disk");
        Ok(())
    }

    /// Bytes of the nodes that blocks above the root made.
    fn unflushed_trie_bytes(&self) -> u64 {
        let root = self.view.root().hash();
        self.view.tree.blocks().filter(|kept| kept.hash() != root).map(|kept| kept.trie.own_bytes()).sum()
    }

    /// Makes the versions of all blocks in the tree once more, with so many bytes of the root's, which the store holds.
    fn renew_trie(&mut self, kept_bytes: u64) -> Result<(), ChainError> {
        let root = self.view.root();
        assert_eq!(self.view.flushed(), Some(root.pointer()), "the store holds another state than the root's");
        let blocks: Vec<_> = self.view.tree.in_order();
        let positions: HashMap<_, _> = blocks.iter().enumerate().map(|(i, kept)| (kept.hash(), i)).collect();
        let parent = |kept: &KeptBlock| positions.get(&kept.parent_hash()).copied();
        let family: Vec<_> = blocks.iter().map(|kept| Relative { trie: &kept.trie, parent: parent(kept) }).collect();
        let memory = self.settings.trie_memory.pages()?;
        let tries = self.executor.pool().install(|| renewed(&family, kept_bytes, memory));
        let tries = tries.map_err(TrieError::from).map_err(ChainError::Trie)?;
        self.renewals += 1;
        self.state_bytes_peak = self.state_bytes_peak.max(self.state_memory().all() + tries[0].arena_bytes().all());
        let old_arena = root.trie.watch_arena();
        let tries = blocks.iter().zip(tries).map(|(kept, trie)| {
            // What the root changed is on the disk; of the others it would keep the old nodes.
            let is_root = kept.hash() == root.hash();
            let nodes = if is_root { Arc::default() } else { Arc::new(kept.change.nodes.renewed(&trie)) };
            (kept.hash(), (trie, nodes))
        });
        let tries = tries.collect();
        self.update(|view| view.tree.replace_tries(&tries));
        self.old_arenas.push(old_arena);
        Ok(())
    }
}

impl KeptBlock {
    /// The same block on another version of the same trie, with what is to be written of it.
    pub(crate) fn with_trie(&self, (trie, nodes): &(StateTrie, Arc<NodeChanges>)) -> Arc<Self> {
        let change = StateChange { nodes: nodes.clone(), layer: self.change.layer.clone() };
        Arc::new(Self { trie: trie.clone(), change, ..self.clone() })
    }
}
