//! Files mapped into memory.

use crate::mapping;
use balsa_trie::{MemoryError, PageMemory, Words};
use rustix::fs::{FallocateFlags, fallocate};
use std::{
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
    process,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

/// Memory in a file of a directory. The file has no name, so that on a local file system nothing of it stays behind, however the
/// process ends: its room on the disk goes with the last of what was handed out.
#[derive(Debug)]
pub struct FilePages {
    file: File,
    // Bytes handed out.
    len: Mutex<u64>,
}

/// A directory that cannot hold pages.
#[derive(Debug, thiserror::Error)]
#[error("no trie pages can be kept in {directory}: {source}")]
pub struct FilePagesError {
    /// The directory.
    pub directory: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

impl FilePages {
    /// Makes a file for pages in `directory`, which must exist.
    ///
    /// # Errors
    /// If the directory is missing, is no directory, or does not take a file that can be written and mapped.
    pub fn in_directory(directory: &Path) -> Result<Self, FilePagesError> {
        let wrong = |source| FilePagesError { directory: directory.to_owned(), source };
        let pages = Self { file: nameless_file(directory).map_err(wrong)?, len: Mutex::new(0) };
        // A file system that cannot map or allocate says so now, not in the middle of a block.
        pages.mapped(PROBE_WORDS).map_err(wrong)?;
        Ok(pages)
    }

    fn mapped(&self, words: usize) -> io::Result<mapping::Mapping> {
        let mut len = self.len.lock().unwrap_or_else(PoisonError::into_inner);
        // Allocated, not just made long: a full disk is an error here and a signal at the first write otherwise.
        fallocate(&self.file, FallocateFlags::empty(), *len, (words * 8) as u64)?;
        let mapping = mapping::of_file(&self.file, *len, words)?;
        *len += ((words * 8) as u64).next_multiple_of(SYSTEM_PAGE_BYTES);
        Ok(mapping)
    }
}

fn nameless_file(directory: &Path) -> io::Result<File> {
    loop {
        let path = directory.join(format!("trie-{}-{}.pages", process::id(), FILES.fetch_add(1, Relaxed)));
        match OpenOptions::new().read(true).write(true).create_new(true).open(&path) {
            Ok(file) => match fs::remove_file(&path) {
                // Whoever cleans the directory was faster.
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => return Ok(file),
            },
            // Another container's process with the same number is at this line, or was killed at it.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}

static FILES: AtomicU64 = AtomicU64::new(0);

/// Mappings begin at multiples of this; the largest page size of the systems we run on.
const SYSTEM_PAGE_BYTES: u64 = 64 << 10;
const PROBE_WORDS: usize = 512;

impl PageMemory for FilePages {
    fn segment(&self, words: usize) -> Result<Box<dyn Words>, MemoryError> {
        match self.mapped(words) {
            Ok(mapping) => Ok(Box::new(mapping)),
            Err(error) => Err(MemoryError { words, source: error.into() }),
        }
    }
}
