//! What can go wrong: always this node's disk or settings, never a statement about a block.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use alloy_primitives::B256;
use balsa_storage::StoreError;
use thiserror::Error;

/// The index could not be opened, read or written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum IndexError {
    /// The file system refused.
    #[error("{path}: cannot {action}: {source}", path = path.display())]
    Io {
        /// File or directory.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// Its words.
        source: io::Error,
    },
    /// The directory holds something else.
    #[error("{dir}: not a transaction index (an entry {found:?}, but no IDENTITY)", dir = dir.display())]
    NotAnIndex {
        /// The directory.
        dir: PathBuf,
        /// One of its entries.
        found: String,
    },
    /// Written by another version of this program.
    #[error("{path}: format {found}, this program reads and writes format {expected}", path = path.display())]
    OtherFormat {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// Ours.
        expected: u32,
    },
    /// The index of another chain.
    #[error("{dir}: index of genesis {found}, not of genesis {expected}", dir = dir.display())]
    OtherGenesis {
        /// The directory.
        dir: PathBuf,
        /// Its genesis hash.
        found: B256,
        /// The genesis hash asked for.
        expected: B256,
    },
    /// The directories are not those that the index was created with, in the same order.
    #[error(
        "{dir}: directory {found_index} of {found_count}, opened as directory {expected_index} of {expected_count}",
        dir = dir.display()
    )]
    OtherPlace {
        /// The directory.
        dir: PathBuf,
        /// Its own position.
        found_index: usize,
        /// Directories of its index.
        found_count: usize,
        /// The position asked for.
        expected_index: usize,
        /// The directories asked for.
        expected_count: usize,
    },
    /// The directories do not belong to one index.
    #[error("{dir}: seed differs from that of the first directory", dir = dir.display())]
    OtherSeed {
        /// The directory.
        dir: PathBuf,
    },
    /// Another process has it open.
    #[error("{dir}: in use", dir = dir.display())]
    Locked {
        /// The directory.
        dir: PathBuf,
    },
    /// Bytes that we did not write.
    #[error("{path}: damaged at byte {offset}", path = path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where.
        offset: u64,
    },
    /// The writer of a directory stopped before; nothing is accepted any more.
    #[error("the index stopped: {0}")]
    Stopped(Arc<IndexError>),
    /// A writer thread is gone without a word: it panicked.
    #[error("{dir}: writer thread is gone", dir = dir.display())]
    WriterGone {
        /// The directory.
        dir: PathBuf,
    },
    /// The engine's table could not be read.
    #[error(transparent)]
    Engine(#[from] StoreError),
}

impl IndexError {
    /// For `map_err`.
    pub(crate) fn io(path: &Path, action: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { path: path.into(), action, source }
    }
}
