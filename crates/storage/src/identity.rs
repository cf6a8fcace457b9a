//! The file `IDENTITY`: whose database a directory is, readable before any engine touches it.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

use alloy_primitives::B256;

use crate::{OpenError, schema::FORMAT};

pub(crate) const FILE: &str = "IDENTITY";
const FIRST_LINE: &str = "balsa database";
/// Longer files are not ours; bounds what is read of a stranger's file.
const BYTES_MAX: u64 = 256;

/// What a database belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Number of the format in FORMAT.md.
    pub format: u32,
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// Hash of block 0.
    pub genesis_hash: B256,
}

impl Identity {
    /// The identity of a database that this program writes.
    pub fn new(chain_id: u64, genesis_hash: B256) -> Self {
        Self { format: FORMAT, chain_id, genesis_hash }
    }

    /// Reads the file in `dir`; `None` if `dir` is missing or empty.
    ///
    /// # Errors
    /// [`OpenError::NotADatabase`], [`OpenError::MalformedIdentity`] or [`OpenError::Io`].
    pub fn read(dir: &Path) -> Result<Option<Self>, OpenError> {
        let path = dir.join(FILE);
        let text = match read_bounded(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return absent(dir),
            Err(error) => return Err(OpenError::io(&path, "read", error)),
        };
        match std::str::from_utf8(&text).ok().and_then(Self::parse) {
            Some(identity) => Ok(Some(identity)),
            None => Err(OpenError::MalformedIdentity { path }),
        }
    }

    /// Whether `found` is this identity.
    ///
    /// # Errors
    /// The first difference, with both values: format, then chain, then genesis.
    pub(crate) fn expect(&self, found: &Self, dir: &Path) -> Result<(), OpenError> {
        let dir = dir.to_path_buf();
        if found.format != self.format {
            return Err(OpenError::OtherFormat { dir, found: found.format, expected: self.format });
        }
        if found.chain_id != self.chain_id {
            return Err(OpenError::OtherChain { dir, found: found.chain_id, expected: self.chain_id });
        }
        if found.genesis_hash != self.genesis_hash {
            return Err(OpenError::OtherGenesis { dir, found: found.genesis_hash, expected: self.genesis_hash });
        }
        Ok(())
    }

    /// Writes the file into `dir` such that it is there whole or not at all, whatever happens meanwhile.
    pub(crate) fn write(&self, dir: &Path) -> Result<(), OpenError> {
        let (temporary, path) = (dir.join("IDENTITY.new"), dir.join(FILE));
        let written = File::create(&temporary)
            .and_then(|mut file| {
                file.write_all(self.text().as_bytes())?;
                file.sync_all()
            })
            .and_then(|()| fs::rename(&temporary, &path))
            .and_then(|()| sync_directory(dir));
        written.map_err(|error| OpenError::io(&path, "write", error))
    }

    fn text(&self) -> String {
        format!("{FIRST_LINE}\nformat {}\nchain {}\ngenesis {}\n", self.format, self.chain_id, self.genesis_hash)
    }

    /// Another format's identity must still be read to be named, so what follows the third line is that format's business.
    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        if lines.next()? != FIRST_LINE {
            return None;
        }
        let format = lines.next()?.strip_prefix("format ")?.parse().ok()?;
        if format != FORMAT {
            return Some(Self { format, chain_id: 0, genesis_hash: B256::ZERO });
        }
        let chain_id = lines.next()?.strip_prefix("chain ")?.parse().ok()?;
        let genesis_hash = lines.next()?.strip_prefix("genesis ")?.parse().ok()?;
        let identity = Self { format, chain_id, genesis_hash };
        (identity.text() == text).then_some(identity)
    }
}

/// Makes renames in `dir` durable.
pub(crate) fn sync_directory(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    use io::Read;
    let mut text = Vec::new();
    File::open(path)?.take(BYTES_MAX).read_to_end(&mut text)?;
    Ok(text)
}

/// What may lie in a directory before a database is made there: what an interrupted creation left, and what a node keeps
/// beside its database and leaves when that is removed.
const BESIDE: [&str; 5] = ["IDENTITY.new", "jwt.hex", "nodekey", "transactions.journal", "balsa.ipc"];

/// There is no `IDENTITY`: a new database if there is nothing else, somebody else's directory otherwise.
fn absent(dir: &Path) -> Result<Option<Identity>, OpenError> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(OpenError::io(dir, "list", error)),
    };
    for entry in entries {
        let entry = entry.map_err(|error| OpenError::io(dir, "list", error))?;
        if !BESIDE.iter().any(|name| entry.file_name() == *name) {
            let found = entry.file_name().to_string_lossy().into_owned();
            return Err(OpenError::NotADatabase { dir: dir.to_path_buf(), found });
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_reads_back_and_nothing_else_does() {
        let identity = Identity::new(1337, B256::repeat_byte(0xab));
        let text = identity.text();
        assert_eq!(Identity::parse(&text), Some(identity));
        for length in 0..text.len() {
            assert_eq!(Identity::parse(&text[..length]), None, "{:?}", &text[..length]);
        }
        assert_eq!(Identity::parse(&text.replace("chain 1337", "chain +1337")), None);
        assert_eq!(Identity::parse(&(text + "\n")), None);
    }

    #[test]
    fn another_format_is_still_named() {
        let found = Identity::parse("balsa database\nformat 2\nanything\n").unwrap();
        assert_eq!(found.format, 2);
    }
}
