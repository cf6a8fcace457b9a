//! What a store of the trie keeps, and what a block reads from it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Instant,
};

use alloy_primitives::{B256, U256};
use balsa_state::Account;
use balsa_trie::{
    Branch, HeapMemory, MemoryNodes, NodeSource, Path, SMALL_LEAVES_MAX, SourceError, StateTrie, root_after,
};

use crate::{median, say, states::State};

/// Counts what is asked of a store.
struct Counted<'a> {
    nodes: &'a MemoryNodes,
    branches: AtomicU64,
    scans: AtomicU64,
    rows: AtomicU64,
}

impl NodeSource for Counted<'_> {
    fn account_branch(&self, path: &Path) -> Result<Option<Branch>, SourceError> {
        self.branches.fetch_add(1, Relaxed);
        self.nodes.account_branch(path)
    }

    fn storage_branch(&self, address_hash: &B256, path: &Path) -> Result<Option<Branch>, SourceError> {
        self.branches.fetch_add(1, Relaxed);
        self.nodes.storage_branch(address_hash, path)
    }

    fn accounts_under(&self, prefix: &Path, limit: usize) -> Result<Vec<(B256, Account)>, SourceError> {
        let rows = self.nodes.accounts_under(prefix, limit)?;
        self.scans.fetch_add(1, Relaxed);
        self.rows.fetch_add(rows.len() as u64, Relaxed);
        Ok(rows)
    }

    fn slots_under(&self, address_hash: &B256, prefix: &Path, limit: usize) -> Result<Vec<(B256, U256)>, SourceError> {
        let rows = self.nodes.slots_under(address_hash, prefix, limit)?;
        self.scans.fetch_add(1, Relaxed);
        self.rows.fetch_add(rows.len() as u64, Relaxed);
        Ok(rows)
    }
}

pub(crate) fn store(state: &State, changes: u64, rounds: u64) {
    let after = state.built(Arc::new(HeapMemory));
    let mut nodes = MemoryNodes::default();
    nodes.apply(&state.all, &after);
    let stored = record_bytes(&after.nodes);
    say(format!(
        "branches over more than {SMALL_LEAVES_MAX} leaves: {} records, {} bytes",
        nodes.branch_count(),
        stored
    ));
    let (mut cold, mut warm, mut written) = (Vec::new(), Vec::new(), Vec::new());
    let (mut branches, mut scans, mut rows) = (0, 0, 0);
    for round in 0..rounds {
        let block = state.block(changes, round);
        let source = Counted { nodes: &nodes, branches: 0.into(), scans: 0.into(), rows: 0.into() };
        let time = |trie: &StateTrie| {
            let start = Instant::now();
            let after = root_after(trie, &source, &block).expect("the store is right");
            (start.elapsed().as_nanos() as f64, after)
        };
        cold.push(time(&StateTrie::persisted(after.root)).0);
        branches += source.branches.load(Relaxed);
        scans += source.scans.load(Relaxed);
        rows += source.rows.load(Relaxed);
        let (elapsed, done) = time(&after.trie);
        warm.push(elapsed);
        written.push(record_bytes(&done.nodes) as f64);
    }
    say(format!(
        "a block of {changes} on it: {} records and {} scans of {} rows read, {:.0} bytes of records written; {:.2} ms cold, {:.2} ms in memory",
        branches / rounds,
        scans / rounds,
        rows / rounds,
        median(written),
        median(cold) / 1e6,
        median(warm) / 1e6
    ));
}

fn record_bytes(nodes: &balsa_trie::NodeChanges) -> u64 {
    let nodes = nodes.encoded();
    let storages = nodes.storages.iter().flat_map(|storage| &storage.branches);
    let records = nodes.accounts.iter().chain(storages).filter_map(|(_, branch)| branch.as_ref());
    records.map(|branch| branch.as_bytes().len() as u64).sum()
}
