//! `Snapshot::verify_trie` on a right state, and on states with one fault each: the fault is found, and named.

use std::{ops::ControlFlow, sync::Arc};

use alloy_consensus::Header;
use alloy_primitives::{B256, Bytes, U256, keccak256};
use balsa_state::{Account, Layer, StateDiff, StorageDiff};
use balsa_storage::{
    BlockPointer, BlockRecord, CanonicalBlock, Durability, FlushBatch, Head, Settings, StateChange, Store,
    VerifyProgress, VerifyTrieError, WrongTrie,
};
use balsa_trie::{
    AccountUpdate, Branch, EncodedNodes, EncodedStorage, NoNodes, Path, StateTrie, TrieId, Updates, root_after,
};

const ACCOUNTS: u64 = 600;
const SLOTS: u64 = 400;

fn key(number: u64) -> B256 {
    keccak256(number.to_be_bytes())
}

fn sorted<T>(mut entries: Vec<(B256, T)>) -> Vec<(B256, T)> {
    entries.sort_by_key(|(key, _)| *key);
    entries
}

/// 600 accounts: number 0 has 400 slots, 1 to 9 have three each, the rest none.
fn state() -> Updates {
    let slots = |number| match number {
        0 => SLOTS,
        1..10 => 3,
        _ => 0,
    };
    let account = |number: u64| AccountUpdate {
        address_hash: key(number),
        nonce: Some(number + 1),
        balance: Some(U256::from(number * number)),
        slots: sorted((0..slots(number)).map(|slot| (key(slot), U256::from(slot + 1))).collect()),
        ..AccountUpdate::default()
    };
    let mut accounts: Vec<_> = (0..ACCOUNTS).map(account).collect();
    accounts.sort_by_key(|account| account.address_hash);
    Updates { accounts, keep_empty: false }
}

fn sound() -> (StateDiff, EncodedNodes, B256) {
    let updates = state();
    let after = root_after(&StateTrie::empty(), &NoNodes, &updates).unwrap();
    let storage = |update: &AccountUpdate| StorageDiff {
        address_hash: update.address_hash,
        cleared: false,
        slots: update.slots.clone(),
    };
    let storage = updates.accounts.iter().filter(|update| !update.slots.is_empty()).map(storage).collect();
    (
        StateDiff { accounts: after.accounts.with_keys(&updates).collect(), storage, codes: Vec::new() },
        after.nodes.encoded(),
        after.root,
    )
}

/// A database of one block.
fn verified(diff: StateDiff, nodes: EncodedNodes, state_root: B256) -> Result<VerifyProgress, VerifyTrieError> {
    reported(diff, nodes, state_root, |_| ControlFlow::Continue(()))
}

fn reported(
    diff: StateDiff,
    nodes: EncodedNodes,
    state_root: B256,
    report: impl FnMut(&VerifyProgress) -> ControlFlow<()>,
) -> Result<VerifyProgress, VerifyTrieError> {
    let dir = tempfile::tempdir().unwrap();
    let header = Header { state_root, ..Header::default() };
    let hash = header.hash_slow();
    let settings = Settings { durability: Durability::Process, ..Settings::default() };
    let store = Store::open(dir.path(), hash, 1, settings).unwrap();
    let block = BlockPointer { number: 0, hash };
    let (body, receipts) = (Bytes::from_static(&[0xc0]), Bytes::from_static(&[0xc0]));
    store
        .flush(&FlushBatch {
            blocks: vec![Arc::new(BlockRecord { hash, header, body, receipts, list: None })],
            canonical: vec![CanonicalBlock { block, transactions: Vec::new() }],
            changes: vec![StateChange { layer: Arc::new(Layer::new(diff)), nodes: Arc::new(nodes.into()) }],
            head: Some(Head { number: 0, hash, state_root, total_difficulty: U256::ZERO }),
            ..FlushBatch::default()
        })
        .unwrap();
    store.snapshot().unwrap().verify_trie(report)
}

/// What is found when `spoil` was let at the state.
#[track_caller]
fn wrong(spoil: impl FnOnce(&mut StateDiff, &mut EncodedNodes)) -> WrongTrie {
    let (mut diff, mut nodes, root) = sound();
    spoil(&mut diff, &mut nodes);
    match verified(diff, nodes, root) {
        Err(VerifyTrieError::Wrong(wrong)) => wrong,
        other => panic!("the fault was not found: {other:?}"),
    }
}

fn account(diff: &mut StateDiff, number: u64) -> &mut Option<Account> {
    &mut diff.accounts.iter_mut().find(|(hash, _)| *hash == key(number)).unwrap().1
}

fn storage(diff: &mut StateDiff, number: u64) -> &mut StorageDiff {
    diff.storage.iter_mut().find(|storage| storage.address_hash == key(number)).unwrap()
}

fn branches(nodes: &mut EncodedNodes, number: u64) -> &mut EncodedStorage {
    nodes.storages.iter_mut().find(|storage| storage.address_hash == key(number)).unwrap()
}

#[test]
fn a_right_state_is_right() {
    let (diff, nodes, root) = sound();
    let records = nodes.accounts.len() + nodes.storages.iter().map(|storage| storage.branches.len()).sum::<usize>();
    assert!(records > 20);
    let done = verified(diff, nodes, root).unwrap();
    assert_eq!((done.accounts, done.slots, done.branches), (ACCOUNTS, SLOTS + 27, records as u64));
}

#[test]
fn the_empty_state_is_right() {
    let done = verified(StateDiff::default(), EncodedNodes::default(), alloy_consensus::EMPTY_ROOT_HASH).unwrap();
    assert_eq!(done, VerifyProgress::default());
    let root = B256::repeat_byte(1);
    let found = verified(StateDiff::default(), EncodedNodes::default(), root);
    let Err(VerifyTrieError::Wrong(WrongTrie::StateRoot { expected, found, .. })) = found else { panic!("{found:?}") };
    assert_eq!((expected, found), (root, alloy_consensus::EMPTY_ROOT_HASH));
}

#[test]
fn a_flipped_account_is_found_below_the_deepest_record() {
    let found = wrong(|diff, _| account(diff, 77).as_mut().unwrap().nonce ^= 1);
    let WrongTrie::Branch { trie: TrieId::Accounts, path, expected, found } = &found else { panic!("{found}") };
    assert!(path.leads_to(&key(77)) && path.len() >= 2 && expected != found, "{path} {expected} {found}");
}

#[test]
fn a_flipped_slot_is_found_in_its_account() {
    let flip = |storage: &mut StorageDiff| storage.slots[1].1 ^= U256::from(64);
    let found = wrong(|diff, _| flip(storage(diff, 0)));
    let WrongTrie::Branch { trie, path, .. } = &found else { panic!("{found}") };
    assert!(*trie == TrieId::Storage(key(0)) && !path.is_empty(), "{found}");
    // Three slots have no record: their root is in the account.
    let found = wrong(|diff, _| flip(storage(diff, 5)));
    assert!(matches!(found, WrongTrie::StorageRoot { address_hash, .. } if address_hash == key(5)), "{found}");
}

#[test]
fn rows_too_few_and_too_many_are_found() {
    let found = wrong(|diff, _| diff.accounts.retain(|(hash, _)| *hash != key(300)));
    assert!(matches!(&found, WrongTrie::Branch { path, .. } if path.leads_to(&key(300))), "{found}");
    let found = wrong(|diff, _| storage(diff, 0).slots.truncate(399));
    assert!(matches!(found, WrongTrie::Branch { trie: TrieId::Storage(_), .. }), "{found}");
    let stray = |address_hash| StorageDiff { address_hash, cleared: false, slots: vec![(key(1), U256::ONE)] };
    for address_hash in [B256::ZERO, key(9_999), B256::repeat_byte(255)] {
        let found = wrong(|diff, _| diff.storage.push(stray(address_hash)));
        assert_eq!(found, WrongTrie::StraySlot { address_hash, slot_hash: key(1) });
    }
    // An account that says it has no storage.
    let found = wrong(|diff, _| diff.storage.push(stray(key(20))));
    assert!(matches!(found, WrongTrie::StorageRoot { address_hash, .. } if address_hash == key(20)), "{found}");
}

#[test]
fn records_too_few_and_too_many_are_found() {
    let record = |nodes: &EncodedNodes, depth: usize| {
        nodes.accounts.iter().position(|(path, _)| path.len() == depth).expect("a record at this depth")
    };
    for depth in [0, 1] {
        let (mut gone, mut doubled) = (Path::ROOT, Path::ROOT);
        let found = wrong(|_, nodes| gone = nodes.accounts.remove(record(nodes, depth)).0);
        assert_eq!(found, WrongTrie::MissingBranch { trie: TrieId::Accounts, path: gone });
        // Below a record's position, at a depth that has records and at one that has none.
        for below in [1, 40] {
            let found = wrong(|_, nodes| {
                let (path, branch) = nodes.accounts[record(nodes, depth)].clone();
                doubled = Path::of_key(&path.last_key(), 2 + below);
                nodes.accounts.push((doubled, branch));
            });
            assert_eq!(found, WrongTrie::ExtraBranch { trie: TrieId::Accounts, path: doubled });
        }
    }
    let mut path = Path::ROOT;
    let found = wrong(|_, nodes| path = branches(nodes, 0).branches.pop().unwrap().0);
    assert_eq!(found, WrongTrie::MissingBranch { trie: TrieId::Storage(key(0)), path });
    // Of an account with slots, of one without, of none, and behind the last one.
    for address_hash in [key(0), key(3), key(20), key(9_999), B256::repeat_byte(255)] {
        let path = Path::of_key(&B256::repeat_byte(0x3a), 9);
        let found = wrong(|_, nodes| {
            let branch: Option<Branch> = branches(nodes, 0).branches[0].1.clone();
            let storage = EncodedStorage { address_hash, cleared: false, branches: vec![(path, branch)] };
            nodes.storages.push(storage);
        });
        assert_eq!(found, WrongTrie::ExtraBranch { trie: TrieId::Storage(address_hash), path });
    }
}

#[test]
fn a_record_that_lies_is_found() {
    let found = wrong(|_, nodes| {
        let other = nodes.accounts.iter().find(|(path, _)| path.len() == 1).unwrap().1.clone();
        nodes.accounts.iter_mut().rfind(|(path, _)| path.len() == 1).unwrap().1 = other;
    });
    assert!(matches!(found, WrongTrie::Branch { trie: TrieId::Accounts, .. }), "{found}");
}

#[test]
fn it_ends_when_asked_to() {
    let account = |n| AccountUpdate { address_hash: key(n), nonce: Some(n + 1), ..AccountUpdate::default() };
    let mut accounts: Vec<_> = (0..9000).map(account).collect();
    accounts.sort_by_key(|account| account.address_hash);
    let updates = Updates { accounts, keep_empty: false };
    let after = root_after(&StateTrie::empty(), &NoNodes, &updates).unwrap();
    let mut reports = Vec::new();
    let diff = StateDiff { accounts: after.accounts.with_keys(&updates).collect(), ..StateDiff::default() };
    let ended = reported(diff, after.nodes.encoded(), after.root, |progress| {
        reports.push(*progress);
        if reports.len() == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert!(matches!(ended, Err(VerifyTrieError::Stopped)), "{ended:?}");
    assert!(reports.len() == 2 && reports[0].accounts < reports[1].accounts && reports[0].key < reports[1].key);
}

#[test]
fn a_database_without_a_state_has_no_answer() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), B256::ZERO, 1, Settings::default()).unwrap();
    let found = store.snapshot().unwrap().verify_trie(|_| ControlFlow::Continue(()));
    assert!(matches!(found, Err(VerifyTrieError::NoHead)), "{found:?}");
}
