//! The state trie in memory: updates, full builds, versions. Bars and figures stand in `README.md`.

use alloy_primitives::{B256, U256, keccak256};
use balsa_pages::{FilePages, HugePages};
use balsa_trie::{
    AccountUpdate, HeapMemory, NoNodes, PageMemory, Relative, RootAfter, StateTrie, Updates, account_proof, cow_bytes,
    renewed, root_after, total_tree_bytes, total_unique_cow_bytes,
};
use criterion::{
    Criterion as AnyCriterion, Throughput,
    measurement::{Measurement, ValueFormatter, WallTime},
};
use rustix::time::{ClockId, clock_gettime};
use std::{collections::HashSet, hint::black_box, sync::Arc, time::Duration};

/// Time that the processor spent on this thread: what other work takes of the clock does not count.
fn now() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

type Criterion = AnyCriterion<ThreadTime>;

/// Criterion's clock: [`now`].
struct ThreadTime;

impl Measurement for ThreadTime {
    type Intermediate = Duration;
    type Value = Duration;

    fn start(&self) -> Duration {
        now()
    }

    fn end(&self, start: Duration) -> Duration {
        now() - start
    }

    fn add(&self, a: &Duration, b: &Duration) -> Duration {
        *a + *b
    }

    fn zero(&self) -> Duration {
        Duration::ZERO
    }

    fn to_f64(&self, value: &Duration) -> f64 {
        value.as_nanos() as f64
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        static WALL: WallTime = WallTime;
        WALL.formatter()
    }
}

/// The processor's time for one run.
fn timed<T>(run: impl FnOnce() -> T) -> (Duration, T) {
    let start = now();
    let result = run();
    (now() - start, result)
}

/// A stream of numbers that is the same on every run (SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

fn key(i: u64) -> B256 {
    keccak256(i.to_be_bytes())
}

fn updates(keys: impl Iterator<Item = B256>, random: &mut Random) -> Updates {
    let update = |address_hash| AccountUpdate {
        address_hash,
        nonce: Some(1 + random.next() % 1000),
        balance: Some(U256::from(random.next())),
        ..AccountUpdate::default()
    };
    let mut accounts: Vec<_> = keys.map(update).collect();
    accounts.sort_unstable_by_key(|account| account.address_hash);
    accounts.dedup_by_key(|account| account.address_hash);
    Updates { accounts, keep_empty: false }
}

fn after(trie: &StateTrie, updates: &Updates) -> RootAfter {
    root_after(trie, &NoNodes, updates).expect("the trie lies in memory")
}

/// In huge pages.
fn empty() -> StateTrie {
    StateTrie::persisted_in(StateTrie::empty().root(), Arc::new(HugePages))
}

fn built(accounts: u64) -> StateTrie {
    after(&empty(), &updates((0..accounts).map(key), &mut Random(1))).trie
}

fn random_block(accounts: u64, count: usize, random: &mut Random) -> Updates {
    let keys: Vec<_> = (0..count).map(|_| key(random.next() % accounts)).collect();
    updates(keys.into_iter(), random)
}

fn with_threads<T: Send>(threads: usize, run: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads can be started").install(run)
}

/// Blocks of random accounts, one upon the other. The older version is dropped outside the measurement.
fn chained(trie: &mut StateTrie, accounts: u64, count: usize, rounds: u64, random: &mut Random) -> Duration {
    let mut total = Duration::ZERO;
    for _ in 0..rounds {
        let block = random_block(accounts, count, random);
        let (time, result) = timed(|| after(trie, &block));
        total += time;
        *trie = result.trie;
    }
    total
}

fn update(c: &mut Criterion) {
    const ACCOUNTS: u64 = 5_000_000;
    let mut trie = built(ACCOUNTS);
    let mut random = Random(2);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("threads can be started");
    let mut group = c.benchmark_group("trie/update");
    group.sample_size(10).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3));
    for count in [1000, 10_000] {
        group.bench_function(count.to_string(), |b| {
            b.iter_custom(|rounds| pool.install(|| chained(&mut trie, ACCOUNTS, count, rounds, &mut random)));
        });
    }
    group.finish();
    let mut group = c.benchmark_group("trie/drop");
    group.sample_size(10).measurement_time(Duration::from_secs(2));
    group.bench_function("1000", |b| {
        b.iter_custom(|rounds| {
            let mut total = Duration::ZERO;
            for _ in 0..rounds {
                let next = after(&trie, &random_block(ACCOUNTS, 1000, &mut random)).trie;
                let old = std::mem::replace(&mut trie, next);
                total += timed(|| drop(old)).0;
            }
            total
        });
    });
}

fn build(c: &mut Criterion) {
    const LEAVES: u64 = 1_000_000;
    let updates = updates((0..LEAVES).map(key), &mut Random(1));
    let slots = updates.accounts.iter().map(|account| (account.address_hash, U256::from(7))).collect();
    let contract = AccountUpdate { nonce: Some(1), slots, ..AccountUpdate::default() };
    let contract = Updates { accounts: vec![contract], keep_empty: false };
    let mut group = c.benchmark_group("trie/build");
    group.sample_size(10).measurement_time(Duration::from_secs(4));
    for (name, updates) in [("accounts/1000000", &updates), ("slots/1000000", &contract)] {
        group.bench_function(name, |b| {
            b.iter_custom(|rounds| {
                let run = || timed(|| after(&empty(), updates));
                (0..rounds).map(|_| with_threads(1, run).0).sum()
            });
        });
    }
}

fn versions(c: &mut Criterion) {
    const ACCOUNTS: u64 = 1_000_000;
    let base = built(ACCOUNTS);
    let mut random = Random(3);
    let mut group = c.benchmark_group("trie/versions");
    group.sample_size(20).measurement_time(Duration::from_secs(2));
    group.bench_function("clone/1000000", |b| b.iter(|| black_box(&base).clone()));
    for changed in [1, 128, 10_000] {
        let derived = after(&base, &random_block(ACCOUNTS, changed, &mut random)).trie;
        group.bench_function(format!("cow_bytes/{changed}"), |b| b.iter(|| cow_bytes(&base, black_box(&derived))));
    }
    let all = after(&base, &updates((0..ACCOUNTS).map(key), &mut random)).trie;
    group.bench_function("cow_bytes/all", |b| b.iter(|| cow_bytes(&base, black_box(&all))));
    // Of a version and its parent the answer is known; of others it takes a walk. One more leaf makes no difference.
    let one = random_block(ACCOUNTS, 1, &mut random);
    for changed in [1, 128, 10_000] {
        let derived = after(&base, &random_block(ACCOUNTS, changed, &mut random)).trie;
        let derived = after(&derived, &one).trie;
        group.bench_function(format!("cow_bytes_walked/{changed}"), |b| {
            b.iter(|| cow_bytes(&base, black_box(&derived)));
        });
    }
    let all = after(&all, &one).trie;
    group.bench_function("cow_bytes_walked/all", |b| b.iter(|| cow_bytes(&base, black_box(&all))));
    group.bench_function("total_tree_bytes/1000000", |b| b.iter(|| total_tree_bytes(black_box(&base))));
    let mut chain = vec![base.clone()];
    for _ in 0..128 {
        let next = after(&chain[chain.len() - 1], &random_block(ACCOUNTS, 1, &mut random)).trie;
        chain.push(next);
    }
    group.bench_function("total_unique_cow_bytes/128", |b| {
        b.iter(|| total_unique_cow_bytes(&base, black_box(&chain[1..])));
    });
    // Without the first of the chain the second stands beside no version that it was derived from.
    group.bench_function("total_unique_cow_bytes_walked/127", |b| {
        b.iter(|| total_unique_cow_bytes(&base, black_box(&chain[2..])));
    });
}

/// Versions made once more without what was not changed for long. A trie that grew block by block fills ten sixteenths of
/// its room, three are kept, as `balsa-chain` does it; the eight newest versions come along.
fn renew(c: &mut Criterion) {
    const ACCOUNTS: u64 = 1_000_000;
    let mut random = Random(4);
    let mut trie = empty();
    for first in (0..ACCOUNTS).step_by(10_000) {
        trie = after(&trie, &updates((first..first + 10_000).map(key), &mut random)).trie;
    }
    let bytes_max = trie.arena_bytes().pages / 10 * 3;
    let mut versions = vec![trie];
    for _ in 0..8 {
        let next = after(&versions[versions.len() - 1], &random_block(ACCOUNTS, 1000, &mut random)).trie;
        versions.push(next);
    }
    let parent = |i: usize| i.checked_sub(1);
    let family: Vec<_> = versions.iter().enumerate().map(|(i, trie)| Relative { trie, parent: parent(i) }).collect();
    let renewed = || renewed(&family, bytes_max, Arc::new(HugePages)).expect("memory enough");
    let mut group = c.benchmark_group("trie/renew");
    // Bytes of nodes that are carried over.
    group.sample_size(10).throughput(Throughput::Bytes(renewed()[0].arena_bytes().live));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("threads can be started");
    group.bench_function(ACCOUNTS.to_string(), |b| {
        b.iter_custom(|rounds| pool.install(|| (0..rounds).map(|_| timed(renewed).0).sum()));
    });
}

/// What a node costs in every kind of memory: one made, for 10,000 changes in a chain, and one read, for as many updates that
/// change nothing. The figures are of one node: a batch's time by the nodes on its paths, each counted once.
fn pages(c: &mut Criterion) {
    const ACCOUNTS: u64 = 1_000_000;
    const CHANGES: usize = 10_000;
    let directory = tempfile::tempdir().expect("a directory can be made");
    let file = FilePages::in_directory(directory.path()).expect("it can hold pages");
    let kinds: [(&str, Arc<dyn PageMemory>); 3] =
        [("heap", Arc::new(HeapMemory)), ("huge", Arc::new(HugePages)), ("file", Arc::new(file))];
    let mut group = c.benchmark_group("trie/pages");
    group.sample_size(10).measurement_time(Duration::from_secs(2));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("threads can be started");
    for (kind, memory) in kinds {
        let empty = StateTrie::persisted_in(StateTrie::empty().root(), memory);
        let all = updates((0..ACCOUNTS).map(key), &mut Random(1));
        let mut trie = after(&empty, &all).trie;
        drop(empty);
        let same: Vec<_> = all.accounts.into_iter().step_by(ACCOUNTS as usize / CHANGES).collect();
        let same = Updates { accounts: same, keep_empty: false };
        let nodes = nodes_towards(&trie, &same);
        group.bench_function(format!("{kind}/read"), |b| {
            b.iter_custom(|rounds| {
                let run = || timed(|| assert_eq!(after(&trie, &same).root, trie.root())).0;
                (0..rounds).map(|_| pool.install(run)).sum::<Duration>() / nodes
            });
        });
        let mut random = Random(2);
        group.bench_function(format!("{kind}/made"), |b| {
            b.iter_custom(|rounds| pool.install(|| chained(&mut trie, ACCOUNTS, CHANGES, rounds, &mut random)) / nodes);
        });
    }
}

/// Nodes on the paths to the updated accounts.
fn nodes_towards(trie: &StateTrie, updates: &Updates) -> u32 {
    let path =
        |update: &AccountUpdate| account_proof(trie, &NoNodes, update.address_hash, &[]).expect("in memory").nodes;
    let nodes: HashSet<_> = updates.accounts.iter().flat_map(path).collect();
    nodes.len() as u32
}

fn main() {
    let mut criterion = AnyCriterion::default().with_measurement(ThreadTime).configure_from_args();
    update(&mut criterion);
    build(&mut criterion);
    versions(&mut criterion);
    renew(&mut criterion);
    pages(&mut criterion);
    criterion.final_summary();
}
