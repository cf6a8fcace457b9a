//! The index against a map, across spills, merges and restarts; both forms against each other; the filter's promise.

mod numbers;

use std::collections::HashMap;

use alloy_consensus::Header;
use alloy_primitives::{B256, Bytes};
use balsa_storage::{BlockPointer, BlockRecord, CanonicalBlock, FlushBatch, Head, Settings as StoreSettings, Store};
use balsa_txindex::{DirectoryIndex, FALSE_POSITIVE_RATE_MAX, IndexError, Mark, TransactionIndex, TransactionPosition};
use numbers::{Numbers, hash, open, position, settings};

type Model = HashMap<u64, TransactionPosition>;

/// One random change of one of `transactions` transactions, on both.
fn step(index: &DirectoryIndex, model: &mut Model, numbers: &mut Numbers, transactions: u64) {
    let i = numbers.below(transactions);
    let new = position(numbers.below(3), numbers.below(2) as u32);
    let current = model.get(&i).copied();
    match numbers.below(4) {
        0 => {
            assert_eq!(index.set_if_not_exists(&hash(i), new).unwrap(), current);
            model.entry(i).or_insert(new);
        }
        1 => assert_eq!(index.set(&hash(i), new).unwrap(), model.insert(i, new)),
        2 => {
            assert_eq!(index.remove(&hash(i), new).unwrap(), current == Some(new));
            if current == Some(new) {
                model.remove(&i);
            }
        }
        _ => assert_eq!(index.position(&hash(i)).unwrap(), current),
    }
}

fn check(index: &DirectoryIndex, model: &Model, transactions: u64) {
    for i in 0..transactions {
        assert_eq!(index.position(&hash(i)).unwrap(), model.get(&i).copied(), "transaction {i}");
    }
    assert_eq!(index.stats().keys, model.len() as u64);
}

#[test]
fn answers_are_those_of_a_map_across_spills_merges_and_restarts() {
    let mut numbers = Numbers::random();
    for directories in [1, 3] {
        let dir = tempfile::tempdir().unwrap();
        let settings = settings(&dir, directories, 40);
        let mut model = Model::new();
        for _ in 0..6 {
            let index = open(&settings);
            check(&index, &model, 500);
            for _ in 0..1500 {
                step(&index, &mut model, &mut numbers, 500);
            }
            check(&index, &model, 500);
        }
        let index = open(&settings);
        for _ in 0..20_000 {
            step(&index, &mut model, &mut numbers, 500);
        }
        assert!(index.stats().merges > 0, "the test is about merges too");
    }
}

#[test]
fn filters_grow_and_stay_right() {
    const COUNT: u64 = 2_500_000;
    let dir = tempfile::tempdir().unwrap();
    let settings = settings(&dir, 2, 1 << 17);
    let index = open(&settings);
    // Cheap hashes: the index mixes them itself.
    let hash = |i: u64| B256::left_padding_from(&i.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    for i in 0..COUNT {
        assert_eq!(index.set_if_not_exists(&hash(i), position(i, 0)).unwrap(), None);
    }
    assert!((0..COUNT).all(|i| index.may_contain(&hash(i))), "a filter forgot");
    let asked: Vec<B256> = (0..100_001).map(|i| hash(COUNT - 50_000 + i)).collect();
    let mut answers = vec![None; asked.len()];
    index.may_contain_many(&asked, |position, found| answers[position] = Some(found));
    let one_by_one: Vec<_> = asked.iter().map(|hash| Some(index.may_contain(hash))).collect();
    assert_eq!(answers, one_by_one);
    for i in (0..COUNT).step_by(997) {
        assert_eq!(index.position(&hash(i)).unwrap(), Some(position(i, 0)));
    }
    let before = index.stats();
    assert_eq!(before.keys, COUNT);
    for i in COUNT..COUNT + 200_000 {
        assert_eq!(index.position(&hash(i)).unwrap(), None);
    }
    let rate = (index.stats().disk_lookups - before.disk_lookups) as f64 / 200_000.0;
    assert!(rate < FALSE_POSITIVE_RATE_MAX, "{rate} of the misses went to disk");
    assert!(rate > 0.0, "the count of questions let through counts nothing");
    drop(index);
    let index = open(&settings);
    assert_eq!(index.stats().keys, COUNT);
    assert!((0..COUNT).all(|i| index.may_contain(&hash(i))), "a filter forgot after a restart");
}

#[test]
fn marks_survive_and_other_directories_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let settings = settings(&dir, 2, 16);
    let index = open(&settings);
    assert_eq!(index.mark(), None);
    let mark = |number| Mark { number, hash: hash(number) };
    for number in 0..40 {
        index.add_block(number, &[hash(number)]).unwrap();
        index.flush(mark(number)).unwrap();
    }
    assert!(matches!(DirectoryIndex::open(&settings, B256::ZERO), Err(IndexError::Locked { .. })));
    drop(index);
    let index = open(&settings);
    assert_eq!(index.mark(), Some(mark(39)), "across spills");
    assert_eq!(index.position(&hash(7)).unwrap(), Some(position(7, 0)));
    index.remove_block(7, &[hash(7)]).unwrap();
    assert_eq!(index.position(&hash(7)).unwrap(), None);
    drop(index);
    let mut swapped = settings.clone();
    swapped.directories.reverse();
    assert!(matches!(DirectoryIndex::open(&swapped, B256::ZERO), Err(IndexError::OtherPlace { .. })));
    swapped.directories.truncate(1);
    assert!(matches!(DirectoryIndex::open(&swapped, B256::ZERO), Err(IndexError::OtherPlace { .. })));
    assert!(matches!(DirectoryIndex::open(&settings, hash(1)), Err(IndexError::OtherGenesis { .. })));
}

/// A block as both forms see it.
struct Block {
    number: u64,
    transactions: Vec<B256>,
}

fn flush(store: &Store, index: &TransactionIndex, blocks: &[Block]) {
    let mut batch = FlushBatch::default();
    for Block { number, transactions } in blocks {
        let header = Header { number: *number, ..Header::default() };
        let block = BlockPointer { number: *number, hash: header.hash_slow() };
        let state_root = header.state_root;
        index.add_block(*number, transactions).unwrap();
        batch.head = Some(Head { number: *number, hash: block.hash, state_root, total_difficulty: Default::default() });
        let record = BlockRecord { hash: block.hash, header, body: Bytes::new(), receipts: Bytes::new(), list: None };
        batch.blocks.push(record.into());
        batch.canonical.push(CanonicalBlock { block, transactions: transactions.clone() });
    }
    store.flush(&batch).unwrap();
}

#[test]
fn both_forms_give_the_same_answers() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("store"), B256::ZERO, 1, StoreSettings::default()).unwrap();
    let engine = TransactionIndex::Engine(store.clone());
    let directories = TransactionIndex::Directories(open(&settings(&dir, 2, 64)));
    let block = |number: u64| Block { number, transactions: (0..number % 5).map(|i| hash(number * 8 + i)).collect() };
    for number in 0..100 {
        flush(&store, &directories, &[block(number)]);
    }
    let answers =
        |index: &TransactionIndex| -> Vec<_> { (0..1000).map(|i| index.position(&hash(i)).unwrap()).collect() };
    assert_eq!(answers(&engine), answers(&directories));
    assert_eq!(answers(&engine).iter().flatten().count(), 200);
}
