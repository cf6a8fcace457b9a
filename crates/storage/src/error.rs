//! What can go wrong; every variant speaks about this node's disk and never about a block.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use alloy_primitives::{B256, hex};
use balsa_state::StateError;
use thiserror::Error;

use crate::Table;

/// A database could not be opened. The directory is as it was, but for what an interrupted creation left.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The directory holds something, but no database of ours.
    #[error("{dir}: not a balsa database (no IDENTITY file, but an entry {found:?})", dir = dir.display())]
    NotADatabase {
        /// The directory.
        dir: PathBuf,
        /// One of its entries.
        found: String,
    },
    /// `IDENTITY` is not what any version of this program writes.
    #[error("{path}: malformed IDENTITY file", path = path.display())]
    MalformedIdentity {
        /// The file.
        path: PathBuf,
    },
    /// Written by another version of this program.
    #[error("{dir}: database format {found}, this program reads and writes format {expected}", dir = dir.display())]
    OtherFormat {
        /// The directory.
        dir: PathBuf,
        /// Its format.
        found: u32,
        /// Ours.
        expected: u32,
    },
    /// The database of another chain.
    #[error("{dir}: database of chain {found}, not of chain {expected}", dir = dir.display())]
    OtherChain {
        /// The directory.
        dir: PathBuf,
        /// Its chain id.
        found: u64,
        /// The chain id asked for.
        expected: u64,
    },
    /// The database of another genesis block.
    #[error("{dir}: database of genesis {found}, not of genesis {expected}", dir = dir.display())]
    OtherGenesis {
        /// The directory.
        dir: PathBuf,
        /// Its genesis hash.
        found: B256,
        /// The genesis hash asked for.
        expected: B256,
    },
    /// Another process holds the database.
    #[error("{dir}: the database is in use by another process", dir = dir.display())]
    Locked {
        /// The directory.
        dir: PathBuf,
    },
    /// The file system refused.
    #[error("{path}: cannot {action}: {source}", path = path.display())]
    Io {
        /// What it was about.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// The engine could not recover its files.
    #[error("{dir}: the database is damaged: {source}", dir = dir.display())]
    Damaged {
        /// The directory.
        dir: PathBuf,
        /// The engine's words.
        source: EngineError,
    },
    /// The engine gave up on its files in a way that it does not report.
    #[error("{dir}: the database is damaged: the engine stopped with {message:?}", dir = dir.display())]
    EngineStopped {
        /// The directory.
        dir: PathBuf,
        /// The engine's words.
        message: String,
    },
    /// The tables contradict each other.
    #[error("{dir}: the database is damaged: {source}", dir = dir.display())]
    Inconsistent {
        /// The directory.
        dir: PathBuf,
        /// The contradiction.
        source: StoreError,
    },
}

impl OpenError {
    pub(crate) fn io(path: &Path, action: &'static str, source: io::Error) -> Self {
        Self::Io { path: path.to_path_buf(), action, source }
    }
}

/// A read failed.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The engine or the disk below it.
    #[error("table {table}: {source}", table = table.name())]
    Engine {
        /// The table that was read.
        table: Table,
        /// The engine's words.
        source: EngineError,
    },
    /// A row that FORMAT.md does not allow.
    #[error("table {table}: malformed row under key 0x{key}", table = table.name(), key = hex::encode(key))]
    Malformed {
        /// The table.
        table: Table,
        /// The row's key.
        key: Vec<u8>,
    },
    /// A row that another row promises is not there.
    #[error("table {table}: no row under key 0x{key}", table = table.name(), key = hex::encode(key))]
    Missing {
        /// The table.
        table: Table,
        /// The key.
        key: Vec<u8>,
    },
    /// Two rows that must agree do not.
    #[error("{what}: {left} here, {right} there")]
    Disagreement {
        /// Which two.
        what: &'static str,
        /// One value.
        left: String,
        /// The other.
        right: String,
    },
}

impl StoreError {
    pub(crate) fn malformed(table: Table, key: &[u8]) -> Self {
        Self::Malformed { table, key: key.to_vec() }
    }

    pub(crate) fn missing(table: Table, key: &[u8]) -> Self {
        Self::Missing { table, key: key.to_vec() }
    }
}

impl From<StoreError> for StateError {
    fn from(error: StoreError) -> Self {
        Self::store(error)
    }
}

/// A flush failed: nothing of it is in the database, or the database has to be opened again to know.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum FlushError {
    /// The batch does not continue the database.
    #[error("flush of block {number} on head {head}: not a later block")]
    NotLater {
        /// The number of the new head.
        number: u64,
        /// The number of the stored head.
        head: u64,
    },
    /// The canonical blocks of the batch do not join the stored head to the new one.
    #[error("flush to block {number}: canonical blocks {first}..={last} do not continue head {head}")]
    Gap {
        /// The number of the new head.
        number: u64,
        /// First canonical block in the batch.
        first: u64,
        /// Last canonical block in the batch.
        last: u64,
        /// The number of the stored head.
        head: u64,
    },
    /// Reading what the batch must delete failed.
    #[error(transparent)]
    Read(#[from] StoreError),
    /// The engine did not take the batch. It takes no other until the database is opened again.
    #[error("commit: {0}")]
    Commit(EngineError),
}

/// The engine's error, without its type.
#[derive(Clone, Debug, Error)]
#[error("{message}")]
pub struct EngineError {
    message: Arc<str>,
}

impl EngineError {
    pub(crate) fn new(message: &str) -> Self {
        Self { message: message.into() }
    }
}
