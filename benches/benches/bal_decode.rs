//! `FlatList::decode` against the decoder of `alloy-eip7928`, on the same bytes.
//!
//! Criterion measures each for itself; on a machine with other work the two are then measured under different
//! weather. So the ratio is taken apart, from runs in turn.

use alloy_eip7928::AccountChanges;
use alloy_primitives::Bytes;
use alloy_rlp::Decodable;
use balsa_bal::{FlatList, KeyHashes, encode};
use balsa_benches::lists::{LIMITS, list};
use criterion::{Criterion, Throughput};
use std::{
    hint::black_box,
    time::{Duration, Instant},
};

fn flat(bytes: &Bytes) -> FlatList {
    FlatList::decode(bytes.clone(), &LIMITS).expect("a valid list")
}

fn alloy(bytes: &Bytes) -> Vec<AccountChanges> {
    Vec::decode(&mut bytes.as_ref()).expect("a valid list")
}

fn decode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("bal");
    for items in [300, 4700, 30_000] {
        let bytes = encode(&list(items));
        let decoded = flat(&bytes);
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(format!("decode/flat/{items}"), |bencher| bencher.iter(|| flat(&bytes)));
        group.bench_function(format!("decode/alloy/{items}"), |bencher| bencher.iter(|| alloy(&bytes)));
        group.bench_function(format!("key_hashes/{items}"), |bencher| bencher.iter(|| KeyHashes::of(&decoded)));
        group.bench_function(format!("encode/{items}"), |bencher| bencher.iter(|| encode(&decoded.to_accounts())));
    }
    group.finish();
}

fn lookup(criterion: &mut Criterion) {
    let list = flat(&encode(&list(4700)));
    let accounts = list.addresses().to_vec();
    let slots: Vec<_> = (0..list.slots_len() as u32).map(|at| (list.slot_account(at), list.slot(at))).collect();
    let mut group = criterion.benchmark_group("bal/lookup");
    group.throughput(Throughput::Elements(accounts.len() as u64));
    group.bench_function("ordinal", |bencher| {
        bencher.iter(|| accounts.iter().filter_map(|address| list.ordinal(black_box(address))).max());
    });
    group.bench_function("ordinal_by_search", |bencher| {
        bencher.iter(|| accounts.iter().filter_map(|address| accounts.binary_search(black_box(address)).ok()).max());
    });
    group.throughput(Throughput::Elements(slots.len() as u64));
    group.bench_function("slot_ordinal", |bencher| {
        bencher.iter(|| slots.iter().filter_map(|(at, slot)| list.slot_ordinal(*at, black_box(slot))).max());
    });
    group.bench_function("slot_before", |bencher| {
        bencher.iter(|| (0..slots.len() as u32).filter(|at| list.slot_before(*at, black_box(100)).is_some()).count());
    });
    group.finish();
}

/// Median times of both decoders in turn, and their ratio.
#[expect(clippy::print_stdout, reason = "a bench prints")]
fn ratio() {
    for items in [300, 4700, 30_000] {
        let bytes = encode(&list(items));
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..2_000_000 / items {
            ours.push(time(|| flat(&bytes)));
            theirs.push(time(|| alloy(&bytes)));
        }
        let [ours, theirs] = [ours, theirs].map(|mut times| {
            times.sort_unstable();
            times[times.len() / 2]
        });
        let ratio = theirs.as_secs_f64() / ours.as_secs_f64();
        println!("bal/decode/ratio/{items}: {} bytes, flat {ours:?}, alloy {theirs:?}, {ratio:.2}x", bytes.len());
    }
}

/// The time to make something; dropping it counts.
fn time<T>(make: impl FnOnce() -> T) -> Duration {
    let start = Instant::now();
    drop(black_box(make()));
    start.elapsed()
}

fn main() {
    ratio();
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    decode(&mut criterion);
    lookup(&mut criterion);
    criterion.final_summary();
}
