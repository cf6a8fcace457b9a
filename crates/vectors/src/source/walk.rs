//! Walks files, folders and archives in a fixed order.

use super::archive;
use super::{Document, SourceError};
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// The largest file that is taken in, in bytes: five times the largest that any release holds.
pub(super) const DOCUMENT_BYTES_MAX: u64 = 1 << 30;

/// Reads every file of `paths` in order (folders sorted by name, archives in their own order) and hands each
/// one, or what kept it from being read, to `sink`. Stops early when the sink says so.
pub fn read(paths: &[PathBuf], mut sink: impl FnMut(Result<Document, SourceError>) -> ControlFlow<()>) {
    let mut index = 0;
    for path in paths {
        let first = index;
        let mut failed = false;
        let flow = read_source(path, &mut |read| {
            failed |= read.is_err();
            let read = read.map(|(path, bytes)| {
                index += 1;
                Document { index: index - 1, path, bytes }
            });
            sink(read)
        });
        if flow.is_break() {
            return;
        }
        let empty = index == first && !failed;
        if empty && sink(Err(SourceError::Empty { path: path.clone() })).is_break() {
            return;
        }
    }
}

/// What a source hands over: path and bytes of a file.
pub(super) type Sink<'a> = &'a mut dyn FnMut(Result<(String, Vec<u8>), SourceError>) -> ControlFlow<()>;

fn read_source(path: &Path, sink: Sink<'_>) -> ControlFlow<()> {
    let name = path.to_string_lossy();
    if path.is_dir() {
        read_folder(path, sink)
    } else if name.ends_with(".tar.zst") || name.ends_with(".tar") {
        archive::read(path, sink)
    } else {
        sink(read_file(path))
    }
}

fn read_folder(path: &Path, sink: Sink<'_>) -> ControlFlow<()> {
    let unreadable = |error| SourceError::Unreadable { path: path.to_owned(), error };
    let entries =
        fs::read_dir(path).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, _>>());
    match entries {
        Ok(mut entries) => {
            entries.sort_unstable();
            entries.iter().try_for_each(|entry| read_source(entry, sink))
        }
        Err(error) => sink(Err(unreadable(error))),
    }
}

fn read_file(path: &Path) -> Result<(String, Vec<u8>), SourceError> {
    let unreadable = |error| SourceError::Unreadable { path: path.to_owned(), error };
    let name = path.to_string_lossy().into_owned();
    let bytes = fs::metadata(path).map_err(unreadable)?.len();
    if bytes > DOCUMENT_BYTES_MAX {
        let (path, limit) = (path.to_owned(), DOCUMENT_BYTES_MAX);
        return Err(SourceError::TooLarge { path, name, bytes, limit });
    }
    Ok((name, fs::read(path).map_err(unreadable)?))
}
