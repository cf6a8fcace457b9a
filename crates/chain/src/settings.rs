//! What the owner of a chain chooses.

use balsa_pages::{FilePages, FilePagesError, HugePages};
use balsa_storage::Settings;
use balsa_trie::PageMemory;
use std::{path::PathBuf, sync::Arc};

/// How to keep a chain.
#[derive(Clone, Debug)]
pub struct ChainSettings {
    /// Blocks below the head whose states stay in memory: how deep a reorganisation can reach.
    pub kept_blocks: u64,
    /// Blocks that are flushed at once when more than `kept_blocks` are there; a slot that several of them write
    /// reaches the disk once.
    pub flush_blocks: u64,
    /// Bytes that states may take in memory: the trie, recent blocks with their layers, the read cache. Before they do,
    /// nodes that were not changed for long are left to the disk, and blocks are flushed earlier than `kept_blocks` says.
    pub state_bytes_max: u64,
    /// Where the trie's nodes lie.
    pub trie_memory: TrieMemory,
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
            state_bytes_max: 4 << 30,
            trie_memory: TrieMemory::default(),
            storage: Settings::default(),
        }
    }
}

/// Where the trie's nodes lie.
#[derive(Clone, Debug, Default)]
pub enum TrieMemory {
    /// In anonymous memory: huge pages where the system gives them.
    #[default]
    Anonymous,
    /// In a file of this directory, mapped into memory and deleted when the chain is closed. A full disk stops the chain.
    FilesIn(PathBuf),
    /// In memory of the caller's own.
    Of(Arc<dyn PageMemory>),
}

impl TrieMemory {
    /// Pages for a trie that begins. Each trie has its own, so that the room of an old one goes with it.
    pub(crate) fn pages(&self) -> Result<Arc<dyn PageMemory>, FilePagesError> {
        Ok(match self {
            Self::Anonymous => Arc::new(HugePages),
            Self::FilesIn(directory) => Arc::new(FilePages::in_directory(directory)?),
            Self::Of(memory) => memory.clone(),
        })
    }
}
