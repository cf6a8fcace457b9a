//! The transaction index: questions a second, and records a second.

#![expect(clippy::print_stdout, reason = "a report")]

use std::{hint::black_box, time::Instant};

use alloy_primitives::B256;
use balsa_txindex::{DirectoryIndex, Settings, TransactionPosition};
use tempfile::TempDir;

/// Questions of one run.
const BATCH: u64 = 1024;
const ROUNDS: usize = 2001;

/// Keys that look like hashes; the index mixes them with its own seed.
fn hash(i: u64) -> B256 {
    let mut bytes = [0; 32];
    for (word, salt) in bytes.chunks_exact_mut(8).zip(1u64..) {
        let mixed = (i ^ salt << 56).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        word.copy_from_slice(&(mixed ^ mixed >> 29).to_le_bytes());
    }
    bytes.into()
}

/// An index of `BALSA_BENCH_KEYS` transactions, 4 million if not set.
fn filled(dir: &TempDir) -> (DirectoryIndex, u64) {
    let keys = std::env::var("BALSA_BENCH_KEYS").ok().and_then(|keys| keys.parse().ok()).unwrap_or(4_000_000);
    let directories = vec![dir.path().join("a"), dir.path().join("b")];
    let settings = Settings { directories, recent_records_max: 1 << 18 };
    let index = DirectoryIndex::open(&settings, B256::ZERO).expect("an empty directory");
    for i in 0..keys {
        index.set(&hash(i), TransactionPosition { block_number: i, index: 0 }).expect("a working disk");
    }
    (index, keys)
}

fn main() {
    let dir = TempDir::new().expect("a place for files");
    let (index, keys) = filled(&dir);
    // Hashes made beforehand, all over the range, and other ones each time: caches must not know them.
    let all_over = |from: u64| -> Vec<B256> {
        (0..64 * BATCH).map(|i| hash(from + i.wrapping_mul(2_654_435_761) % keys)).collect()
    };
    let (absent, present) = (all_over(1 << 40), all_over(0));
    println!("| bench | median of a question | best tenth | a second |\n|---|---|---|---|");
    for (name, asked) in [("absent", &absent), ("present", &present)] {
        let mut asked = asked.chunks_exact(BATCH as usize).cycle();
        let mut batch = || asked.next().unwrap_or_default();
        measure(&format!("txindex/may_contain/{name}"), || {
            black_box(batch().iter().filter(|hash| index.may_contain(black_box(hash))).count());
        });
        measure(&format!("txindex/may_contain_many/{name}"), || {
            let mut count = 0;
            index.may_contain_many(batch(), |_, found| count += usize::from(found));
            black_box(count);
        });
        measure(&format!("txindex/position/{name}"), || {
            black_box(batch().iter().filter(|hash| index.contains(black_box(hash)).is_ok_and(|found| found)).count());
        });
    }
    let mut next = keys;
    measure("txindex/set_if_not_exists/new", || {
        for _ in 0..BATCH {
            next += 1;
            let position = TransactionPosition { block_number: next, index: 0 };
            index.set_if_not_exists(&hash(next), position).expect("a working disk");
        }
    });
    let stats = index.stats();
    let bytes = stats.filter_bytes as f64 / stats.keys as f64;
    println!("\nfilters: {bytes:.3} bytes a key with {} keys; {} runs", stats.keys, stats.runs);
}

/// Prints what a question takes, over short rounds: on a busy machine the best tenth of them is what it takes undisturbed.
fn measure(name: &str, mut work: impl FnMut()) {
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed().as_nanos() as f64 / BATCH as f64
        })
        .collect();
    rounds.sort_unstable_by(f64::total_cmp);
    let (median, best) = (rounds[ROUNDS / 2], rounds[ROUNDS / 10]);
    println!("| `{name}` | {median:.1} ns | {best:.1} ns | {:.1} M |", 1000.0 / best);
}
