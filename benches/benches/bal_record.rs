//! Time and memory of recording a block in each mode, fed from journals as the executor does it, and live.

use alloy_primitives::{Address, U256};
use balsa_bal::{Record, Recorder};
use balsa_benches::block::{Block, check, record, trace, verify};
use criterion::{Criterion, Throughput};
use std::{hint::black_box, time::Duration};

/// A transaction of a thousand writes in frames, every second of which reverts.
fn frames(recorder: &mut Recorder<Record>) {
    let address = Address::repeat_byte(1);
    let mut row = recorder.begin(1);
    for frame in 0..100u64 {
        row.enter_frame();
        for slot in 0..10 {
            row.slot_write(address, U256::from(slot), U256::ZERO, U256::from(frame));
        }
        if frame % 2 == 0 { row.revert_frame() } else { row.commit_frame() }
    }
    row.discard();
}

#[expect(clippy::print_stdout, reason = "a bench prints")]
fn memory(block: &Block) {
    assert_eq!(check(block).unaccessed(block.list()).next(), None, "the block accesses its whole list");
    assert_eq!(record(block).into_bytes(), *block.list().bytes(), "what is recorded is the list");
    let [verify, record, trace] =
        [verify(block).memory_bytes(), record(block).memory_bytes(), trace(block).memory_bytes()];
    let (items, accesses) = (block.list().item_count(), block.accesses());
    println!("bal/record/memory/{items}: {accesses} accesses; verify {verify}, record {record}, trace {trace} bytes");
}

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    for items in [300, 4700] {
        let block = Block::new(items);
        memory(&block);
        let mut group = criterion.benchmark_group("bal/record");
        group.throughput(Throughput::Elements(block.accesses() as u64));
        group.bench_function(format!("check/{items}"), |bencher| bencher.iter(|| check(&block)));
        group.bench_function(format!("verify/{items}"), |bencher| bencher.iter(|| verify(&block)));
        group.bench_function(format!("record/{items}"), |bencher| bencher.iter(|| record(&block)));
        group.bench_function(format!("trace/{items}"), |bencher| bencher.iter(|| trace(&block)));
        group.bench_function(format!("into_bytes/{items}"), |bencher| {
            bencher.iter_batched(|| record(&block), Recorder::into_bytes, criterion::BatchSize::LargeInput);
        });
        group.finish();
    }
    let mut recorder = Recorder::<Record>::new(0);
    criterion.bench_function("bal/record/frames/1000", |bencher| bencher.iter(|| frames(black_box(&mut recorder))));
    criterion.final_summary();
}
