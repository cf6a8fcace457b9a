//! The bars that are ratios, each measured in one interleaved run and printed as rows of a table. An argument selects
//! the benches whose names contain it.
#![expect(clippy::print_stdout, reason = "a report")]

use alloy_primitives::B256;
use balsa_benches::Contest;
use balsa_keccak::Backend;
use balsa_trie::OrderedRoot;
use std::hint::black_box;

const ROUNDS: usize = 501;

fn main() {
    println!("| bench | way | median of a run | times the reference |\n|---|---|---|---|");
    for count in [1, 2, 3, 4, 5, 8] {
        keccak_many(32, count);
    }
    for (length, count) in [(32, 1000), (100, 1000), (532, 1), (532, 2), (532, 8), (532, 1000)] {
        keccak_many(length, count);
    }
    keccak_fixed::<20>();
    keccak_fixed::<32>();
    for (length, count) in [(44, 16), (150, 200), (500, 200), (500, 2000)] {
        ordered_root(length, count);
    }
}

fn inputs(length: usize, count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|i| (0..length).map(|j| (i * 31 + j * 7) as u8).collect()).collect()
}

/// Every back end of this machine beside the scalar assembly, on one core.
fn keccak_many(length: usize, count: usize) {
    let inputs = inputs(length, count);
    let title = format!("keccak/many/{length}x{count}");
    let mut contest = Contest::new(&title);
    for backend in Backend::available() {
        let mut hashes = vec![B256::ZERO; count];
        let inputs = &inputs;
        contest = contest.way(backend.name(), move || backend.keccak256_many(black_box(inputs), &mut hashes));
    }
    print(contest);
}

fn keccak_fixed<const N: usize>() {
    let inputs: Vec<[u8; N]> = inputs(N, 1000).into_iter().map(|input| input.try_into().unwrap()).collect();
    let title = format!("keccak/fixed/{N}x1000");
    let mut contest = Contest::new(&title);
    for backend in Backend::available() {
        let mut hashes = vec![B256::ZERO; inputs.len()];
        let inputs = &inputs;
        contest = contest.way(backend.name(), move || backend.keccak256_fixed(black_box(inputs), &mut hashes));
    }
    print(contest);
}

/// The root of a list: withdrawals, small and usual transactions or receipts. The stream is measured from the first
/// item to the last, although in a block it runs beside the transactions.
fn ordered_root(length: usize, count: usize) {
    let items = inputs(length, count);
    let items = &items;
    let title = format!("trie/ordered_root/{length}x{count}");
    let contest = Contest::new(&title)
        .way("alloy-trie", move || {
            black_box(alloy_trie::root::ordered_trie_root_encoded(black_box(items)));
        })
        .way("at once", move || {
            black_box(balsa_trie::ordered_root(black_box(items)));
        })
        .way("stream", move || {
            let mut root = OrderedRoot::new(count);
            black_box(items).iter().for_each(|item| root.push(item));
            black_box(root.finish());
        });
    print(contest);
}

fn print(contest: Contest<'_>) {
    let filter = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    if filter.is_none_or(|filter| contest.title().contains(&filter)) {
        for figure in contest.run(ROUNDS) {
            println!("{figure}");
        }
    }
}
