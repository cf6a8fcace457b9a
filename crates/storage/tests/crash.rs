//! `kill -9` at random moments and an abort at every named point: what was acknowledged is there, and the tables agree.
//!
//! The child of these tests is this very binary, asked to run [`child_flushes`] with a directory in its environment.

mod fake_chain;

use std::{
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
};

use alloy_primitives::{B256, U256};
use balsa_state::{Layer, StorageDiff};
use balsa_storage::{CrashPoint, FlushBatch, Persister, Settings};
use balsa_trie::NodeSource;
use fake_chain::{FakeBlock, Model, Numbers, SEED, batch, open, settings};

const DIR: &str = "BALSA_CRASH_TEST_DIR";
const CRASH_POINT: &str = "BALSA_CRASH_TEST_POINT";
const POINTS: [(&str, CrashPoint); 5] = [
    ("identity-written", CrashPoint::IdentityWritten),
    ("engine-created", CrashPoint::EngineCreated),
    ("part-committed", CrashPoint::PartCommitted),
    ("batch-built", CrashPoint::BatchBuilt),
    ("batch-committed", CrashPoint::BatchCommitted),
];

/// Not a test by itself: flushes block after block from where the store stands, naming each that was acknowledged.
#[test]
fn child_flushes() {
    let Ok(dir) = std::env::var(DIR) else { return };
    let point = std::env::var(CRASH_POINT).ok();
    let crash_point = POINTS.into_iter().find(|(name, _)| Some(*name) == point.as_deref()).map(|(_, point)| point);
    let store = open(Path::new(&dir), Settings { crash_point, ..settings() }).unwrap();
    if crash_point == Some(CrashPoint::PartCommitted) {
        store.flush(&large_genesis()).unwrap();
    }
    let mut next = store.snapshot().unwrap().head().map_or(0, |head| head.number + 1);
    let persister = Persister::start(store).unwrap();
    loop {
        let blocks: Vec<_> = (next..=next + next % 3).map(|number| FakeBlock::new(SEED, number)).collect();
        next += blocks.len() as u64;
        persister.persist(batch(&blocks)).unwrap();
        persister.ping().unwrap();
        let mut out = std::io::stdout();
        writeln!(out, "\nacknowledged {}", next - 1).and_then(|()| out.flush()).unwrap();
    }
}

/// Block 0 with more slots than one part of a first flush takes.
fn large_genesis() -> FlushBatch {
    let mut genesis = batch(&[FakeBlock::new(SEED, 0)]);
    let mut diff = genesis.changes[0].layer.diff().clone();
    let address_hash = B256::repeat_byte(0xee);
    let slots = (0..150_000u64).map(|slot| (B256::left_padding_from(&slot.to_be_bytes()), U256::from(slot + 1)));
    diff.storage.push(StorageDiff { address_hash, cleared: false, slots: slots.collect() });
    diff.storage.sort_by_key(|storage| storage.address_hash);
    genesis.changes[0].layer = Arc::new(Layer::new(diff));
    genesis
}

#[test]
fn a_first_flush_that_broke_off_is_no_genesis() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = child(dir.path(), Some("part-committed"));
    assert!(!child.wait().unwrap().success());

    let store = open(dir.path(), settings()).unwrap();
    assert_eq!(store.snapshot().unwrap().head(), None);
    store.flush(&large_genesis()).unwrap();
    let snapshot = store.snapshot().unwrap();
    assert_eq!(snapshot.head().map(|head| head.number), Some(0));
    let slots = snapshot.slots_under(&B256::repeat_byte(0xee), &balsa_trie::Path::ROOT, usize::MAX).unwrap();
    assert_eq!(slots.len(), 150_000);
    assert!(slots.iter().zip(1u64..).all(|((_, value), expected)| *value == U256::from(expected)));
    Model::at(0).check(&snapshot);
}

fn child(dir: &Path, point: Option<&str>) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "child_flushes", "--nocapture"])
        .env(DIR, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    if let Some(point) = point {
        command.env(CRASH_POINT, point);
    }
    command.spawn().unwrap()
}

/// Numbers that the child acknowledged, as they come.
fn acknowledged(child: &mut Child) -> impl Iterator<Item = u64> + use<> {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    lines.filter_map(|line| line.strip_prefix("acknowledged ").map(|number| number.parse().unwrap()))
}

/// Opens the store and compares every row with the chain up to its head; returns the head's number.
fn check_opens(dir: &Path) -> Option<u64> {
    let snapshot = open(dir, settings()).unwrap().snapshot().unwrap();
    let head = snapshot.head().map(|head| head.number);
    head.map_or_else(Model::default, Model::at).check(&snapshot);
    head
}

#[test]
#[expect(clippy::print_stdout, reason = "the seed of a run that fails")]
fn what_was_acknowledged_survives_kill_at_any_moment() {
    let seed = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64;
    println!("seed {seed}");
    let mut numbers = Numbers(seed);
    let dir = tempfile::tempdir().unwrap();
    let mut last = 0;
    for _ in 0..8 {
        let mut child = child(dir.path(), None);
        let after = last + 1 + numbers.below(400);
        let mut acknowledged = acknowledged(&mut child);
        let seen = acknowledged.by_ref().find(|number| *number >= after).unwrap();
        // Anywhere within the next flush, or the one after it.
        for spin in 0..numbers.below(2_000_000) {
            std::hint::black_box(spin);
        }
        child.kill().unwrap();
        let seen = acknowledged.last().unwrap_or(seen);
        child.wait().unwrap();
        last = check_opens(dir.path()).unwrap();
        assert!(last >= seen, "block {seen} was acknowledged, but the head is {last}");
    }
}

#[test]
fn an_abort_at_any_named_point_leaves_a_whole_database() {
    for (name, point) in POINTS.into_iter().filter(|(_, point)| *point != CrashPoint::PartCommitted) {
        let dir = tempfile::tempdir().unwrap();
        let mut head = None;
        for round in 0..3 {
            let mut child = child(dir.path(), Some(name));
            assert_eq!(acknowledged(&mut child).last(), None, "{name} was passed");
            assert!(!child.wait().unwrap().success());
            let found = check_opens(dir.path());
            let expected = match point {
                CrashPoint::BatchCommitted => head.map_or(Some(0), |head: u64| Some(head + 1 + (head + 1) % 3)),
                _ => None,
            };
            assert_eq!(found, expected, "{name}, round {round}");
            head = found;
            if point == CrashPoint::EngineCreated {
                // check_opens finished the creation, so the point is not reached again.
                break;
            }
        }
    }
}

/// The journal of a database of four flushes, with the length of its content after each.
struct Journal {
    path: PathBuf,
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Journal {
    fn record(dir: &Path) -> Self {
        let store = open(dir, settings()).unwrap();
        let path = dir.join("engine/0.jnl");
        let length = || {
            let bytes = std::fs::read(&path).unwrap();
            bytes.len() - bytes.iter().rev().take_while(|byte| **byte == 0).count()
        };
        let ends = (0..4)
            .map(|number| {
                store.flush(&batch(&[FakeBlock::new(SEED, number)])).unwrap();
                length()
            })
            .collect::<Vec<_>>();
        drop(store);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.truncate(ends[3]);
        Self { path, bytes, ends }
    }
}

#[test]
fn a_torn_journal_ends_at_the_last_whole_flush() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::record(dir.path());
    let mut numbers = Numbers(7);
    let cuts = (0..12).map(|_| journal.ends[0] + numbers.below((journal.ends[3] - journal.ends[0]) as u64) as usize);
    for cut in cuts.chain(journal.ends[1..].iter().map(|end| end - 1)) {
        std::fs::write(&journal.path, &journal.bytes[..cut]).unwrap();
        let whole = journal.ends.iter().filter(|end| **end <= cut).count() as u64 - 1;
        assert_eq!(check_opens(dir.path()), Some(whole), "cut at {cut} of {:?}", journal.ends);
    }
}
