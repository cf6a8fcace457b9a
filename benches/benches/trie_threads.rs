//! The root of one batch of changes, and of a full build, on one thread and on more: time on the clock, by turns, so that what a
//! busy machine does to one it does to the other. Five million accounts, builds of a million leaves in fresh memory, random keys.
//! Every thread has a core of its own, and is awake as in a node, where it has just run the block's transactions: to wake one takes
//! up to fifty microseconds. And every thread count has blocks of its own, as many and as large: who came second to the same block would
//! find its nodes in the cache. Builds find none, and their updates do not fit one.
//!
//! `machine` is what the machine allows: of its memory, with lines written here and there, as new nodes are; of its cores, with
//! branches hashed that lie in the cache; both without a trie. Shared machines give two threads at some times twice what they give one,
//! and at others no more than one, and a core that works alone runs faster than one of two.
//!
//! In `chain` every block stands on the one before and many recent states are kept, as in a node: new nodes take places that
//! nobody touched for long. Elsewhere each version is dropped at once, and its places lie in some core's cache.
#![expect(clippy::print_stdout, reason = "a report")]

use alloy_primitives::{B256, U256, keccak256};
use balsa_pages::HugePages;
use balsa_trie::{AccountUpdate, NoNodes, PageMemory, RootAfter, StateTrie, Updates, root_after};
use rayon::{ThreadPool, prelude::*};
use std::{
    borrow::Cow,
    collections::VecDeque,
    hint::black_box,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

const ACCOUNTS: u64 = 5_000_000;
/// Changes of a block, and how many blocks: what disturbs a machine lasts for a tenth of a second and more.
const BLOCKS: [(u64, u64); 2] = [(1000, 301), (10_000, 61)];
/// Blocks whose states a chain keeps.
const KEPT: usize = 64;
const MACHINE_ROUNDS: u64 = 101;
const BUILD_LEAVES: u64 = 1_000_000;
const BUILD_ROUNDS: u64 = 21;

fn main() {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads: Vec<usize> = [1, 2, 4, 8, 16].into_iter().filter(|threads| *threads <= cores).collect();
    let pools: Vec<ThreadPool> = threads
        .iter()
        .map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(*threads).start_handler(stay_on_one_core);
            pool.build().expect("threads can be started")
        })
        .collect();
    let empty = || StateTrie::persisted_in(StateTrie::empty().root(), Arc::new(HugePages));
    let trie = pools[pools.len() - 1].install(|| after(&empty(), &updates(0..ACCOUNTS, 1))).trie;

    println!("| bench | threads | median of a run | times one thread |\n|---|---|---|---|");
    report_machine(&pools);
    let block = |number, count| updates((0..count).map(|i| spread(number * count + i) % ACCOUNTS), number + 2);
    for (count, rounds) in BLOCKS {
        let times = by_turns(&pools, rounds, || trie.clone(), |number| Cow::Owned(block(number, count)));
        report(&format!("trie/threads/{count}"), &pools, &times);
    }
    for (count, rounds) in BLOCKS {
        let times = on_a_chain(&pools, rounds, &trie, |number| block(number, count));
        report(&format!("trie/threads/chain/{count}"), &pools, &times);
    }
    drop(trie);
    report_machine(&pools);
    for (kind, leaves) in [("accounts", updates(0..BUILD_LEAVES, 1)), ("slots", slots(0..BUILD_LEAVES))] {
        let name = format!("trie/threads/build/{kind}/{BUILD_LEAVES}");
        report(&name, &pools, &by_turns(&pools, BUILD_ROUNDS, empty, |_| Cow::Borrowed(&leaves)));
    }
}

/// Gives a thread a core of its own. With two cores the system lets both threads share one now and then, for seconds: then as much
/// processor time passes as time on the clock, and two threads are as fast as one.
fn stay_on_one_core(thread: usize) {
    #[cfg(target_os = "linux")]
    {
        use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
        let ours = sched_getaffinity(None).expect("a process may ask for its cores");
        let core = (0..CpuSet::MAX_CPU).filter(|core| ours.is_set(*core)).nth(thread);
        let mut own = CpuSet::new();
        own.set(core.expect("there are as many cores as threads"));
        sched_setaffinity(None, &own).expect("a thread may choose among them");
    }
}

fn report_machine(pools: &[ThreadPool]) {
    report("trie/threads/machine/memory", pools, &memory(pools));
    report("trie/threads/machine/hashing", pools, &hashing(pools));
}

/// How long each of the pools takes to hash four thousand branches of sixteen children, 64 at a time.
fn hashing(pools: &[ThreadPool]) -> Vec<Vec<Duration>> {
    const PIECES: usize = 64;
    const BRANCHES: usize = 64;
    let branches: Vec<Vec<[u8; 532]>> = (0..PIECES).map(|piece| vec![[piece as u8; 532]; BRANCHES]).collect();
    let hash = |branches: &Vec<[u8; 532]>| {
        let mut hashes = [B256::ZERO; BRANCHES];
        balsa_keccak::keccak256_many(branches, &mut hashes);
        black_box(hashes);
    };
    let mut times = vec![Vec::new(); pools.len()];
    for round in 0..MACHINE_ROUNDS {
        for i in turn(pools, round) {
            times[i].push(pools[i].install(|| {
                rayon::broadcast(|_| ());
                let start = Instant::now();
                branches.par_iter().with_max_len(1).for_each(hash);
                start.elapsed()
            }));
        }
    }
    times
}

/// How long each of the pools takes to write eighty thousand lines, five in a row, all over half a gigabyte.
fn memory(pools: &[ThreadPool]) -> Vec<Vec<Duration>> {
    const PIECES: u64 = 16;
    const PIECE_WORDS: usize = 4 << 20;
    const RUNS: u64 = 1000;
    const RUN_WORDS: usize = 40;
    let pieces: Vec<_> = (0..PIECES).map(|_| HugePages.segment(PIECE_WORDS).expect("there is memory")).collect();
    let write = |round: u64, (number, piece): (usize, &[AtomicU64])| {
        let places = (0..RUNS).map(|run| spread((round * PIECES + number as u64) * RUNS + run) as usize);
        for place in places {
            let start = place % (PIECE_WORDS - RUN_WORDS);
            piece[start..start + RUN_WORDS].iter().for_each(|word| word.store(round, Relaxed));
        }
    };
    let mut times = vec![Vec::new(); pools.len()];
    for round in 0..MACHINE_ROUNDS {
        for i in turn(pools, round) {
            let turn = round * pools.len() as u64 + i as u64;
            times[i].push(pools[i].install(|| {
                rayon::broadcast(|_| ());
                let start = Instant::now();
                pieces.par_iter().map(|piece| piece.words()).enumerate().for_each(|piece| write(turn, piece));
                start.elapsed()
            }));
        }
    }
    times
}

/// How long each of the pools takes for each of its blocks upon a version.
fn by_turns<'a>(
    pools: &[ThreadPool],
    rounds: u64,
    version: impl Fn() -> StateTrie,
    block: impl Fn(u64) -> Cow<'a, Updates>,
) -> Vec<Vec<Duration>> {
    let mut times = vec![Vec::new(); pools.len()];
    for round in 0..rounds {
        for i in turn(pools, round) {
            let block = block(round * pools.len() as u64 + i as u64);
            times[i].push(timed(&pools[i], &version(), &block).0);
        }
    }
    times
}

/// The same for a chain of blocks from `trie` on, once it has as many states as it keeps.
fn on_a_chain(
    pools: &[ThreadPool],
    rounds: u64,
    trie: &StateTrie,
    block: impl Fn(u64) -> Updates,
) -> Vec<Vec<Duration>> {
    let mut times = vec![Vec::new(); pools.len()];
    let (mut parent, mut kept) = (trie.clone(), VecDeque::new());
    for round in 0..KEPT as u64 + rounds {
        let mut head = parent.clone();
        for i in turn(pools, round) {
            let (time, made) = timed(&pools[i], &parent, &block(round * pools.len() as u64 + i as u64));
            if round >= KEPT as u64 {
                times[i].push(time);
            }
            head = made.trie.clone();
            kept.push_back(made);
        }
        parent = head;
        kept.drain(..kept.len().saturating_sub(KEPT * pools.len()));
    }
    times
}

/// In which order the pools have their turn: nobody always comes after the same other.
fn turn(pools: &[ThreadPool], round: u64) -> impl Iterator<Item = usize> {
    let count = pools.len();
    (0..count).map(move |i| (i + round as usize) % count)
}

/// Prints how long the pools took.
fn report(name: &str, pools: &[ThreadPool], times: &[Vec<Duration>]) {
    for (pool, own) in pools.iter().zip(times) {
        let mut factors: Vec<f64> =
            own.iter().zip(&times[0]).map(|(own, one)| one.as_secs_f64() / own.as_secs_f64()).collect();
        factors.sort_unstable_by(f64::total_cmp);
        let mut own = own.clone();
        own.sort_unstable();
        let (time, factor) = (own[own.len() / 2], factors[factors.len() / 2]);
        println!("| `{name}` | {} | {:.2} ms | {factor:.2} |", pool.current_num_threads(), time.as_secs_f64() * 1e3);
    }
}

/// The time on the clock, without what it takes to wake the threads and to drop the result.
fn timed(pool: &ThreadPool, parent: &StateTrie, block: &Updates) -> (Duration, RootAfter) {
    pool.install(|| {
        rayon::broadcast(|_| ());
        let start = Instant::now();
        let result = after(parent, block);
        (start.elapsed(), result)
    })
}

fn after(trie: &StateTrie, updates: &Updates) -> RootAfter {
    root_after(trie, &NoNodes, updates).expect("the trie lies in memory")
}

/// A number that is the same on every run (the finalizer of SplitMix64).
fn spread(i: u64) -> u64 {
    let mut z = i.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// One account with so many slots.
fn slots(numbers: std::ops::Range<u64>) -> Updates {
    let mut slots: Vec<_> = numbers.map(|i| (keccak256(i.to_be_bytes()), U256::from(i + 1))).collect();
    slots.sort_unstable();
    let account = AccountUpdate { address_hash: keccak256([1]), nonce: Some(1), slots, ..AccountUpdate::default() };
    Updates { accounts: vec![account], keep_empty: false }
}

fn updates(accounts: impl Iterator<Item = u64>, salt: u64) -> Updates {
    let update = |account: u64| AccountUpdate {
        address_hash: keccak256(account.to_be_bytes()),
        nonce: Some(1 + salt),
        balance: Some(U256::from(account ^ salt)),
        ..AccountUpdate::default()
    };
    let mut accounts: Vec<_> = accounts.map(update).collect();
    accounts.sort_unstable_by_key(|account: &AccountUpdate| account.address_hash);
    accounts.dedup_by_key(|account| account.address_hash);
    Updates { accounts, keep_empty: false }
}
