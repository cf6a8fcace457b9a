//! What the choices in the trie cost: run by hand, once for each value of a constant, for the tables in benches/README.md.
//!
//! `trie_choices memory` prints what a trie takes in nodes and in pages, `update` the time of blocks of random changes in
//! every kind of memory by turns, `store` the records that a store keeps and what a block reads from it, `unique` what
//! tables that keep equal nodes once would save, of that state or of a genesis file's, and the time of a look-up.
//! `BALSA_ACCOUNTS` (1,000,000), `BALSA_CHANGES` (1,000) and `BALSA_ROUNDS` (11) say how much, `BALSA_DIR` where files lie.

use std::{
    env,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Instant,
};

use alloy_primitives::{B256, U256, hex, keccak256};
use balsa_pages::{FilePages, HugePages};
use balsa_state::Account;
use balsa_trie::{
    AccountUpdate, Branch, GenesisAccount, HeapMemory, MemoryNodes, NoNodes, NodeSource, PageMemory, SMALL_LEAVES_MAX,
    SourceError, StateTrie, UniqueNodes, UniqueTables, Updates, root_after,
};

fn number(name: &str, default: u64) -> u64 {
    env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Every eighth account has sixteen slots.
fn account(n: u64, nonce: u64) -> AccountUpdate {
    let slot = |slot: u64| (keccak256((n ^ slot << 32).to_be_bytes()), U256::from(nonce + slot + 1));
    let mut slots: Vec<_> = if n.is_multiple_of(8) { (1..17).map(slot).collect() } else { Vec::new() };
    slots.sort();
    AccountUpdate {
        address_hash: keccak256(n.to_be_bytes()),
        nonce: Some(nonce + 1),
        balance: Some(U256::from(n)),
        slots,
        ..AccountUpdate::default()
    }
}

fn updates(mut accounts: Vec<AccountUpdate>) -> Updates {
    accounts.sort_by_key(|account| account.address_hash);
    accounts.dedup_by_key(|account| account.address_hash);
    Updates { accounts, keep_empty: false }
}

/// Changes of random accounts, the same for the same round.
fn block(accounts: u64, changes: u64, round: u64) -> Updates {
    let pick =
        |i: u64| u64::from_be_bytes(keccak256((round << 32 | i).to_be_bytes())[..8].try_into().expect("eight bytes"));
    updates((0..changes).map(|i| account(pick(i) % accounts, round + 1)).collect())
}

fn state(accounts: u64, memory: Arc<dyn PageMemory>) -> (StateTrie, Updates, balsa_trie::RootAfter) {
    let updates = updates((0..accounts).map(|n| account(n, 0)).collect());
    let empty = StateTrie::persisted_in(StateTrie::empty().root(), memory);
    let after = root_after(&empty, &NoNodes, &updates).expect("memory enough");
    (after.trie.clone(), updates, after)
}

fn main() {
    let (accounts, changes, rounds) =
        (number("BALSA_ACCOUNTS", 1_000_000), number("BALSA_CHANGES", 1_000), number("BALSA_ROUNDS", 11));
    rayon_free();
    match env::args().nth(1).as_deref() {
        Some("memory") => memory(accounts, changes, rounds),
        Some("update") => update(accounts, changes, rounds),
        Some("store") => store(accounts, changes, rounds),
        Some("unique") => unique(accounts),
        _ => say("trie_choices memory | update | store | unique [GENESIS]".into()),
    }
}

/// One thread, so that times are comparable.
fn rayon_free() {
    // Read by the pool when it starts, which nothing did yet.
    assert_eq!(env::var("RAYON_NUM_THREADS").as_deref(), Ok("1"), "run with RAYON_NUM_THREADS=1");
}

#[expect(clippy::print_stdout, reason = "what it is for")]
fn say(line: String) {
    println!("{line}");
}

/// Right after the build, and after blocks of which the last 32 are kept.
fn memory(accounts: u64, changes: u64, rounds: u64) {
    let mut kept = std::collections::VecDeque::from([state(accounts, Arc::new(HeapMemory)).0]);
    for round in 0..=rounds {
        let bytes = kept[0].arena_bytes();
        let share = 100.0 * bytes.pages as f64 / bytes.live as f64 - 100.0;
        if round == 0 || round == rounds {
            say(format!(
                "after {round} blocks: {} bytes in nodes, {} in pages, {share:.2} % more",
                bytes.live, bytes.pages
            ));
        }
        let newest = kept.back().expect("one at least");
        let next = root_after(newest, &NoNodes, &block(accounts, changes, round)).expect("memory enough").trie;
        kept.push_back(next);
        if kept.len() > 32 {
            kept.pop_front();
        }
    }
    // Tries as small as those of test vectors: what the first pages cost.
    let bytes = state(20, Arc::new(HeapMemory)).0.arena_bytes();
    say(format!("20 accounts: {} bytes in nodes, {} in pages", bytes.live, bytes.pages));
}

fn update(accounts: u64, changes: u64, rounds: u64) {
    let dir = env::var("BALSA_DIR").unwrap_or_else(|_| env::temp_dir().display().to_string());
    let files = FilePages::in_directory(Path::new(&dir)).expect("a directory for pages");
    let memories: [(&str, Arc<dyn PageMemory>); 3] =
        [("heap", Arc::new(HeapMemory)), ("huge pages", Arc::new(HugePages)), ("files", Arc::new(files))];
    let only = env::args().nth(2);
    let memories = memories.into_iter().filter(|(name, _)| only.as_deref().is_none_or(|only| only == *name));
    let mut tries: Vec<_> = memories.map(|(name, memory)| (name, state(accounts, memory).0, Vec::new())).collect();
    for round in 0..rounds {
        let block = block(accounts, changes, round);
        for (_, trie, times) in &mut tries {
            let made = trie.arena_bytes().live;
            let start = Instant::now();
            let next = root_after(trie, &NoNodes, &block).expect("memory enough").trie;
            let elapsed = start.elapsed().as_nanos() as f64;
            times.push((elapsed, (next.arena_bytes().live - made) as f64));
            *trie = next;
        }
    }
    let first: Vec<f64> = tries[0].2.iter().map(|(time, _)| *time).collect();
    for (name, _, times) in &tries {
        let ratio = median(times.iter().zip(&first).map(|((time, _), first)| time / first).collect());
        let time = median(times.iter().map(|(time, _)| *time).collect());
        let bytes = median(times.iter().map(|(_, bytes)| *bytes).collect());
        say(format!("{name}: {:.3} ms a block, {ratio:.3} times the first, {bytes:.0} bytes made", time / 1e6));
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Counts what is asked of a store.
struct Counted<'a> {
    nodes: &'a MemoryNodes,
    branches: AtomicU64,
    scans: AtomicU64,
    rows: AtomicU64,
}

impl NodeSource for Counted<'_> {
    fn account_branch(&self, path: &balsa_trie::Path) -> Result<Option<Branch>, SourceError> {
        self.branches.fetch_add(1, Relaxed);
        self.nodes.account_branch(path)
    }

    fn storage_branch(&self, address_hash: &B256, path: &balsa_trie::Path) -> Result<Option<Branch>, SourceError> {
        self.branches.fetch_add(1, Relaxed);
        self.nodes.storage_branch(address_hash, path)
    }

    fn accounts_under(&self, prefix: &balsa_trie::Path, limit: usize) -> Result<Vec<(B256, Account)>, SourceError> {
        let rows = self.nodes.accounts_under(prefix, limit)?;
        self.scans.fetch_add(1, Relaxed);
        self.rows.fetch_add(rows.len() as u64, Relaxed);
        Ok(rows)
    }

    fn slots_under(
        &self,
        address_hash: &B256,
        prefix: &balsa_trie::Path,
        limit: usize,
    ) -> Result<Vec<(B256, U256)>, SourceError> {
        let rows = self.nodes.slots_under(address_hash, prefix, limit)?;
        self.scans.fetch_add(1, Relaxed);
        self.rows.fetch_add(rows.len() as u64, Relaxed);
        Ok(rows)
    }
}

fn store(accounts: u64, changes: u64, rounds: u64) {
    let (_, all, after) = state(accounts, Arc::new(HeapMemory));
    let mut nodes = MemoryNodes::default();
    nodes.apply(&all, &after);
    let stored = record_bytes(&after.nodes);
    say(format!(
        "branches over more than {SMALL_LEAVES_MAX} leaves: {} records, {} bytes",
        nodes.branch_count(),
        stored
    ));
    let (mut cold, mut warm, mut written) = (Vec::new(), Vec::new(), Vec::new());
    let (mut branches, mut scans, mut rows) = (0, 0, 0);
    for round in 0..rounds {
        let block = block(accounts, changes, round);
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

/// By depth; the time is of a look-up with its hashing, in an order that no cache helps.
fn unique(accounts: u64) {
    let trie = match env::args().nth(2) {
        None => state(accounts, Arc::new(HugePages)).0,
        Some(path) => {
            let text = std::fs::read(&path).expect("a genesis file");
            let updates = Updates::of_genesis(alloc(&serde_json::from_slice(&text).expect("JSON")));
            root_after(&StateTrie::empty(), &NoNodes, &updates).expect("memory enough").trie
        }
    };
    let tables = UniqueTables::of(&trie);
    let mut sum = UniqueNodes::default();
    for (depth, nodes) in tables.depths().iter().enumerate().filter(|(_, nodes)| nodes.nodes > 0) {
        say(format!("depth {depth}: {nodes:?}"));
        sum.nodes += nodes.nodes;
        sum.bytes += nodes.bytes;
        sum.distinct += nodes.distinct;
        sum.distinct_bytes += nodes.distinct_bytes;
        sum.table_bytes += nodes.table_bytes;
    }
    let start = Instant::now();
    let found = tables.look_up_all();
    let time = start.elapsed().as_nanos() as f64 / found as f64;
    let (saved, price) = (sum.bytes - sum.distinct_bytes, sum.distinct * 16 / 3);
    say(format!("together: {sum:?}"));
    say(format!("{saved} bytes saved, {price} bytes of handles at three quarters full; {time:.0} ns a look-up"));
}

fn alloc(genesis: &serde_json::Value) -> Vec<GenesisAccount> {
    let number = |value: &serde_json::Value| -> U256 {
        let text = value.as_str().unwrap_or("0x0");
        text.parse().unwrap_or_else(|_| panic!("{text} is no number"))
    };
    let accounts = genesis["alloc"].as_object().expect("accounts");
    let account = |(address, account): (&String, &serde_json::Value)| GenesisAccount {
        address: address.parse().expect("an address"),
        nonce: number(&account["nonce"]).to(),
        balance: number(&account["balance"]),
        code_hash: account["code"].as_str().map(|code| keccak256(hex::decode(code).expect("code"))),
        slots: account["storage"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(k, v)| (k.parse().expect("a slot"), number(v)))
            .collect(),
    };
    accounts.iter().map(account).collect()
}

fn record_bytes(nodes: &balsa_trie::NodeChanges) -> u64 {
    let nodes = nodes.encoded();
    let storages = nodes.storages.iter().flat_map(|storage| &storage.branches);
    let records = nodes.accounts.iter().chain(storages).filter_map(|(_, branch)| branch.as_ref());
    records.map(|branch| branch.as_bytes().len() as u64).sum()
}
