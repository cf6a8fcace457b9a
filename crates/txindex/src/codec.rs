//! Reading fixed-width fields, and making names durable.

use std::{fs::File, path::Path};

use xxhash_rust::xxh3::xxh3_64;

use crate::IndexError;

/// Format of every file; FORMAT.md.
pub(crate) const FORMAT: u32 = 1;

/// The checksum of every file.
pub(crate) fn checksum(bytes: &[u8]) -> u64 {
    xxh3_64(bytes)
}

/// Takes fields off the front of bytes; `None` once they have run out.
pub(crate) struct Fields<'a>(pub(crate) &'a [u8]);

impl<'a> Fields<'a> {
    pub(crate) fn array<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        let (array, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(array)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(|bytes| u32::from_le_bytes(*bytes))
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.array().map(|bytes| u64::from_le_bytes(*bytes))
    }
}

/// Makes renames and new names in `dir` durable.
pub(crate) fn sync_directory(dir: &Path) -> Result<(), IndexError> {
    File::open(dir).and_then(|file| file.sync_all()).map_err(IndexError::io(dir, "sync"))
}

/// Writes a file under a temporary name, syncs it, and puts it in place in one step.
pub(crate) fn replace_file(dir: &Path, name: &str, content: &[u8]) -> Result<(), IndexError> {
    let temporary = dir.join(format!("{name}.new"));
    let write = || {
        let mut file = File::create(&temporary)?;
        std::io::Write::write_all(&mut file, content)?;
        file.sync_all()?;
        std::fs::rename(&temporary, dir.join(name))
    };
    write().map_err(IndexError::io(&temporary, "write"))?;
    sync_directory(dir)
}
