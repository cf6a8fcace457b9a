//! The store against a model in maps, over random chains, merged flushes and re-openings.

mod fake_chain;

use std::sync::Arc;

use alloy_primitives::B256;
use balsa_storage::{BlockPointer, CanonicalBlock, FlushBatch, FlushError, LISTS_KEPT_BLOCKS, Persister, Pointers};
use fake_chain::{FakeBlock, Model, Numbers, SEED, batch, open, settings};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    /// Seed 1 is the chain's; `choices` decides how many blocks one flush takes, and when the store is opened anew.
    #[test]
    fn the_store_equals_the_model(choices in any::<u64>(), flushes in 1..30usize) {
        let mut choices = Numbers(choices);
        let dir = tempfile::tempdir().unwrap();
        let mut store = open(dir.path(), settings()).unwrap();
        let (mut model, mut next) = (Model::default(), 0);
        for _ in 0..flushes {
            let blocks: Vec<_> = (next..=next + choices.below(4)).map(|n| FakeBlock::new(SEED, n)).collect();
            let before = store.snapshot().unwrap();
            store.flush(&batch(&blocks)).unwrap();
            // What was read before the flush still reads the same.
            model.check(&before);
            drop(before);
            blocks.iter().for_each(|block| model.apply(block));
            next += blocks.len() as u64;
            if choices.below(4) == 0 {
                drop(store);
                store = open(dir.path(), settings()).unwrap();
            }
            model.check(&store.snapshot().unwrap());
        }
    }
}

#[test]
fn a_persister_writes_what_it_was_handed_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), settings()).unwrap();
    let persister = Persister::start(store.clone()).unwrap();
    for number in 0..40 {
        persister.persist(batch(&[FakeBlock::new(SEED, number)])).unwrap();
    }
    persister.ping().unwrap();
    let model = Model::at(39);
    model.check(&store.snapshot().unwrap());
    assert_eq!(persister.flushed_head(), model.blocks.last().map(|(head, ..)| *head));
    assert_eq!(persister.stats().batches, 40);

    persister.persist(batch(&[FakeBlock::new(SEED, 40)])).unwrap();
    persister.close().unwrap();
    Model::at(40).check(&store.snapshot().unwrap());
}

#[test]
fn the_first_error_of_a_persister_stays() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), settings()).unwrap();
    let persister = Persister::start(store.clone()).unwrap();
    persister.persist(batch(&[FakeBlock::new(SEED, 0)])).unwrap();
    persister.ping().unwrap();
    // Block 1 is left out: the flush of block 2 must fail, and block 1 must not be written after it.
    persister.persist(batch(&[FakeBlock::new(SEED, 2)])).unwrap();
    assert!(persister.ping().is_err());
    assert!(persister.persist(batch(&[FakeBlock::new(SEED, 1)])).is_err());
    assert!(persister.close().is_err());
    Model::at(0).check(&store.snapshot().unwrap());
}

#[test]
fn a_flush_that_does_not_continue_the_head_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), settings()).unwrap();
    let blocks: Vec<_> = (0..4).map(|number| FakeBlock::new(SEED, number)).collect();
    assert!(matches!(store.flush(&batch(&blocks[1..])), Err(FlushError::Gap { head: 0, first: 1, .. })));
    store.flush(&batch(&blocks[..2])).unwrap();
    assert!(matches!(store.flush(&batch(&blocks[1..2])), Err(FlushError::NotLater { number: 1, head: 1 })));
    assert!(matches!(store.flush(&batch(&blocks[3..])), Err(FlushError::Gap { head: 1, first: 3, .. })));
    let mut without_canonical = batch(&blocks[2..]);
    without_canonical.canonical.clear();
    assert!(matches!(store.flush(&without_canonical), Err(FlushError::Gap { head: 1, .. })));
    Model::at(1).check(&store.snapshot().unwrap());
}

#[test]
fn blocks_above_the_head_wait_and_side_blocks_go() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), settings()).unwrap();
    store.flush(&batch(&[FakeBlock::new(SEED, 0)])).unwrap();

    let (canonical, side) = (FakeBlock::new(SEED, 1), FakeBlock::new(SEED + 1, 1));
    let above = FakeBlock::new(SEED + 1, 2);
    let blocks = [&canonical, &side, &above].map(|block| block.record.clone()).to_vec();
    let tip = BlockPointer { number: 2, hash: above.record.hash };
    store
        .flush(&FlushBatch {
            blocks,
            pointers: Pointers { tip: Some(tip), ..Pointers::default() },
            ..FlushBatch::default()
        })
        .unwrap();
    drop(store);

    let store = open(dir.path(), settings()).unwrap();
    let snapshot = store.snapshot().unwrap();
    assert_eq!(snapshot.tip().unwrap(), Some(tip));
    let mut waiting = [canonical.pointer(), side.pointer()];
    waiting.sort_by_key(|block| block.hash);
    assert_eq!(snapshot.blocks_above_head().unwrap(), [waiting[0], waiting[1], above.pointer()]);
    assert_eq!(snapshot.body(&side.pointer()).unwrap().as_ref(), Some(&side.record.body));
    assert_eq!(snapshot.canonical_hash(1).unwrap(), None);
    Model::at(0).check(&snapshot);

    // The state of block 1 follows; its record is stored already and need not come again.
    let mut batch = batch(&[FakeBlock::new(SEED, 1)]);
    batch.blocks.clear();
    store.flush(&batch).unwrap();
    let snapshot = store.snapshot().unwrap();
    Model::at(1).check(&snapshot);
    assert_eq!(snapshot.blocks_above_head().unwrap(), [above.pointer()]);
    for side_row in [snapshot.body(&side.pointer()), snapshot.receipts(&side.pointer()), snapshot.list(&side.pointer())]
    {
        assert_eq!(side_row.unwrap(), None);
    }
    assert_eq!(snapshot.header(&side.pointer()).unwrap(), None);
    assert_eq!(snapshot.number(&side.record.hash).unwrap(), None);
}

#[test]
fn sizes_are_told_for_every_table() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), settings()).unwrap();
    store.flush(&batch(&(0..20).map(|number| FakeBlock::new(SEED, number)).collect::<Vec<_>>())).unwrap();
    let stats = store.stats().unwrap();
    let rows = |name: &str| stats.tables.iter().find(|table| table.table.name() == name).unwrap().rows_estimate;
    assert_eq!((rows("headers"), rows("canonical"), rows("lists")), (20, 20, 10));
    assert!(rows("slots") > 0 && rows("meta") > 0 && stats.journal_bytes > 0 && stats.write_buffer_bytes > 0);
}

#[test]
fn lists_are_kept_as_long_as_they_must_be_and_no_longer() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), settings()).unwrap();
    let with_list = |number: u64| {
        let mut block = FakeBlock::new(SEED, number);
        Arc::make_mut(&mut block.record).list = Some(vec![0xc0].into());
        block
    };
    // One flush up to the last block at which nothing is too old; only the first blocks are there in full.
    let last = FakeBlock::new(SEED, LISTS_KEPT_BLOCKS);
    let first: Vec<_> = (0..10).map(with_list).collect();
    let bare = (10..last.head.number).map(|number| CanonicalBlock {
        block: BlockPointer { number, hash: B256::with_last_byte(number as u8) },
        transactions: Vec::new(),
    });
    let mut flush = batch(&first);
    flush.canonical.extend(bare.chain([last.canonical.clone()]));
    flush.blocks.push(last.record.clone());
    flush.head = Some(last.head);
    store.flush(&flush).unwrap();

    let kept = || {
        let snapshot = store.snapshot().unwrap();
        let kept = first.iter().filter(|block| snapshot.list(&block.pointer()).unwrap().is_some());
        assert!(first.iter().all(|block| snapshot.body(&block.pointer()).unwrap().is_some()));
        (kept.map(|block| block.pointer().number).min(), snapshot.lists_from().unwrap())
    };
    assert_eq!(kept(), (Some(0), 0));
    for above in 1..4 {
        store.flush(&batch(&[with_list(LISTS_KEPT_BLOCKS + above)])).unwrap();
        assert_eq!(kept(), (Some(above), above));
    }
}
