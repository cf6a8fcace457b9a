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

/// Memory in a file of a directory. The file is deleted when this is dropped; what was handed out stays mapped for as
/// long as it is used, and its room on the disk goes with the last of it.
#[derive(Debug)]
pub struct FilePages {
    path: PathBuf,
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

static FILES: AtomicU64 = AtomicU64::new(0);

impl FilePages {
    /// Makes a file for pages in `directory`, which must exist. Those that a process left there when it was killed are removed.
    ///
    /// # Errors
    /// If the directory is missing, is no directory, or does not take a file that can be written and mapped.
    pub fn in_directory(directory: &Path) -> Result<Self, FilePagesError> {
        let name = format!("trie-{}-{}.pages", process::id(), FILES.fetch_add(1, Relaxed));
        let path = directory.join(name);
        let open = OpenOptions::new().read(true).write(true).create_new(true).open(&path);
        let wrong = |source| FilePagesError { directory: directory.to_owned(), source };
        let pages = Self { file: open.map_err(wrong)?, path, len: Mutex::new(0) };
        // Where locks are not to be had, nobody takes the file for one that was left behind.
        let _ = pages.file.try_lock();
        remove_left_behind(directory);
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

/// Removes the files of processes that are gone, as far as that can be done: whoever lives holds a lock on each of its own.
fn remove_left_behind(directory: &Path) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    let files = entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()));
    for path in files.map(|entry| entry.path()).filter(|path| is_of_pages(path)) {
        let is_left = File::open(&path).is_ok_and(|file| file.try_lock().is_ok());
        // One that is made at this moment may not be locked yet; without its name it serves its maker as well.
        if is_left {
            let _ = fs::remove_file(&path);
        }
    }
}

/// Whether a file has a name that [`FilePages`] gives: `trie-PID-NUMBER.pages`.
fn is_of_pages(path: &Path) -> bool {
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let numbers = name.strip_prefix("trie-").and_then(|rest| rest.strip_suffix(".pages")?.split_once('-'));
    numbers.is_some_and(|(pid, count)| number(pid) && number(count))
}

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

impl Drop for FilePages {
    fn drop(&mut self) {
        // Nobody is left who could act on a failure, and the next start uses another name.
        let _ = fs::remove_file(&self.path);
    }
}
