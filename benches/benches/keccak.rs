//! `keccak/…`: batches of inputs, as the crate chooses and with each back end of this machine.

use alloy_primitives::B256;
use balsa_keccak::{Backend, keccak256, keccak256_fixed, keccak256_many};
use criterion::{BenchmarkId, Criterion, Throughput};
use std::hint::black_box;

fn inputs(length: usize, count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|i| (0..length).map(|j| (i * 31 + j * 7) as u8).collect()).collect()
}

fn one(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("keccak/one");
    for length in [32, 532] {
        let input = &inputs(length, 1)[0];
        group.bench_function(BenchmarkId::from_parameter(length), |b| b.iter(|| keccak256(black_box(input))));
    }
    group.finish();
}

fn many(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("keccak/many");
    for (length, count) in [(32, 1), (32, 2), (32, 4), (32, 8), (32, 1000), (100, 1000), (532, 8), (532, 1000)] {
        let inputs = inputs(length, count);
        let mut hashes = vec![B256::ZERO; count];
        group.throughput(Throughput::Elements(count as u64));
        group.bench_function(BenchmarkId::from_parameter(format!("{length}x{count}")), |b| {
            b.iter(|| keccak256_many(black_box(&inputs), &mut hashes));
        });
    }
    group.finish();
}

fn fixed(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("keccak/fixed");
    group.throughput(Throughput::Elements(1000));
    let mut hashes = vec![B256::ZERO; 1000];
    let addresses: Vec<[u8; 20]> = inputs(20, 1000).into_iter().map(|input| input.try_into().unwrap()).collect();
    group.bench_function("20x1000", |b| b.iter(|| keccak256_fixed(black_box(&addresses), &mut hashes)));
    let slots: Vec<[u8; 32]> = inputs(32, 1000).into_iter().map(|input| input.try_into().unwrap()).collect();
    group.bench_function("32x1000", |b| b.iter(|| keccak256_fixed(black_box(&slots), &mut hashes)));
    group.finish();
}

fn backends(criterion: &mut Criterion) {
    for backend in Backend::available() {
        let mut group = criterion.benchmark_group(format!("keccak/{}", backend.name()));
        for (length, count) in [(32, 8), (532, 8)] {
            let inputs = inputs(length, count);
            let mut hashes = vec![B256::ZERO; count];
            group.throughput(Throughput::Elements(count as u64));
            group.bench_function(BenchmarkId::from_parameter(format!("{length}x{count}")), |b| {
                b.iter(|| backend.keccak256_many(black_box(&inputs), &mut hashes));
            });
        }
        group.finish();
    }
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    one(&mut criterion);
    many(&mut criterion);
    fixed(&mut criterion);
    backends(&mut criterion);
    criterion.final_summary();
}
