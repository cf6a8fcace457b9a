//! This node's own trouble. A verdict on a block is an [`ImportOutcome`](crate::ImportOutcome) instead.

use alloy_primitives::B256;
use balsa_executor::InternalError;
use balsa_pages::FilePagesError;
use balsa_storage::{BlockPointer, FlushError, OpenError, PersistError, StoreError};
use balsa_trie::TrieError;
use thiserror::Error;

/// The chain could not do what was asked. Says nothing about any block.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ChainError {
    /// The database could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The trie of block 0, or of blocks that were executed before, could not be built.
    #[error("trie: {0}")]
    Trie(#[from] TrieError),
    /// The directory for the trie's pages cannot be used.
    #[error(transparent)]
    TriePages(#[from] FilePagesError),
    /// Block 0 could not be stored.
    #[error(transparent)]
    Flush(#[from] FlushError),
    /// The system gave no thread.
    #[error("starting the persister: {0}")]
    Thread(#[from] std::io::Error),
    /// The store could not be read.
    #[error(transparent)]
    Lookup(#[from] LookupError),
    /// A block could not be executed for reasons that are not its own.
    #[error("block {number} {hash}: {source}")]
    Execution {
        /// The block's number.
        number: u64,
        /// The block's hash.
        hash: B256,
        /// Why.
        source: InternalError,
    },
    /// Nothing is persisted any more.
    #[error(transparent)]
    Persist(#[from] PersistError),
    /// A chain was to be begun with a genesis that opens stored chains only.
    #[error("the genesis state is not in the directory, and did not come with the genesis")]
    GenesisStateMissing,
}

impl From<StoreError> for ChainError {
    fn from(error: StoreError) -> Self {
        Self::Lookup(error.into())
    }
}

/// A look-up failed.
#[derive(Clone, Debug, Error)]
pub enum LookupError {
    /// The store could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A stored body, or stored receipts, are no RLP of theirs.
    #[error("stored {what} of block {block:?}: {error}")]
    Malformed {
        /// Body or receipts.
        what: &'static str,
        /// The block.
        block: BlockPointer,
        /// Why.
        error: alloy_rlp::Error,
    },
    /// A part of a stored block is not there.
    #[error("stored {what} of block {block:?} is missing")]
    Missing {
        /// Which part.
        what: &'static str,
        /// The block.
        block: BlockPointer,
    },
}

/// A fork choice that cannot be followed. Nothing was changed.
#[derive(Debug, Error)]
pub enum ForkChoiceError {
    /// The head is not a block that was imported.
    #[error("head {0} is not known")]
    UnknownHead(B256),
    /// The head is known but lies below the states that are kept, so nothing can be built on it.
    #[error("head {number} {hash} lies below block {root}, the oldest whose state is kept")]
    TooDeep {
        /// Number of the head asked for.
        number: u64,
        /// Its hash.
        hash: B256,
        /// Number of the oldest block with a state.
        root: u64,
    },
    /// The safe or the finalized block is not known, or not an ancestor of the head.
    #[error("{name} block {hash} is not on the chain of head {head}")]
    NotAncestor {
        /// `safe` or `finalized`.
        name: &'static str,
        /// The block.
        hash: B256,
        /// The head.
        head: B256,
    },
    /// This node's own trouble.
    #[error(transparent)]
    Chain(#[from] ChainError),
}

impl From<LookupError> for ForkChoiceError {
    fn from(error: LookupError) -> Self {
        Self::Chain(error.into())
    }
}
