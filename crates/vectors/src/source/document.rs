//! One file of a pack.

use std::io;
use std::path::PathBuf;

/// One file of a pack, in memory.
#[derive(Debug)]
pub struct Document {
    /// Where it stands in the order of the sources, from zero.
    pub index: usize,
    /// Its path: on disk, or inside its archive (without a leading `./`).
    pub path: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// What kept a source from being read. The run goes on with the next source and ends as failed.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The path is not there or cannot be read.
    #[error("{}: {error}", path.display())]
    Unreadable {
        /// The path as given, or found in a folder.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The archive ends, or is damaged, after some of its files.
    #[error("{}: archive damaged or cut off after {after}: {error}", path.display())]
    Archive {
        /// The archive.
        path: PathBuf,
        /// The last file that was read whole.
        after: String,
        /// What the decoder said.
        error: io::Error,
    },
    /// A file in the archive is larger than any vector has business to be.
    #[error("{}: {name} has {bytes} bytes, more than the limit of {limit}", path.display())]
    TooLarge {
        /// The archive, or the file itself.
        path: PathBuf,
        /// The file.
        name: String,
        /// Its size in bytes.
        bytes: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// A folder or archive without a single vector.
    #[error("{}: no vector found", path.display())]
    Empty {
        /// The source.
        path: PathBuf,
    },
}
