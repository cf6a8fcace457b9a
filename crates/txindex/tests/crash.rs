//! `kill -9` at random moments: what a flush acknowledged is there, and nothing is there that was never written.
//!
//! The child is this very binary, asked to run [`child_feeds`] with a directory in its environment.

mod numbers;

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Stdio},
};

use alloy_primitives::B256;
use balsa_txindex::{DirectoryIndex, Mark, Settings};
use numbers::{Numbers, hash, open, position};

const DIR: &str = "BALSA_TXINDEX_CRASH_TEST_DIR";
const BLOCK: u64 = 37;

fn settings(dir: &Path) -> Settings {
    // Small enough that every few blocks are a spill, so that kills hit all its steps.
    Settings { directories: vec![dir.join("a"), dir.join("b")], recent_records_max: 200 }
}

fn block(number: u64) -> Vec<B256> {
    (number * BLOCK..(number + 1) * BLOCK).map(hash).collect()
}

/// Not a test by itself: feeds block after block from the mark on, naming each that was acknowledged.
#[test]
fn child_feeds() {
    let Ok(dir) = std::env::var(DIR) else { return };
    let index = open(&settings(Path::new(&dir)));
    for number in index.mark().map_or(0, |mark| mark.number + 1).. {
        index.add_block(number, &block(number)).unwrap();
        if number > 2 && number.is_multiple_of(5) {
            index.remove_block(number - 2, &block(number - 2)).unwrap();
        }
        if number.is_multiple_of(3) {
            index.flush(Mark { number, hash: hash(number) }).unwrap();
            let mut out = std::io::stdout();
            writeln!(out, "\nacknowledged {number}").and_then(|()| out.flush()).unwrap();
        }
    }
}

fn child(dir: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_feeds", "--nocapture"])
        .env(DIR, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn check(index: &DirectoryIndex, through: u64) {
    for number in 0..=through {
        let removed = (number + 2).is_multiple_of(5) && number + 2 <= through;
        // The removal of these may or may not have been written when the child was killed.
        let open = (number + 2).is_multiple_of(5) && number + 2 > through;
        for (transaction, i) in block(number).iter().zip(0..) {
            let found = index.position(transaction).unwrap();
            let expected = (!removed).then_some(position(number, i));
            assert!(found == expected || open && found.is_none(), "block {number}: {found:?}, not {expected:?}");
        }
    }
    for number in through + 1..through + 200 {
        for (transaction, i) in block(number).iter().zip(0..) {
            let found = index.position(transaction).unwrap();
            assert!(found.is_none() || found == Some(position(number, i)), "block {number}: {found:?}");
        }
    }
}

#[test]
fn what_was_acknowledged_survives_kill_at_any_moment() {
    let mut numbers = Numbers::random();
    let dir = tempfile::tempdir().unwrap();
    let mut last = 0;
    for round in 0..12 {
        let mut child = child(dir.path());
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut acknowledged =
            lines.filter_map(|line| line.strip_prefix("acknowledged ").map(|number| number.parse::<u64>().unwrap()));
        let after = last + 1 + numbers.below(60);
        let seen = acknowledged.by_ref().find(|number| *number >= after).unwrap();
        for spin in 0..numbers.below(3_000_000) {
            std::hint::black_box(spin);
        }
        child.kill().unwrap();
        let seen = acknowledged.last().unwrap_or(seen);
        child.wait().unwrap();
        let index = open(&settings(dir.path()));
        last = index.mark().unwrap().number;
        assert!(last >= seen, "round {round}: block {seen} was acknowledged, the mark is {last}");
        check(&index, last);
    }
}
