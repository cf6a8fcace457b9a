//! Whole databases as directories: taking one away, and standing a second one up beside it.

use std::{
    fs,
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use thiserror::Error;

use crate::{
    OpenError, engine,
    identity::{self, Identity, sync_directory},
    open::engine_place,
};

/// A directory could not be removed or forked.
#[derive(Debug, Error)]
pub enum DirectoryError {
    /// The directory is not a database, or cannot be read.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// There is no database to fork.
    #[error("{dir}: no database", dir = dir.display())]
    NoDatabase {
        /// The directory.
        dir: PathBuf,
    },
    /// The place for the fork is taken.
    #[error("{dir}: not empty", dir = dir.display())]
    NotEmpty {
        /// The directory.
        dir: PathBuf,
    },
}

/// Deletes the database in `dir`, and `dir` if nothing else is in it. Does nothing if there is none.
///
/// # Errors
/// If the directory is not a database of ours or in use; nothing is deleted then.
pub fn remove_directory(dir: &Path) -> Result<(), DirectoryError> {
    if Identity::read(dir)?.is_none() {
        return Ok(());
    }
    let _lock = exclusive(dir)?;
    // The name tag goes last: what an interrupted removal leaves is still ours to remove.
    for part in ["engine", "engine.new"] {
        ignore_missing(fs::remove_dir_all(dir.join(part))).map_err(|error| OpenError::io(dir, "remove", error))?;
    }
    for file in ["IDENTITY.new", identity::FILE] {
        ignore_missing(fs::remove_file(dir.join(file))).map_err(|error| OpenError::io(dir, "remove", error))?;
    }
    // Left alone if somebody put something else there.
    let _ = fs::remove_dir(dir);
    Ok(())
}

/// Makes `to` a database with the content of the closed database in `from`, and leaves `from` as it is.
///
/// Files that the engine never changes are linked, not copied: the cost is that of the journals, whatever the size of
/// the database. Both directories must lie on one file system.
///
/// # Errors
/// If `from` is no database or in use, or `to` exists and is not empty.
pub fn fork_directory(from: &Path, to: &Path) -> Result<(), DirectoryError> {
    let Some(identity) = Identity::read(from)? else {
        return Err(DirectoryError::NoDatabase { dir: from.to_path_buf() });
    };
    if Identity::read(to)?.is_some() {
        return Err(DirectoryError::NotEmpty { dir: to.to_path_buf() });
    }
    let _lock = exclusive(from)?;
    fs::create_dir_all(to).map_err(|error| OpenError::io(to, "create", error))?;
    identity.write(to)?;
    // The same steps as a creation, so that an interrupted fork opens as a new database.
    let (temporary, place) = (to.join("engine.new"), engine_place(to));
    link_tree(&engine_place(from), &temporary)
        .and_then(|()| fs::rename(&temporary, &place))
        .and_then(|()| sync_directory(to))
        .map_err(|error| OpenError::io(&place, "fork into", error))?;
    Ok(())
}

fn link_tree(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            link_tree(&source, &target)?;
        } else if engine::never_changes(&source) {
            fs::hard_link(&source, &target)?;
        } else {
            copy_sparse(&source, &target)?;
        }
    }
    sync_directory(to)
}

/// Copies a file and leaves holes where it is zero: the engine's journals are made long before they are full.
fn copy_sparse(from: &Path, to: &Path) -> io::Result<()> {
    let (mut source, mut target) = (fs::File::open(from)?, fs::File::create_new(to)?);
    let mut chunk = vec![0; 1 << 20];
    let mut length = 0;
    loop {
        let read = source.read(&mut chunk)?;
        if read == 0 {
            break;
        }
        length += read as u64;
        if chunk[..read].iter().any(|byte| *byte != 0) {
            target.write_all(&chunk[..read])?;
        } else {
            target.seek(SeekFrom::Start(length))?;
        }
    }
    target.set_len(length)?;
    target.sync_all()
}

/// The engine's lock on a database that is not open; `None` if the engine was never made.
fn exclusive(dir: &Path) -> Result<Option<fs::File>, OpenError> {
    let path = engine::lock_file(&engine_place(dir));
    let file = match fs::File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(OpenError::io(&path, "open", error)),
    };
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(fs::TryLockError::WouldBlock) => Err(OpenError::Locked { dir: dir.to_path_buf() }),
        Err(fs::TryLockError::Error(error)) => Err(OpenError::io(&path, "lock", error)),
    }
}

fn ignore_missing(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
