//! A trie gives the same roots in every kind of memory, and what a file cannot hold is an error.

use alloy_primitives::{U256, keccak256};
use balsa_pages::{FilePages, HugePages};
use balsa_trie::{AccountUpdate, HeapMemory, NoNodes, PageMemory, StateTrie, TrieError, Updates, root_after};
use std::{
    env, fs, io,
    path::Path,
    process::{self, Command},
    ptr,
    sync::Arc,
};

fn block(seed: u64) -> Updates {
    let update = |i: u64| AccountUpdate {
        address_hash: keccak256((i * 7 + seed).to_be_bytes()),
        nonce: Some(seed % 3),
        slots: i.is_multiple_of(5).then(|| (keccak256([seed as u8]), U256::from(seed))).into_iter().collect(),
        ..AccountUpdate::default()
    };
    sorted((0..400).map(update).collect())
}

fn sorted(mut accounts: Vec<AccountUpdate>) -> Updates {
    accounts.sort_by_key(|account| account.address_hash);
    Updates { accounts, keep_empty: false }
}

/// Accounts that were not there before.
fn growth(seed: u64) -> Updates {
    let update = |i: u64| AccountUpdate {
        address_hash: keccak256((seed * 400 + i).to_be_bytes()),
        nonce: Some(1),
        ..AccountUpdate::default()
    };
    sorted((0..400).map(update).collect())
}

fn roots(memory: Arc<dyn PageMemory>) -> Vec<alloy_primitives::B256> {
    let mut trie = StateTrie::persisted_in(StateTrie::empty().root(), memory);
    (0..12)
        .map(|seed| {
            trie = root_after(&trie, &NoNodes, &block(seed)).unwrap().trie;
            trie.root()
        })
        .collect()
}

#[test]
fn every_memory_gives_the_same_roots() {
    let directory = tempfile::tempdir().unwrap();
    let expected = roots(Arc::new(HeapMemory));
    assert_eq!(roots(Arc::new(HugePages)), expected);
    assert_eq!(roots(Arc::new(FilePages::in_directory(directory.path()).unwrap())), expected);
}

/// Room of any size and at any address may be named: what is in it stays, and what is no memory is left alone.
#[test]
fn advice_changes_no_byte() {
    const HUGE: usize = 2 << 20;
    let mut list: Vec<u64> = Vec::with_capacity(4 * HUGE / 8);
    list.extend(0..1000);
    let room = list.spare_capacity_mut().as_ptr_range();
    HugePages.will_fill(room.start.cast()..room.end.cast());
    list.extend(1000..list.capacity() as u64);
    let bytes = list.as_ptr_range();
    HugePages.will_fill(bytes.start.cast()..bytes.end.cast());
    assert!(list.iter().copied().eq(0..list.capacity() as u64));
    for (start, end) in
        [(0, 0), (4096, 8192), (HUGE, HUGE), (HUGE, 3 * HUGE), (usize::MAX - HUGE, usize::MAX), (8192, 4096)]
    {
        HugePages.will_fill(ptr::without_provenance(start)..ptr::without_provenance(end));
    }
}

/// The file is the process's alone: no name stays behind if it is killed, and its room is the disk's again once all is dropped.
#[test]
fn the_file_has_no_name_and_goes_with_the_trie() {
    let temporary = tempfile::tempdir().unwrap();
    // As the system will tell of it.
    let directory = temporary.path().canonicalize().unwrap();
    // Names that others hold are passed over.
    for i in 0..20 {
        fs::write(directory.join(format!("trie-{}-{i}.pages", process::id())), "another's").unwrap();
    }
    let names = || fs::read_dir(&directory).unwrap().count();
    let mapped = || {
        let maps = fs::read_to_string("/proc/self/maps").unwrap();
        maps.lines().filter(|line| line.contains(&*directory.to_string_lossy())).count()
    };
    let memory = Arc::new(FilePages::in_directory(&directory).unwrap());
    let trie = StateTrie::persisted_in(StateTrie::empty().root(), memory);
    let after = root_after(&trie, &NoNodes, &block(1)).unwrap();
    assert_eq!(names(), 20);
    drop(trie);
    assert!(mapped() > 0);
    drop(after);
    assert_eq!(mapped(), 0);
}

#[test]
fn a_bad_directory_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("missing");
    let error = FilePages::in_directory(&missing).unwrap_err();
    assert_eq!(error.source.kind(), io::ErrorKind::NotFound);
    assert!(error.to_string().contains("missing"));
    let file = directory.path().join("file");
    fs::write(&file, []).unwrap();
    assert!(FilePages::in_directory(&file).is_err());
    assert!(FilePages::in_directory(Path::new("/proc/self")).is_err());
}

/// Where the inner process of the next test keeps its pages; set for that one only.
const LIMITED: &str = "BALSA_TEST_LIMITED_FILES";

/// A process that may not write files beyond two megabytes, as the system says and not a stand-in for it.
#[test]
fn a_file_that_may_not_grow_is_an_error() {
    if let Some(directory) = env::var_os(LIMITED) {
        return in_files_that_may_not_grow(Path::new(&directory));
    }
    let directory = tempfile::tempdir().unwrap();
    // In units of 512 bytes. The signal would end the process before the error is seen.
    let script = "trap '' XFSZ; ulimit -f 4096 && exec \"$0\" --exact a_file_that_may_not_grow_is_an_error --nocapture";
    let inner = Command::new("sh")
        .args(["-c", script])
        .arg(env::current_exe().unwrap())
        .env(LIMITED, directory.path())
        .output();
    let inner = inner.unwrap();
    let text = String::from_utf8_lossy(&inner.stdout).into_owned() + &String::from_utf8_lossy(&inner.stderr);
    assert!(inner.status.success() && text.contains("1 passed"), "{text}");
}

fn in_files_that_may_not_grow(directory: &Path) {
    let memory = Arc::new(FilePages::in_directory(directory).unwrap());
    let mut trie = StateTrie::persisted_in(StateTrie::empty().root(), memory);
    let mut reference = StateTrie::empty();
    for seed in 0.. {
        assert!(seed < 100, "the system sets no limit");
        let of_reference = root_after(&reference, &NoNodes, &growth(seed)).unwrap();
        match root_after(&trie, &NoNodes, &growth(seed)) {
            Ok(after) => trie = after.trie,
            Err(error) => {
                assert!(seed > 0 && error.to_string().contains("File too large"), "{error}");
                break;
            }
        }
        reference = of_reference.trie;
        assert_eq!(trie.root(), reference.root());
    }
    // The parent is whole, and forks of it are refused as it was.
    assert_eq!(trie.root(), reference.root());
    assert_eq!(trie.arena_bytes().live, balsa_trie::total_tree_bytes(&trie));
}

/// The memory of a disk that is full after some segments.
#[derive(Debug)]
struct FullAfter(std::sync::atomic::AtomicU32);

impl PageMemory for FullAfter {
    fn segment(&self, words: usize) -> Result<Box<dyn balsa_trie::Words>, balsa_trie::MemoryError> {
        let left = self.0.load(std::sync::atomic::Ordering::Relaxed);
        if left == 0 {
            let source = io::Error::from(io::ErrorKind::StorageFull);
            return Err(balsa_trie::MemoryError { words, source: source.into() });
        }
        self.0.store(left - 1, std::sync::atomic::Ordering::Relaxed);
        HugePages.segment(words)
    }
}

#[test]
fn a_full_disk_is_an_error_and_leaves_the_parent_as_it_was() {
    let memory = Arc::new(FullAfter(4.into()));
    let mut trie = StateTrie::persisted_in(StateTrie::empty().root(), memory.clone());
    let expected = roots(Arc::new(HeapMemory));
    let mut seed = 0;
    let error = loop {
        match root_after(&trie, &NoNodes, &block(seed)) {
            Ok(after) => trie = after.trie,
            Err(error) => break error,
        }
        assert_eq!(trie.root(), expected[seed as usize]);
        seed += 1;
    };
    assert!(matches!(error, TrieError::Arena(balsa_trie::ArenaError::Memory(_))), "{error}");
    assert_eq!(trie.arena_bytes().live, balsa_trie::total_tree_bytes(&trie));
    // Once there is room again, the same block goes through.
    memory.0.store(100, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(root_after(&trie, &NoNodes, &block(seed)).unwrap().root, expected[seed as usize]);
}
