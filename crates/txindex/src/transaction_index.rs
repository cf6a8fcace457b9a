//! Either form of the index, with the same answers.

use alloy_primitives::B256;
use balsa_storage::{Store, TransactionPosition};

use crate::{DirectoryIndex, IndexError, Mark};

/// Where the chain's transactions are looked up.
pub enum TransactionIndex {
    /// The table in the engine, written with each flush of the store; the default.
    Engine(Store),
    /// Directories of its own, fed by the chain.
    Directories(DirectoryIndex),
}

impl TransactionIndex {
    /// Where a canonical transaction is.
    ///
    /// After a crash the directories may name a block that is not canonical any more, until the chain has fed them
    /// again: who reads the body compares the hash.
    pub fn position(&self, hash: &B256) -> Result<Option<TransactionPosition>, IndexError> {
        match self {
            Self::Engine(store) => Ok(store.snapshot()?.transaction(hash)?),
            Self::Directories(index) => index.position(hash),
        }
    }

    /// A block became canonical and is about to be flushed.
    pub fn add_block(&self, number: u64, transactions: &[B256]) -> Result<(), IndexError> {
        match self {
            // The store's own flush writes the rows.
            Self::Engine(_) => Ok(()),
            Self::Directories(index) => index.add_block(number, transactions),
        }
    }

    /// A block is canonical no more.
    pub fn remove_block(&self, number: u64, transactions: &[B256]) -> Result<(), IndexError> {
        match self {
            Self::Engine(_) => Ok(()),
            Self::Directories(index) => index.remove_block(number, transactions),
        }
    }

    /// Makes all before safe, up to a block.
    pub fn flush(&self, mark: Mark) -> Result<(), IndexError> {
        match self {
            Self::Engine(_) => Ok(()),
            Self::Directories(index) => index.flush(mark),
        }
    }

    /// The block after which feeding goes on; `None` from the beginning, or nothing is to be fed.
    pub fn mark(&self) -> Option<Mark> {
        match self {
            Self::Engine(_) => None,
            Self::Directories(index) => index.mark(),
        }
    }
}
