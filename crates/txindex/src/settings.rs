//! What the owner of an index chooses.

use std::path::PathBuf;

use thiserror::Error;

use crate::key::PARTITIONS;

/// The most directories of one index: one partition each.
pub const DIRECTORIES_MAX: usize = PARTITIONS;

/// Where an index lies and how much of it waits in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// One writer thread each; ideally one device each.
    pub directories: Vec<PathBuf>,
    /// Records of one directory that are kept in memory before they are spilled to runs. Twice as many at most wait:
    /// beyond that, whoever adds records waits for the writer.
    pub recent_records_max: usize,
}

/// A list of directories that makes no index.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SettingsError {
    /// An empty name between two bars.
    #[error("empty directory name at position {0}")]
    EmptyName(usize),
    /// One directory named twice.
    #[error("directory {} is named twice", .0.display())]
    Twice(PathBuf),
    /// More directories than partitions.
    #[error("{count} directories, at most {max}")]
    TooMany {
        /// Directories named.
        count: usize,
        /// [`DIRECTORIES_MAX`].
        max: usize,
    },
}

impl Settings {
    /// Reads `A|B`, the form of `--txindex.dirs`.
    pub fn parse(directories: &str) -> Result<Self, SettingsError> {
        let directories: Vec<PathBuf> = directories.split('|').map(PathBuf::from).collect();
        for (position, directory) in directories.iter().enumerate() {
            if directory.as_os_str().is_empty() {
                return Err(SettingsError::EmptyName(position));
            }
            if directories[..position].contains(directory) {
                return Err(SettingsError::Twice(directory.clone()));
            }
        }
        if directories.len() > DIRECTORIES_MAX {
            return Err(SettingsError::TooMany { count: directories.len(), max: DIRECTORIES_MAX });
        }
        Ok(Self { directories, recent_records_max: 1 << 18 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_are_separated_by_bars() {
        assert_eq!(Settings::parse("a|b/c").unwrap().directories, [PathBuf::from("a"), "b/c".into()]);
        assert_eq!(Settings::parse("a||b"), Err(SettingsError::EmptyName(1)));
        assert_eq!(Settings::parse(""), Err(SettingsError::EmptyName(0)));
        assert_eq!(Settings::parse("a|b|a"), Err(SettingsError::Twice("a".into())));
        let many: Vec<String> = (0..17).map(|i| i.to_string()).collect();
        assert_eq!(Settings::parse(&many.join("|")), Err(SettingsError::TooMany { count: 17, max: 16 }));
    }
}
