//! Directories that are not ours, not whole or not writable: an error that says so, and nothing changed.

mod fake_chain;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use alloy_primitives::B256;
use balsa_state::FlatStore;
use balsa_storage::{OpenError, Store, StoreStats, fork_directory, remove_directory};
use balsa_trie::NodeSource;
use fake_chain::{CHAIN_ID, FakeBlock, Model, Numbers, SEED, batch, open, settings};

/// Every file below a directory with its content.
fn content(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(content(&path));
        } else {
            files.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    files
}

/// A database of the first `blocks` blocks.
fn database(dir: &Path, blocks: u64) {
    let store = open(dir, settings()).unwrap();
    for first in (0..blocks).step_by(50) {
        let blocks: Vec<_> = (first..blocks.min(first + 50)).map(|number| FakeBlock::new(SEED, number)).collect();
        store.flush(&batch(&blocks)).unwrap();
    }
}

/// Opening is refused with this text, and the directory stays as it is.
fn refused(dir: &Path, genesis: B256, chain_id: u64, text: &str) {
    let before = content(dir);
    let error = Store::open(dir, genesis, chain_id, settings()).err().expect("a refusal").to_string();
    assert_eq!(error, format!("{}{text}", dir.display()));
    assert!(content(dir) == before, "the directory was changed: {error}");
}

#[test]
fn databases_of_others_are_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    database(dir, 2);
    let genesis = FakeBlock::new(SEED, 0).record.hash;

    let other = B256::repeat_byte(9);
    refused(dir, other, CHAIN_ID, &format!(": database of genesis {genesis}, not of genesis {other}"));
    refused(dir, genesis, 1, ": database of chain 1337, not of chain 1");

    let identity = fs::read_to_string(dir.join("IDENTITY")).unwrap();
    fs::write(dir.join("IDENTITY"), identity.replace("format 1", "format 2")).unwrap();
    refused(dir, genesis, CHAIN_ID, ": database format 2, this program reads and writes format 1");
    fs::write(dir.join("IDENTITY"), &identity[..20]).unwrap();
    refused(dir, genesis, CHAIN_ID, "/IDENTITY: malformed IDENTITY file");
    fs::remove_file(dir.join("IDENTITY")).unwrap();
    refused(dir, genesis, CHAIN_ID, ": not a balsa database (no IDENTITY file, but an entry \"engine\")");

    fs::write(dir.join("IDENTITY"), identity).unwrap();
    Model::at(1).check(&open(dir, settings()).unwrap().snapshot().unwrap());
}

#[test]
fn an_engine_under_another_name_tag_is_refused() {
    let (ours, theirs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    database(ours.path(), 1);
    let other = B256::repeat_byte(9);
    drop(Store::open(theirs.path(), other, CHAIN_ID, settings()).unwrap());
    fs::copy(theirs.path().join("IDENTITY"), ours.path().join("IDENTITY")).unwrap();
    let error = Store::open(ours.path(), other, CHAIN_ID, settings()).err().unwrap();
    assert!(matches!(&error, OpenError::Inconsistent { .. }), "{error}");
    assert!(error.to_string().contains("genesis hash in IDENTITY and in the engine"), "{error}");
}

#[test]
fn places_that_cannot_be_written_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let locked = dir.path().join("read-only");
    database(&locked, 1);

    for place in [file.as_path(), &file.join("below"), Path::new("/proc/balsa-test")] {
        let error = open(place, settings()).err().expect("a refusal");
        assert!(matches!(error, OpenError::Io { .. }), "{error}");
    }

    // Root writes wherever permission bits say no, so a database that cannot be locked stands for all of them: its
    // lock is a directory.
    fs::remove_file(locked.join("engine/lock")).unwrap();
    fs::create_dir(locked.join("engine/lock")).unwrap();
    let error = open(&locked, settings()).err().expect("a refusal");
    assert!(matches!(error, OpenError::Io { .. }), "{error}");
}

#[test]
fn a_database_in_use_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), settings()).unwrap();
    assert!(matches!(open(dir.path(), settings()), Err(OpenError::Locked { .. })));
    assert!(remove_directory(dir.path()).is_err());
    assert!(fork_directory(dir.path(), &dir.path().join("fork")).is_err());
    drop(store);
    open(dir.path(), settings()).unwrap();
}

/// Opens and reads everything that can be named. Any error will do; a panic or an endless loop will not.
fn read_everything(dir: &Path, blocks: &[FakeBlock]) -> Result<(), String> {
    fn text(error: impl std::fmt::Display) -> String {
        error.to_string()
    }
    let snapshot = open(dir, settings()).map_err(text)?.snapshot().map_err(text)?;
    snapshot.accounts_under(&balsa_trie::Path::ROOT, usize::MAX).map_err(text)?;
    for block in blocks {
        let pointer = block.canonical.block;
        snapshot.canonical_hash(pointer.number).map_err(text)?;
        snapshot.header(&pointer).map_err(text)?;
        snapshot.body(&pointer).map_err(text)?;
        snapshot.receipts(&pointer).map_err(text)?;
        snapshot.list(&pointer).map_err(text)?;
        for (hash, code) in &block.change.layer.diff().codes {
            // A value that comes back is a value that was written.
            let found = snapshot.code(hash).map_err(text)?;
            assert!(found.is_none_or(|found| found == *code));
        }
    }
    Ok(())
}

#[test]
fn damage_in_any_file_is_an_error_and_never_a_panic() {
    let dir = tempfile::tempdir().unwrap();
    let whole = dir.path().join("whole");
    database(&whole, 1500);
    let blocks: Vec<_> = (0..1500).step_by(5).map(|number| FakeBlock::new(SEED, number)).collect();
    cut_journals(&whole);
    let files: Vec<PathBuf> = content(&whole).into_keys().collect();
    assert!(files.iter().any(|file| file.parent().unwrap().ends_with("tables")), "no table was written out");
    assert!(files.iter().any(|file| file.parent().unwrap().ends_with("blobs")), "no large value was written out");

    let mut numbers = Numbers(11);
    let (mut errors, mut runs) = (0, 0);
    for file in &files {
        let intact = fs::read(file).unwrap();
        let half = intact[..intact.len() / 2].to_vec();
        let mut flipped = intact.clone();
        for _ in 0..1 + intact.len() / 2000 {
            if let Some(byte) = flipped.get_mut(numbers.below(intact.len().max(1) as u64) as usize) {
                *byte ^= 1 << numbers.below(8);
            }
        }
        let noise = (0..intact.len().min(100_000)).map(|_| numbers.next() as u8).collect();
        for damaged in [Vec::new(), half, flipped, noise] {
            let copy = dir.path().join("copy");
            copy_tree(&whole, &copy);
            fs::write(copy.join(file.strip_prefix(&whole).unwrap()), damaged).unwrap();
            errors += u32::from(read_everything(&copy, &blocks).is_err());
            runs += 1;
            fs::remove_dir_all(&copy).unwrap();
        }
    }
    assert!(errors > runs / 3, "only {errors} of {runs} damaged databases were noticed");
    read_everything(&whole, &blocks).unwrap();
}

/// Takes the room for later flushes off the journals, for the sake of the copies.
fn cut_journals(dir: &Path) {
    for (file, content) in content(&dir.join("engine")).into_iter().filter(|(file, _)| file.ends_with("0.jnl")) {
        let zeros = content.iter().rev().take_while(|byte| **byte == 0).count();
        fs::write(file, &content[..content.len() - zeros]).unwrap();
    }
}

fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.path().is_dir() {
            copy_tree(&entry.path(), &to.join(entry.file_name()));
        } else {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

#[test]
fn a_settled_database_is_all_in_its_tables() {
    let dir = tempfile::tempdir().unwrap();
    database(dir.path(), 100);
    let store = open(dir.path(), settings()).unwrap();
    let before = store.stats().unwrap();
    store.settle().unwrap();
    let after = store.stats().unwrap();
    let bytes = |stats: &StoreStats| stats.tables.iter().map(|table| table.bytes).sum::<u64>();
    assert!(
        bytes(&after) > bytes(&before) && after.write_buffer_bytes < before.write_buffer_bytes,
        "{before:?} {after:?}"
    );
    drop(store);
    // Nothing of it is in the journals any more.
    for file in
        content(&dir.path().join("engine")).into_keys().filter(|file| file.extension().is_some_and(|e| e == "jnl"))
    {
        fs::write(file, []).unwrap();
    }
    Model::at(99).check(&open(dir.path(), settings()).unwrap().snapshot().unwrap());
}

#[test]
fn a_fork_is_a_database_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let (base, fork) = (dir.path().join("base"), dir.path().join("fork"));
    assert!(fork_directory(&base, &fork).is_err());
    database(&base, 600);
    let before = content(&base);
    fork_directory(&base, &fork).unwrap();
    assert!(fork_directory(&base, &fork).is_err(), "a place that is taken");

    let store = open(&fork, settings()).unwrap();
    store.flush(&batch(&(600..1200).map(|number| FakeBlock::new(SEED, number)).collect::<Vec<_>>())).unwrap();
    Model::at(1199).check(&store.snapshot().unwrap());
    drop(store);
    assert!(content(&base) == before, "the base was changed through its fork");
    Model::at(599).check(&open(&base, settings()).unwrap().snapshot().unwrap());

    remove_directory(&fork).unwrap();
    assert!(!fork.exists());
    remove_directory(&fork).unwrap();
    assert!(remove_directory(dir.path()).is_err(), "not a database");
    Model::at(599).check(&open(&base, settings()).unwrap().snapshot().unwrap());
}

/// The engine would make room for as many entries as a damaged manifest asks for.
#[test]
fn a_manifest_with_a_flipped_bit_is_refused_before_the_engine_reads_it() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path(), settings()).unwrap());
    let files: Vec<PathBuf> = content(dir.path()).into_keys().collect();
    let current = files.iter().find(|file| file.ends_with("current")).expect("a tree names its manifest");
    let number: [u8; 8] = fs::read(current).unwrap()[..8].try_into().unwrap();
    let manifest = current.with_file_name(format!("v{}", u64::from_le_bytes(number)));
    let mut bytes = fs::read(&manifest).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(manifest, bytes).unwrap();
    let error = open(dir.path(), settings()).err().expect("a refusal");
    assert!(matches!(&error, OpenError::EngineStopped { message, .. } if message.contains("checksum")), "{error}");
}
