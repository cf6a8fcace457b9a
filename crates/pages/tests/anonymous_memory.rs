//! With its nodes in a file, a trie takes next to no anonymous memory, however many accounts it has. Alone in its file, and so
//! in its process: what is measured is the process's.

#![cfg(target_os = "linux")]

use alloy_primitives::{U256, keccak256};
use balsa_pages::{FilePages, HugePages};
use balsa_trie::{AccountUpdate, NoNodes, PageMemory, StateTrie, Updates, root_after, total_tree_bytes};
use std::{fs, sync::Arc};

const FEW: u64 = 50_000;
const MANY: u64 = 400_000;

/// In blocks of one size, so that what a block takes for itself is the same for few accounts and for many.
const BLOCK: u64 = 5_000;

fn block(first: u64) -> Updates {
    let update = |i: u64| AccountUpdate {
        address_hash: keccak256(i.to_be_bytes()),
        nonce: Some(1),
        balance: Some(U256::from(i)),
        ..AccountUpdate::default()
    };
    let mut accounts: Vec<_> = (first..first + BLOCK).map(update).collect();
    accounts.sort_by_key(|account| account.address_hash);
    Updates { accounts, keep_empty: false }
}

fn built(accounts: u64, memory: Arc<dyn PageMemory>) -> StateTrie {
    let empty = StateTrie::persisted_in(StateTrie::empty().root(), memory);
    (0..accounts / BLOCK)
        .fold(empty, |trie, i| root_after(&trie, &NoNodes, &block(i * BLOCK)).expect("there is memory").trie)
}

/// Bytes of anonymous memory that the process has.
fn anonymous_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("the system tells of its processes");
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).expect("a line on anonymous memory");
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kilobytes << 10
}

/// What there is while a trie is alive, and nothing else; and the bytes of its nodes.
fn alive(accounts: u64, memory: Arc<dyn PageMemory>) -> (u64, u64) {
    let trie = built(accounts, memory);
    (anonymous_bytes(), total_tree_bytes(&trie))
}

#[test]
fn a_trie_in_a_file_takes_no_anonymous_memory() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = || Arc::new(FilePages::in_directory(directory.path()).expect("the directory takes files"));
    // What the allocator and the threads keep, they have after the first round.
    alive(MANY, file());
    let ((few, few_nodes), (many, many_nodes)) = (alive(FEW, file()), alive(MANY, file()));
    let in_files = many.saturating_sub(few);
    let nodes = many_nodes - few_nodes;
    let ((few, _), (many, _)) = (alive(FEW, Arc::new(HugePages)), alive(MANY, Arc::new(HugePages)));
    let anonymous = many.saturating_sub(few);
    let measured = format!("{nodes} bytes of nodes more: {in_files} with files, {anonymous} with huge pages");
    assert!(anonymous > nodes / 2, "this does not measure the trie: {measured}");
    // Measured is at most a part in a hundred; the rest is room for what an allocator keeps.
    assert!(in_files < anonymous / 20, "{measured}");
}
