//! The bars that are ratios, each measured in one interleaved run and printed as rows of a table. An argument selects
//! the benches whose names contain it.
#![expect(clippy::print_stdout, reason = "a report")]

use alloy_primitives::{B256, U256, keccak256};
use alloy_rlp::Decodable;
use balsa_bal::{FlatList, encode};
use balsa_benches::{
    Contest,
    block::{self, Block},
    lists::{LIMITS, list},
};
use balsa_keccak::Backend;
use balsa_trie::OrderedRoot;
use std::{hint::black_box, ops::Range};

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
    for items in [300, 4700] {
        bal_decode(items);
        bal_record(items);
    }
    bal_ordinal(4700);
    bal_slot_ordinal(4700);
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

/// The same bytes to a tree of records and to columns; the columns are checked for order and form, the tree is not.
fn bal_decode(items: usize) {
    let bytes = &encode(&list(items));
    let title = format!("bal/decode/{items}");
    let contest = Contest::new(&title)
        .way("alloy-eip7928", move || {
            black_box(Vec::<alloy_eip7928::AccountChanges>::decode(&mut bytes.as_ref()).unwrap());
        })
        .way("FlatList", move || {
            black_box(FlatList::decode(bytes.clone(), &LIMITS).unwrap());
        });
    print(contest);
}

/// A block in each mode. The reference is the check without a map.
fn bal_record(items: usize) {
    let block = &Block::new(items);
    let title = format!("bal/record/{items}");
    let contest = Contest::new(&title)
        .way("check", || {
            black_box(block::check(block));
        })
        .way("verify", || {
            black_box(block::verify(block));
        })
        .way("record", || {
            black_box(block::record(block));
        })
        .way("trace", || {
            black_box(block::trace(block));
        });
    print(contest);
}

/// Every address of a list looked up.
fn bal_ordinal(items: usize) {
    let list = &flat_list(items);
    let accounts = &in_no_order(list.addresses().to_vec(), |address| keccak256(address));
    let title = format!("bal/ordinal/{items}");
    let contest = Contest::new(&title)
        .way("search", move || {
            let ordinal = |address| list.addresses().binary_search(black_box(address)).ok();
            black_box(accounts.iter().filter_map(ordinal).max());
        })
        .way("table", move || {
            black_box(accounts.iter().filter_map(|address| list.ordinal(black_box(address))).max());
        });
    print(contest);
}

/// Every slot of a list looked up, its account known.
fn bal_slot_ordinal(items: usize) {
    let list = &flat_list(items);
    let slots = (0..list.slots_len() as u32).map(|at| (list.slot_account(at), list.slot(at))).collect();
    let slots = &in_no_order(slots, |(_, slot)| keccak256(slot.to_be_bytes::<32>()));
    let plain = |range: Range<u32>, slot: &U256| {
        list.slots()[range.start as usize..range.end as usize]
            .binary_search(slot)
            .ok()
            .map(|at| range.start + at as u32)
    };
    let title = format!("bal/slot_ordinal/{items}");
    let contest = Contest::new(&title)
        .way("std's search", move || {
            let ordinal = |(account, slot): &(u32, U256)| {
                let changed = plain(list.changed_slots(*account), black_box(slot));
                changed.or_else(|| plain(list.read_slots(*account), black_box(slot)))
            };
            black_box(slots.iter().filter_map(ordinal).max());
        })
        .way("slot_ordinal", move || {
            black_box(slots.iter().filter_map(|(account, slot)| list.slot_ordinal(*account, black_box(slot))).max());
        });
    print(contest);
}

fn flat_list(items: usize) -> FlatList {
    FlatList::decode(encode(&list(items)), &LIMITS).unwrap()
}

/// Sorted by a hash, so that a processor can learn nothing.
fn in_no_order<T>(mut items: Vec<T>, hash: impl Fn(&T) -> B256) -> Vec<T> {
    items.sort_by_key(hash);
    items
}

fn print(contest: Contest<'_>) {
    let filter = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    if filter.is_none_or(|filter| contest.title().contains(&filter)) {
        for figure in contest.run(ROUNDS) {
            println!("{figure}");
        }
    }
}
