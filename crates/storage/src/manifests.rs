//! Whether the engine's manifests are whole, looked at before the engine reads them.
//!
//! Each tree of the engine has a folder with a file `current`, which names the manifest in force, `v` and a number, and
//! holds its checksum: the number (8 bytes), xxh3-128 of the manifest (16), the checksum's kind (1, zero), all little
//! endian. The engine reads counts out of the manifest and makes room for as many entries without looking at the
//! checksum; one flipped bit can ask for more memory than there is, and that cannot be caught. Anything else that is
//! wrong with these files is left to the engine, which says so.

use std::{fs, path::Path};

use xxhash_rust::xxh3::xxh3_128;

use crate::OpenError;

/// How deep below the engine's directory trees lie.
const DEPTH_MAX: usize = 3;

/// Looks at every manifest below `dir`.
///
/// # Errors
/// [`OpenError::EngineStopped`] names the first one that is not what its checksum says.
pub(crate) fn check(dir: &Path) -> Result<(), OpenError> {
    check_below(dir, DEPTH_MAX)
}

fn check_below(dir: &Path, depth: usize) -> Result<(), OpenError> {
    check_tree(dir)?;
    let Some(depth) = depth.checked_sub(1) else { return Ok(()) };
    let Ok(entries) = fs::read_dir(dir) else { return Ok(()) };
    for entry in entries.flatten().filter(|entry| entry.path().is_dir()) {
        check_below(&entry.path(), depth)?;
    }
    Ok(())
}

fn check_tree(dir: &Path) -> Result<(), OpenError> {
    let Ok(current) = fs::read(dir.join("current")) else { return Ok(()) };
    let Some((number, rest)) = current.split_first_chunk::<8>() else { return Ok(()) };
    let Some((checksum, _)) = rest.split_first_chunk::<16>() else { return Ok(()) };
    let manifest = dir.join(format!("v{}", u64::from_le_bytes(*number)));
    match fs::read(&manifest) {
        Ok(bytes) if xxh3_128(&bytes) != u128::from_le_bytes(*checksum) => {
            let message = format!("{} does not have the checksum that `current` holds", manifest.display());
            Err(OpenError::EngineStopped { dir: dir.to_path_buf(), message })
        }
        _ => Ok(()),
    }
}
