//! Whose directory it is. FORMAT.md, "Directory".

use std::{
    fs::{self, File, TryLockError},
    io,
    path::Path,
};

use alloy_primitives::{B256, hex};

use crate::{
    IndexError,
    codec::{FORMAT, replace_file},
};

const FILE: &str = "IDENTITY";
const TITLE: &str = "balsa transaction index";

/// What a directory was created as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) genesis: B256,
    /// Position among the directories of the index.
    pub(crate) index: usize,
    pub(crate) count: usize,
    pub(crate) seed: u64,
}

impl Identity {
    /// Reads and locks the identity of `dir`, written as `expected` if the directory is missing or empty. The seed found
    /// counts, whatever `expected` says.
    pub(crate) fn open(dir: &Path, expected: Self) -> Result<(Self, File), IndexError> {
        fs::create_dir_all(dir).map_err(IndexError::io(dir, "create"))?;
        let path = dir.join(FILE);
        if !path.exists() {
            refuse_strangers(dir)?;
            replace_file(dir, FILE, expected.text().as_bytes())?;
        }
        let file = File::open(&path).map_err(IndexError::io(&path, "open"))?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => return Err(IndexError::Locked { dir: dir.into() }),
            Err(TryLockError::Error(error)) => return Err(IndexError::io(&path, "lock")(error)),
            Ok(()) => {}
        }
        let text = fs::read_to_string(&path).map_err(IndexError::io(&path, "read"))?;
        let found = parse(&text, &path)?;
        found.check(&expected, dir)?;
        Ok((found, file))
    }

    fn check(&self, expected: &Self, dir: &Path) -> Result<(), IndexError> {
        if self.genesis != expected.genesis {
            let (found, expected) = (self.genesis, expected.genesis);
            return Err(IndexError::OtherGenesis { dir: dir.into(), found, expected });
        }
        if (self.index, self.count) != (expected.index, expected.count) {
            return Err(IndexError::OtherPlace {
                dir: dir.into(),
                found_index: self.index,
                found_count: self.count,
                expected_index: expected.index,
                expected_count: expected.count,
            });
        }
        Ok(())
    }

    fn text(&self) -> String {
        let Self { genesis, index, count, seed } = self;
        format!("{TITLE}\nformat {FORMAT}\ngenesis {genesis}\ndirectory {index} of {count}\nseed {seed:016x}\n")
    }
}

fn refuse_strangers(dir: &Path) -> Result<(), IndexError> {
    let entries = fs::read_dir(dir).and_then(|entries| entries.collect::<io::Result<Vec<_>>>());
    for entry in entries.map_err(IndexError::io(dir, "read"))? {
        let found = entry.file_name().to_string_lossy().into_owned();
        // What a creation that was cut short left.
        if found != "IDENTITY.new" {
            return Err(IndexError::NotAnIndex { dir: dir.into(), found });
        }
    }
    Ok(())
}

fn parse(text: &str, path: &Path) -> Result<Identity, IndexError> {
    let damaged = || IndexError::Damaged { path: path.into(), offset: 0 };
    let mut lines = text.lines();
    let mut line = |name: &str| {
        let line = if name.is_empty() { lines.next() } else { lines.next().and_then(|line| line.strip_prefix(name)) };
        line.ok_or_else(damaged)
    };
    if line("")? != TITLE {
        return Err(damaged());
    }
    let found: u32 = line("format ")?.parse().map_err(|_| damaged())?;
    if found != FORMAT {
        return Err(IndexError::OtherFormat { path: path.into(), found, expected: FORMAT });
    }
    let genesis = hex::decode_to_array::<_, 32>(line("genesis ")?).map_err(|_| damaged())?.into();
    let (index, count) = line("directory ")?.split_once(" of ").ok_or_else(damaged)?;
    let (index, count) = (index.parse().map_err(|_| damaged())?, count.parse().map_err(|_| damaged())?);
    let seed = u64::from_str_radix(line("seed ")?, 16).map_err(|_| damaged())?;
    Ok(Identity { genesis, index, count, seed })
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: Identity = Identity { genesis: B256::ZERO, index: 0, count: 2, seed: 0xabc };

    #[test]
    fn only_our_own_directory_opens() {
        let dir = tempfile::tempdir().unwrap();
        let (created, lock) = Identity::open(dir.path(), OURS).unwrap();
        assert_eq!(created, OURS);
        assert!(matches!(Identity::open(dir.path(), OURS), Err(IndexError::Locked { .. })));
        drop(lock);
        let found = Identity::open(dir.path(), Identity { seed: 1, ..OURS }).unwrap().0;
        assert_eq!(found, OURS, "the seed on disk counts");
        let other = Identity { genesis: B256::repeat_byte(1), ..OURS };
        assert!(matches!(Identity::open(dir.path(), other), Err(IndexError::OtherGenesis { .. })));
        for other in [Identity { index: 1, ..OURS }, Identity { count: 1, ..OURS }] {
            assert!(matches!(Identity::open(dir.path(), other), Err(IndexError::OtherPlace { .. })));
        }
        fs::write(dir.path().join(FILE), OURS.text().replace("format 1", "format 2")).unwrap();
        assert!(matches!(Identity::open(dir.path(), OURS), Err(IndexError::OtherFormat { found: 2, .. })));
    }

    #[test]
    fn a_directory_of_something_else_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("precious"), "").unwrap();
        assert!(matches!(Identity::open(dir.path(), OURS), Err(IndexError::NotAnIndex { .. })));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
