//! Recording against the definition of a list, and checking against every wrong one.

use crate::world::{AccountState, Outcome, RowOps, World, list, rows, run};
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use balsa_bal::{
    AccessBits, AccountAccess, AccountChanges, Change, Event, FlatList, Limits, Mismatch, Record, Recorder, RowCheck,
    SYSTEM_ADDRESS, SlotAccess, SlotChanges, Trace, Transition, Unaccessed, Verify, encode, mutate::mutations,
};
use proptest::prelude::*;
use std::sync::Arc;

const INDEX_MAX: u32 = 9;

fn decode(accounts: &[AccountChanges]) -> Arc<FlatList> {
    let limits = Limits { index_max: INDEX_MAX, gas_limit: 60_000_000, code_size_max: 100 };
    Arc::new(FlatList::decode(encode(accounts), &limits).unwrap())
}

fn record(rows: &[RowOps]) -> (Vec<Outcome>, Recorder<Record>) {
    let mut recorder = Recorder::<Record>::new(4);
    let (mut world, mut outcomes) = (World::new(), Vec::new());
    for (index, RowOps { ops, discarded }) in (0..).zip(rows) {
        let mut row = recorder.begin(index);
        let mut world_after = world.clone();
        let outcome = run(index, &mut world_after, ops, &mut row);
        if *discarded {
            row.discard();
        } else {
            row.finish();
            world = world_after;
            outcomes.push(outcome);
        }
    }
    (outcomes, recorder)
}

/// A row as a journal would give it.
fn journal(outcome: &Outcome, mut give: impl FnMut(&AccountAccess<'_>, Vec<SlotAccess>)) {
    for (address, slots) in &outcome.accessed {
        let [before, after] =
            [&outcome.before, &outcome.after].map(|world| world.get(address).cloned().unwrap_or_default());
        let destroyed = outcome.destroyed.contains(address);
        let value = |account: &AccountState, slot| account.slots.get(slot).copied().unwrap_or_default();
        let slots = slots.iter().map(|slot| SlotAccess {
            slot: *slot,
            // What a destroyed account's journal has is not to be looked at.
            value: Transition::new(value(&before, slot), value(&after, slot) + U256::from(u8::from(destroyed))),
        });
        let access = AccountAccess {
            address: *address,
            balance: Transition::new(before.balance, after.balance),
            nonce: Transition::new(before.nonce, after.nonce + u64::from(destroyed)),
            code_hash: Transition::new(before.code_hash(), after.code_hash()),
            code: Some(&after.code),
            destroyed,
        };
        give(&access, slots.collect());
    }
}

/// Checks all rows, those in which nothing happened too, dealt to two workers, and what they have not accessed.
fn verify(list: &Arc<FlatList>, outcomes: &[Outcome]) -> Result<(), String> {
    let mut workers = [(); 2].map(|()| Recorder::<Verify>::new(list.clone()));
    for index in (0..=INDEX_MAX).rev() {
        let mut row = workers[index as usize % 2].begin(index);
        if let Some(outcome) = outcomes.iter().find(|outcome| outcome.index == index) {
            journal(outcome, |access, slots| row.access_account(access, slots));
        }
        row.finish().map_err(|mismatch| mismatch.to_string())?;
    }
    let [mut accessed, other] = workers.map(Recorder::into_accessed);
    accessed.merge(&other);
    match accessed.unaccessed(list).next() {
        Some(unaccessed) => Err(unaccessed.to_string()),
        None => Ok(()),
    }
}

/// The same without a map.
fn check_rows(list: &FlatList, outcomes: &[Outcome]) -> Result<(), String> {
    let mut accessed = AccessBits::new(list);
    for index in 0..=INDEX_MAX {
        let mut check = RowCheck::new(list, &mut accessed, index);
        let mut result = Ok(());
        if let Some(outcome) = outcomes.iter().find(|outcome| outcome.index == index) {
            journal(outcome, |access, slots| {
                if result.is_ok() {
                    result = check.access_account(access, slots);
                }
            });
        }
        result.and_then(|()| check.finish()).map_err(|mismatch| mismatch.to_string())?;
    }
    match accessed.unaccessed(list).next() {
        Some(unaccessed) => Err(unaccessed.to_string()),
        None => Ok(()),
    }
}

proptest! {
    #[test]
    fn records_what_the_definition_says(rows in rows()) {
        let (outcomes, recorder) = record(&rows);
        let expected = list(&outcomes);
        let items: usize = expected.iter().map(|a| 1 + a.storage_changes.len() + a.storage_reads.len()).sum();
        prop_assert_eq!(recorder.item_count(), items);
        prop_assert_eq!(recorder.into_accounts(), expected);
    }

    #[test]
    fn a_journal_records_the_same(rows in rows()) {
        let (outcomes, _) = record(&rows);
        let mut recorder = Recorder::<Record>::new(0);
        for outcome in &outcomes {
            let mut row = recorder.begin(outcome.index);
            journal(outcome, |access, slots| row.access_account(access, slots));
            row.finish();
        }
        prop_assert_eq!(recorder.into_accounts(), list(&outcomes));
    }

    #[test]
    fn a_trace_records_the_same_and_logs(rows in rows()) {
        let mut recorder = Recorder::<Trace>::new();
        let (mut world, mut outcomes) = (World::new(), Vec::new());
        for (index, RowOps { ops, discarded }) in (0..).zip(&rows) {
            let before = recorder.log().to_vec();
            let mut row = recorder.begin(index);
            let mut world_after = world.clone();
            let outcome = run(index, &mut world_after, ops, &mut row);
            if *discarded {
                drop(row);
                prop_assert_eq!(recorder.log(), before);
            } else {
                row.finish();
                prop_assert!(recorder.log()[before.len()..].iter().all(|access| access.index == index));
                world = world_after;
                outcomes.push(outcome);
            }
        }
        prop_assert_eq!(recorder.into_accounts(), list(&outcomes));
    }

    #[test]
    fn a_live_row_is_the_lists(rows in rows()) {
        let (outcomes, recorder) = record(&rows);
        let list = decode(&recorder.into_accounts());
        let mut recorder = Recorder::<Verify>::new(list.clone());
        let mut world = World::new();
        for outcome in &outcomes {
            let mut row = recorder.begin(outcome.index);
            run(outcome.index, &mut world, &rows[outcome.index as usize].ops, &mut row);
            prop_assert_eq!(row.finish(), Ok(()));
        }
        prop_assert_eq!(recorder.into_accessed().unaccessed(&list).next(), None);
    }

}

proptest! {
    // Each case goes through some hundred mutations.
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn a_right_list_passes_and_no_wrong_one(rows in rows()) {
        let (outcomes, recorder) = record(&rows);
        let accounts = recorder.into_accounts();
        prop_assert_eq!(verify(&decode(&accounts), &outcomes), Ok(()));
        prop_assert_eq!(check_rows(&decode(&accounts), &outcomes), Ok(()));
        let limits = Limits { index_max: INDEX_MAX, gas_limit: 60_000_000, code_size_max: 100 };
        for mutation in mutations(&accounts, INDEX_MAX).filter(|mutation| !mutation.kind.is_structural()) {
            let list = Arc::new(FlatList::decode(mutation.bytes.clone(), &limits).unwrap());
            prop_assert!(verify(&list, &outcomes).is_err(), "{}", mutation);
            prop_assert!(check_rows(&list, &outcomes).is_err(), "{}", mutation);
        }
    }
}

fn slot_write(row: &mut balsa_bal::Row<'_, Record>, address: Address, before: u64, after: u64) {
    row.slot_write(address, U256::from(1), U256::from(before), U256::from(after));
}

fn one_slot(changes: &[(u32, u64)], reads: &[u64]) -> Vec<AccountChanges> {
    let changes: Vec<_> =
        changes.iter().map(|&(index, post)| Change { block_access_index: index, post: U256::from(post) }).collect();
    let storage_changes = if changes.is_empty() { vec![] } else { vec![SlotChanges { slot: U256::from(1), changes }] };
    let storage_reads = reads.iter().map(|&slot| U256::from(slot)).collect();
    vec![AccountChanges { address: ALICE, storage_changes, storage_reads, ..Default::default() }]
}

const ALICE: Address = Address::repeat_byte(0xa1);

#[test]
fn a_no_op_write_does_not_remove_an_earlier_change() {
    let mut recorder = Recorder::<Record>::new(0);
    for (index, before, after) in [(1, 0, 5), (2, 5, 5), (3, 5, 0)] {
        let mut row = recorder.begin(index);
        slot_write(&mut row, ALICE, before, after);
        row.finish();
    }
    assert_eq!(recorder.into_accounts(), one_slot(&[(1, 5), (3, 0)], &[]));
}

#[test]
fn two_calls_at_one_index_are_one_row() {
    let mut recorder = Recorder::<Record>::new(0);
    let mut row = recorder.begin(0);
    slot_write(&mut row, ALICE, 5, 6);
    slot_write(&mut row, ALICE, 6, 5);
    row.finish();
    assert_eq!(recorder.into_accounts(), one_slot(&[], &[1]));
}

#[test]
fn the_system_caller_is_listed_only_if_it_is_touched() {
    let caller = AccountAccess {
        address: SYSTEM_ADDRESS,
        balance: Transition::new(U256::ZERO, U256::ZERO),
        nonce: Transition::new(0, 0),
        code_hash: Transition::new(B256::ZERO, B256::ZERO),
        code: None,
        destroyed: false,
    };
    let mut recorder = Recorder::<Record>::new(0);
    let mut row = recorder.begin(0);
    row.access_account_in_system_call(&caller, []);
    row.finish();
    assert_eq!(recorder.item_count(), 0);
    let mut row = recorder.begin(1);
    row.access_account(&caller, []);
    row.finish();
    assert_eq!(recorder.into_accounts()[0].address, SYSTEM_ADDRESS);
}

#[test]
fn each_mismatch_has_its_own_error() {
    let accounts = one_slot(&[(2, 7)], &[9]);
    let list = decode(&accounts);
    let check = |row: &dyn Fn(&mut RowCheck<'_>) -> balsa_bal::Checked<()>| {
        let mut accessed = AccessBits::new(&list);
        let mut check = RowCheck::new(&list, &mut accessed, 2);
        let result = row(&mut check);
        *result.and_then(|()| check.finish()).expect_err("a mismatch")
    };
    let bob = Address::repeat_byte(0xb0);
    let slot = |slot: u64| U256::from(slot);
    let write = |check: &mut RowCheck<'_>, at: u64, value: u64| {
        let ordinal = check.account(&ALICE)?;
        let slot = check.slot(ordinal, &slot(at))?;
        check.storage(slot, U256::from(value))
    };
    assert_eq!(check(&|row| row.account(&bob).map(drop)), Mismatch::MissingAccount { index: 2, address: bob });
    assert_eq!(check(&|row| write(row, 3, 7)), Mismatch::MissingSlot { index: 2, address: ALICE, slot: slot(3) });
    assert_eq!(
        check(&|row| write(row, 9, 7)).to_string(),
        format!("index 2: account {ALICE}: slot 0x9 became 0x7, which is not listed")
    );
    assert_eq!(
        check(&|row| write(row, 1, 8)).to_string(),
        format!("index 2: account {ALICE}: slot 0x1 became 0x8, listed is 0x7")
    );
    assert_eq!(check(&|_| Ok(())), Mismatch::SurplusChanges { index: 2, listed: 1, executed: 0 });
}

#[test]
fn what_is_left_over_is_named() {
    let list = decode(&one_slot(&[(2, 7)], &[9]));
    let mut accessed = AccessBits::new(&list);
    let slot = |slot: u64| Unaccessed::Slot { address: ALICE, slot: U256::from(slot) };
    let left = |accessed: &AccessBits| accessed.unaccessed(&list).collect::<Vec<_>>();
    assert_eq!(left(&accessed), [Unaccessed::Account { address: ALICE }, slot(1), slot(9)]);
    assert_eq!(accessed.reads_remaining(&list), 1);
    accessed.touch(0);
    accessed.access(0);
    assert_eq!(left(&accessed), [slot(9)]);
    accessed.access(1);
    assert_eq!(left(&accessed), []);
    assert_eq!(accessed.reads_remaining(&list), 0);
}

#[test]
fn a_trace_knows_index_and_depth() {
    let mut recorder = Recorder::<Trace>::new();
    let mut row = recorder.begin(3);
    row.touch(ALICE);
    row.enter_frame();
    row.nonce(ALICE, 1, 2);
    row.revert_frame();
    row.finish();
    let log: Vec<_> = recorder.log().iter().map(|access| (access.index, access.depth, access.event)).collect();
    let expected = [
        (3, 0, Event::Touch { address: ALICE }),
        (3, 1, Event::FrameEntered),
        (3, 1, Event::Nonce { address: ALICE, before: 1, after: 2 }),
        (3, 1, Event::FrameReverted),
    ];
    assert_eq!(log, expected);
}

#[test]
#[should_panic(expected = "index 1 after 1")]
fn an_index_is_recorded_once() {
    let mut recorder = Recorder::<Record>::new(0);
    recorder.begin(1).finish();
    recorder.begin(1).finish();
}

#[test]
fn a_code_is_recorded_with_its_bytes() {
    let code = Bytes::from_static(&[0x60, 0x00]);
    let mut recorder = Recorder::<Record>::new(0);
    let mut row = recorder.begin(1);
    row.code(ALICE, keccak256([]), keccak256([0xfe]), &Bytes::from_static(&[0xfe]));
    row.code(ALICE, keccak256([0xfe]), keccak256(&code), &code);
    row.finish();
    let expected = [Change { block_access_index: 1, post: code }];
    assert_eq!(recorder.into_accounts()[0].code_changes, expected);
}
