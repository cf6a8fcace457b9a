//! What the owner of a chain chooses.

use balsa_storage::Settings;

/// How to keep a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainSettings {
    /// Blocks below the head whose states stay in memory: how deep a reorganisation can reach.
    pub kept_blocks: u64,
    /// Blocks that are flushed at once when more than `kept_blocks` are there; a slot that several of them write
    /// reaches the disk once.
    pub flush_blocks: u64,
    /// Bytes of blocks and states in memory from which blocks are flushed earlier than `kept_blocks` says.
    pub kept_bytes_max: u64,
    /// Bytes of trie nodes in memory from which the trie begins anew from the disk.
    pub trie_bytes_max: u64,
    /// The store below.
    pub storage: Settings,
}

impl ChainSettings {
    /// However many bytes they take, this many blocks below the head keep their states.
    pub const KEPT_BLOCKS_MIN: u64 = 2;
}

impl Default for ChainSettings {
    fn default() -> Self {
        Self {
            kept_blocks: 128,
            flush_blocks: 32,
            kept_bytes_max: 1 << 30,
            trie_bytes_max: 4 << 30,
            storage: Settings::default(),
        }
    }
}
