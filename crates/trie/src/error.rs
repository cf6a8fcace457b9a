//! What can go wrong with a trie. None of it is a statement about a block.

use crate::{ArenaError, Path};
use alloy_primitives::B256;

/// A failure to read persisted nodes or leaves.
#[derive(Debug, thiserror::Error)]
#[error("reading the persisted trie: {0}")]
pub struct SourceError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Which of the tries a path belongs to: the account trie, or the storage trie of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrieId {
    /// The account trie.
    Accounts,
    /// The storage trie of the account with this address hash.
    Storage(B256),
}

impl std::fmt::Display for TrieId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Accounts => write!(f, "the account trie"),
            Self::Storage(address_hash) => write!(f, "the storage trie of {address_hash}"),
        }
    }
}

/// Why a root could not be computed. Every variant is a fault on our side: of the caller, or of the store.
#[derive(Debug, thiserror::Error)]
pub enum TrieError {
    /// The store could not be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A branch that its parent says is persisted is not there.
    #[error("{trie}: the branch at {path} is missing")]
    MissingBranch {
        /// The trie.
        trie: TrieId,
        /// Where the branch should stand.
        path: Path,
    },
    /// What the store holds below a path is not what the parent node committed to.
    #[error(transparent)]
    WrongHash(Box<WrongHash>),
    /// There is no room for another node.
    #[error(transparent)]
    Arena(#[from] ArenaError),
    /// A list of updates is not strictly ascending.
    #[error("{trie}: update {index} is not above the one before it")]
    Unsorted {
        /// The trie.
        trie: TrieId,
        /// Position in the list.
        index: usize,
    },
}

/// Where a persisted node is not what its parent says, and how it differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{trie}: what is stored at {path} hashes to {found}, its parent says {expected}")]
pub struct WrongHash {
    /// The trie.
    pub trie: TrieId,
    /// Where.
    pub path: Path,
    /// The reference in the parent.
    pub expected: B256,
    /// The hash of what was loaded.
    pub found: B256,
}
