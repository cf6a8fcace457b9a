//! The pool across restarts: encodings of transactions, appended as they come.
//!
//! # Format
//! `"balsatxj" ++ format, 4 bytes` (1), then entries: `length, 4 bytes ++ the first 8 bytes of keccak256 of the encoding ++
//! the encoding`, integers little-endian. An entry that is cut short or whose hash is wrong ends the file: what an
//! interrupted append left. Entries of transactions that left the pool stay until the file is full; then those of the pool
//! are written anew, to at most half of the limit, and put in place by rename. Appends are not synced: a journal survives
//! the process, and most of it the machine.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use balsa_keccak::keccak256;

use crate::JournalError;

const HEADER: &[u8; 12] = b"balsatxj\x01\0\0\0";
const ENTRY_HEADER_BYTES: usize = 12;

/// An open journal.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    file: File,
    bytes: u64,
    bytes_max: u64,
}

impl Journal {
    /// What a journal holds, oldest first; nothing if there is none, or if it is another format's.
    pub(crate) fn read(path: &Path, bytes_max: u64) -> Result<Vec<Vec<u8>>, JournalError> {
        let content = match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            // Not ours: we never let it grow so far. It is written anew.
            Ok(metadata) if metadata.len() > bytes_max => return Ok(Vec::new()),
            _ => fs::read(path).map_err(JournalError::new(path, "read"))?,
        };
        let mut rest = content.strip_prefix(&HEADER[..]).unwrap_or_default();
        let mut entries = Vec::new();
        while let Some(entry) = take_entry(&mut rest) {
            entries.push(entry.to_vec());
        }
        Ok(entries)
    }

    /// Replaces whatever is at `path` by a journal of these encodings.
    pub(crate) fn create(
        path: &Path,
        bytes_max: u64,
        encodings: impl Iterator<Item = Vec<u8>>,
    ) -> Result<Self, JournalError> {
        let (file, bytes) = write_anew(path, bytes_max / 2, encodings).map_err(JournalError::new(path, "write"))?;
        Ok(Self { path: path.into(), file, bytes, bytes_max })
    }

    /// Appends an encoding, unless it would make the file too long: then returns `true`, and the file is to be written
    /// anew.
    pub(crate) fn append(&mut self, encoding: &[u8]) -> Result<bool, JournalError> {
        let entry = entry(encoding);
        if self.bytes + entry.len() as u64 > self.bytes_max {
            return Ok(true);
        }
        self.file.write_all(&entry).map_err(JournalError::new(&self.path, "append to"))?;
        self.bytes += entry.len() as u64;
        Ok(false)
    }

    /// Writes the file anew, with these encodings as far as half of the limit goes.
    pub(crate) fn rewrite(&mut self, encodings: impl Iterator<Item = Vec<u8>>) -> Result<(), JournalError> {
        *self = Self::create(&self.path, self.bytes_max, encodings)?;
        Ok(())
    }
}

fn entry(encoding: &[u8]) -> Vec<u8> {
    let length = (encoding.len() as u32).to_le_bytes();
    [&length[..], &keccak256(encoding)[..8], encoding].concat()
}

fn take_entry<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (header, after) = rest.split_first_chunk::<ENTRY_HEADER_BYTES>()?;
    let (length, hash) = header.split_first_chunk()?;
    let encoding = after.get(..u32::from_le_bytes(*length) as usize)?;
    if keccak256(encoding)[..8] != *hash {
        return None;
    }
    *rest = &after[encoding.len()..];
    Some(encoding)
}

fn write_anew(path: &Path, bytes_max: u64, encodings: impl Iterator<Item = Vec<u8>>) -> io::Result<(File, u64)> {
    let temporary = path.with_extension("new");
    let mut file = BufWriter::new(File::create(&temporary)?);
    file.write_all(HEADER)?;
    let mut bytes = HEADER.len() as u64;
    for entry in encodings.map(|encoding| entry(&encoding)) {
        if bytes + entry.len() as u64 <= bytes_max {
            file.write_all(&entry)?;
            bytes += entry.len() as u64;
        }
    }
    file.into_inner()?.sync_all()?;
    fs::rename(&temporary, path)?;
    Ok((OpenOptions::new().append(true).open(path)?, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encodings(count: u8) -> impl Iterator<Item = Vec<u8>> {
        (0..count).map(|i| vec![i; 100])
    }

    #[test]
    fn a_journal_cut_anywhere_keeps_its_whole_entries() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("transactions");
        let mut journal = Journal::create(&path, 1 << 20, encodings(2)).unwrap();
        assert!(!journal.append(&[7; 100]).unwrap());
        let whole = fs::read(&path).unwrap();
        for cut in 0..=whole.len() {
            fs::write(&path, &whole[..cut]).unwrap();
            let expected = cut.saturating_sub(HEADER.len()) / 112;
            assert_eq!(Journal::read(&path, 1 << 20).unwrap().len(), expected, "cut at {cut}");
        }
        let mut flipped = whole.clone();
        flipped[HEADER.len() + 112 + 50] ^= 1;
        fs::write(&path, flipped).unwrap();
        assert_eq!(Journal::read(&path, 1 << 20).unwrap(), [vec![0; 100]]);
    }

    #[test]
    fn a_journal_stays_within_its_limit() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("transactions");
        let mut journal = Journal::create(&path, 2000, encodings(200)).unwrap();
        assert!(fs::metadata(&path).unwrap().len() <= 1000);
        let mut rewritten = 0;
        for i in 0..100 {
            if journal.append(&[i; 100]).unwrap() {
                journal.rewrite(encodings(3)).unwrap();
                rewritten += 1;
            }
            assert!(fs::metadata(&path).unwrap().len() <= 2000);
        }
        assert!(rewritten > 0);
    }
}
