//! Decoding and looking up, each for itself; `ratios` has them beside other ways.

use alloy_primitives::{Bytes, keccak256};
use balsa_bal::{FlatList, KeyHashes, encode};
use balsa_benches::lists::{LIMITS, list};
use criterion::{Criterion, Throughput};
use std::{hint::black_box, time::Duration};

fn flat(bytes: &Bytes) -> FlatList {
    FlatList::decode(bytes.clone(), &LIMITS).expect("a valid list")
}

fn decode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("bal");
    for items in [300, 4700, 30_000] {
        let bytes = encode(&list(items));
        let decoded = flat(&bytes);
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(format!("decode/{items}"), |bencher| bencher.iter(|| flat(&bytes)));
        group.bench_function(format!("key_hashes/{items}"), |bencher| bencher.iter(|| KeyHashes::of(&decoded)));
        group.bench_function(format!("encode/{items}"), |bencher| bencher.iter(|| encode(&decoded.to_accounts())));
    }
    group.finish();
}

fn lookup(criterion: &mut Criterion) {
    let list = flat(&encode(&list(4700)));
    let accounts = list.addresses().to_vec();
    let mut slots: Vec<_> = (0..list.slots_len() as u32).map(|at| (list.slot_account(at), list.slot(at))).collect();
    // In no order that a processor could learn.
    slots.sort_by_key(|(_, slot)| keccak256(slot.to_be_bytes::<32>()));
    let mut group = criterion.benchmark_group("bal/lookup");
    group.throughput(Throughput::Elements(accounts.len() as u64));
    group.bench_function("ordinal", |bencher| {
        bencher.iter(|| accounts.iter().filter_map(|address| list.ordinal(black_box(address))).max());
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

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    decode(&mut criterion);
    lookup(&mut criterion);
    criterion.final_summary();
}
