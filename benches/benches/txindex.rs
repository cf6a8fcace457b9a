//! The transaction index: questions a second, and records a second.

#![allow(missing_docs, reason = "criterion's macros")]

use std::hint::black_box;

use alloy_primitives::B256;
use balsa_txindex::{DirectoryIndex, Settings, TransactionPosition};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tempfile::TempDir;

/// Questions of one iteration.
const BATCH: u64 = 4096;

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

fn txindex(criterion: &mut Criterion) {
    let dir = TempDir::new().expect("a place for files");
    let (index, keys) = filled(&dir);
    let mut group = criterion.benchmark_group("txindex");
    group.throughput(Throughput::Elements(BATCH)).sample_size(20);
    // Hashes made beforehand, all over the range, another batch each time.
    let asked = |from: u64| -> Vec<B256> {
        (0..64 * BATCH).map(|i| hash(from + i.wrapping_mul(2_654_435_761) % keys)).collect()
    };
    for (name, asked) in [("absent", asked(1 << 40)), ("present", asked(0))] {
        let mut batches = asked.chunks_exact(BATCH as usize).cycle();
        group.bench_function(format!("may_contain/{name}"), |bencher| {
            bencher.iter(|| {
                let batch = batches.next().unwrap_or_default();
                batch.iter().filter(|hash| index.may_contain(black_box(hash))).count()
            })
        });
        group.bench_function(format!("position/{name}"), |bencher| {
            bencher.iter(|| {
                let batch = batches.next().unwrap_or_default();
                batch.iter().filter(|hash| index.position(black_box(hash)).is_ok_and(|found| found.is_some())).count()
            })
        });
    }
    let mut next = keys;
    group.bench_function("set_if_not_exists/new", |bencher| {
        bencher.iter(|| {
            for _ in 0..BATCH {
                next += 1;
                let position = TransactionPosition { block_number: next, index: 0 };
                index.set_if_not_exists(&hash(next), position).expect("a working disk");
            }
        })
    });
    group.finish();
    let stats = index.stats();
    let bytes = stats.filter_bytes as f64 / stats.keys as f64;
    #[expect(clippy::print_stdout, reason = "a measurement that is not a time")]
    {
        println!("txindex/filter_bytes_a_key: {bytes:.3} ({} keys, {} runs)", stats.keys, stats.runs);
    }
}

criterion_group!(benches, txindex);
criterion_main!(benches);
