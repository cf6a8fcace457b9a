//! The states in memory obey one budget, looked at after every block.
//!
//! What counts: the pages of the trie, all of them, with the lists of free places in them; recent blocks with their layers,
//! those on their way to the disk too; the read cache. The cache may take an eighth and blocks a quarter. The trie takes what
//! they leave. So each has room for what it is good for, and none has a limit of its own to choose.
//!
//! - The cache is emptied when it is full (`ReadCache`).
//! - Where blocks take more than a quarter, the oldest are flushed, and the disk is waited for.
//! - Where the trie takes more than ten sixteenths of what is left, what was not changed for long is left to the disk
//!   (`trie_renewal.rs`), and three sixteenths are kept. While that goes on there are two arenas: thirteen. The last three are for
//!   what a block adds before it is looked at, and for the pages of the new arena that are not full, at most one a kind and thread.
//! - An arena that was left behind counts until the last reader has let go of it, and the trie has less room meanwhile.
//! - Where what must stay is too much by itself, the trie is renewed only once it has grown by a sixteenth since, so that not
//!   every block copies it in vain.
//!
//! What must stay, stays, however small the budget: the last blocks, the one that just came, and those above the head,
//! which nothing but a fork choice can move.
//!
//! Rejected: a flag for the trie and one for blocks (whoever has so much memory for states does not know how much of it
//! each needs, and their sum is what the machine feels).

use alloy_primitives::B256;

use crate::{Chain, ChainError, ChainSettings};

/// Bytes of the states in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StateMemory {
    /// Rough bytes of recent blocks on all branches: blocks, receipts, lists, layers.
    pub blocks: u64,
    /// Pages of the trie, full or not.
    pub trie_pages: u64,
    /// Lists of free places in these pages.
    pub trie_lists: u64,
    /// Tries that were left behind and that readers still hold.
    pub old_tries: u64,
    /// Tables of the read cache.
    pub read_cache: u64,
    /// What all of that may take.
    pub bytes_max: u64,
    /// The most that it took together, after a block or in the middle of a renewal.
    pub peak: u64,
    /// How often old nodes were left to the disk.
    pub renewals: u64,
}

impl StateMemory {
    /// All of it together.
    pub fn all(&self) -> u64 {
        self.trie() + self.old_tries + self.others()
    }

    /// The present trie.
    pub(crate) fn trie(&self) -> u64 {
        self.trie_pages + self.trie_lists
    }

    fn others(&self) -> u64 {
        self.blocks + self.read_cache
    }

    /// What the present trie may take, with the one that replaces it.
    pub(crate) fn trie_bytes_max(&self) -> u64 {
        self.bytes_max.saturating_sub(self.old_tries + self.others())
    }
}

/// Of a budget, what the read cache may take.
pub(crate) fn read_cache_bytes_max(settings: &ChainSettings) -> u64 {
    settings.state_bytes_max / 8
}

/// Of a budget, what blocks may take.
pub(crate) fn blocks_bytes_max(settings: &ChainSettings) -> u64 {
    settings.state_bytes_max / 4
}

impl Chain {
    /// Looks at the budget after a block: `newest` stays in the tree whatever leaves it.
    pub(crate) fn keep_to_budget(&mut self, newest: &B256) -> Result<(), ChainError> {
        self.cache.trim();
        self.hand_over_old(newest)?;
        let memory = self.state_memory();
        if memory.blocks > blocks_bytes_max(&self.settings) {
            self.ping()?;
        }
        self.renew_trie_if_large(newest)?;
        self.state_bytes_peak = self.state_bytes_peak.max(self.state_memory().all());
        Ok(())
    }

    /// What the states in memory take.
    pub fn state_memory(&self) -> StateMemory {
        let trie = self.view.head().trie.arena_bytes();
        let old = self.old_arenas.iter().filter_map(|arena| arena.bytes());
        StateMemory {
            blocks: self.view.tree.heap_bytes(),
            trie_pages: trie.pages,
            trie_lists: trie.lists,
            old_tries: old.map(|bytes| bytes.all()).sum(),
            read_cache: self.cache.heap_bytes(),
            bytes_max: self.settings.state_bytes_max,
            peak: self.state_bytes_peak,
            renewals: self.renewals,
        }
    }
}
