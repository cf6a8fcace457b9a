//! Which files a chain is read from.

use super::InputError;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The chain files behind the arguments of a command: a file is itself, a directory its `.rlp`
/// and `.rlp.gz` files by name.
pub(crate) fn chain_files(arguments: &[PathBuf]) -> Result<Vec<PathBuf>, InputError> {
    let mut files = Vec::new();
    for argument in arguments {
        if argument.is_dir() {
            files.extend(directory(argument)?);
        } else {
            files.push(argument.clone());
        }
    }
    Ok(files)
}

fn directory(path: &Path) -> Result<Vec<PathBuf>, InputError> {
    let entries = fs::read_dir(path)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>())
        .map_err(|error| InputError::Io { path: path.to_owned(), what: "list", error })?;
    let mut files: Vec<PathBuf> = entries.into_iter().filter(|path| is_chain(path)).collect();
    files.sort();
    if files.is_empty() {
        return Err(InputError::NoFiles { path: path.to_owned() });
    }
    Ok(files)
}

fn is_chain(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    name.ends_with(b".rlp") || name.ends_with(b".rlp.gz")
}
