//! What a list tells about its block.

use alloy_primitives::{Address, U256};
use balsa_bal::{
    AccountChanges, Change, FlatList, Limits, SlotChanges, encode,
    inspect::{CriticalPath, Dependencies, HotSlot, ListStats},
};

const FEES: Address = Address::repeat_byte(0x01);
const POOL: Address = Address::repeat_byte(0x02);
const ALICE: Address = Address::repeat_byte(0x03);

fn changes(indices: &[u32]) -> Vec<Change<U256>> {
    indices.iter().map(|&index| Change { block_access_index: index, post: U256::from(index) }).collect()
}

/// Four transactions: all pay fees, 1, 2 and 4 use a slot of the pool (as index 0 and 5 do), 2 and 3 are Alice's.
fn list() -> FlatList {
    let slot = |slot: u64, indices: &[u32]| SlotChanges { slot: U256::from(slot), changes: changes(indices) };
    let accounts = [
        AccountChanges { address: FEES, balance_changes: changes(&[1, 2, 3, 4]), ..Default::default() },
        AccountChanges {
            address: POOL,
            storage_changes: vec![slot(3, &[3]), slot(7, &[0, 1, 2, 4, 5])],
            storage_reads: vec![U256::from(1)],
            ..Default::default()
        },
        AccountChanges { address: ALICE, balance_changes: changes(&[2, 3]), ..Default::default() },
        AccountChanges { address: Address::repeat_byte(0x04), ..Default::default() },
    ];
    let limits = Limits { index_max: 5, gas_limit: 60_000, code_size_max: 0 };
    FlatList::decode(encode(&accounts), &limits).unwrap()
}

#[test]
fn the_graph_links_writers_of_one_value() {
    let graph = Dependencies::of(&list(), 4, Some(&FEES));
    assert_eq!([0, 1, 2, 3].map(|at| graph.parents(at).to_vec()), [vec![], vec![0], vec![1], vec![1]]);
    assert_eq!(graph.edges(), 3);
    assert_eq!(graph.depths(), [1, 1, 2]);
    assert_eq!(graph.critical_path(|_| 1).cost, 3);
    // The third transaction is long: the path goes through it.
    let cost = |at| if at == 2 { 10 } else { 2 };
    assert_eq!(graph.critical_path(cost), CriticalPath { transactions: vec![0, 1, 2], cost: 14 });
    assert_eq!(graph.ideal_speed_up(cost), 16.0 / 14.0);
}

#[test]
fn fees_alone_would_chain_all() {
    let graph = Dependencies::of(&list(), 4, None);
    assert_eq!(graph.depths(), [1, 1, 1, 1]);
    assert_eq!(graph.ideal_speed_up(|_| 1), 1.0);
}

#[test]
fn an_empty_block_has_no_path() {
    let graph = Dependencies::of(&list(), 0, None);
    assert_eq!(graph.critical_path(|_| 1), CriticalPath::default());
    assert_eq!(graph.ideal_speed_up(|_| 1), 1.0);
    assert!(graph.depths().is_empty());
}

#[test]
fn stats_count_everything() {
    let list = list();
    let hottest = HotSlot { address: POOL, slot: U256::from(7), changes: 5 };
    let expected = ListStats {
        bytes: list.bytes().len(),
        accounts: 4,
        accounts_unchanged: 1,
        slots_changed: 2,
        slots_read: 1,
        storage_changes: 6,
        balance_changes: 6,
        nonce_changes: 0,
        code_changes: 0,
        code_bytes: 0,
        row_max: 3,
        hot_slots: vec![hottest],
    };
    assert_eq!(ListStats::of(&list, 1), expected);
}
