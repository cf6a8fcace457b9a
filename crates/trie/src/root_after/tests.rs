//! What a block makes of a trie, however its work is divided, and what is left of it when something fails.

use super::*;
use crate::{
    AccountUpdate, ArenaError, Branch, MemoryNodes, Path, SourceError, arena::PAGES_MAX, error::TrieId,
    total_tree_bytes,
};
use alloy_primitives::B256;
use balsa_state::Account;
use proptest::{collection::vec, prelude::*};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Nothing cut, and everything; shares of one change and of all; one thread and many; most storages handed over, and none.
const DIVISIONS: [Division; 6] = [
    Division { threads: 1, batch: usize::MAX, least: usize::MAX, cut_depth: 0, heavy_slots: usize::MAX },
    Division { threads: 1, batch: 7, least: 3, cut_depth: 1, heavy_slots: 9 },
    Division { threads: 16, batch: 30, least: 1, cut_depth: 1, heavy_slots: 1 },
    Division { threads: 3, batch: 1, least: 1, cut_depth: 2, heavy_slots: 1 },
    Division { threads: 2, batch: 512, least: 16, cut_depth: 2, heavy_slots: 20 },
    Division { threads: 3, batch: 100, least: 4, cut_depth: 2, heavy_slots: 5 },
];

fn sorted<T: Ord + Clone, U>(mut entries: Vec<(T, U)>) -> Vec<(T, U)> {
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    entries.dedup_by(|a, b| a.0 == b.0);
    entries
}

fn block() -> impl Strategy<Value = Updates> {
    // Few first nibbles, so that whole shards appear, empty and collapse.
    let key = || {
        (0u8..5, 0u8..40).prop_map(|(a, b)| {
            let mut key = alloy_primitives::keccak256([b]);
            key[0] = [0x00, 0x01, 0x10, 0x17, 0xf0][usize::from(a)];
            key
        })
    };
    let slots = vec((key(), (0u64..3).prop_map(U256::from)), 0..40).prop_map(sorted);
    let update = (key(), (0u64..3, slots, prop::bool::weighted(0.3)));
    vec(update, 0..120).prop_map(|entries| {
        let update = |(address_hash, (nonce, slots, destroyed))| AccountUpdate {
            address_hash,
            nonce: Some(nonce),
            destroyed,
            slots,
            ..AccountUpdate::default()
        };
        Updates { accounts: sorted(entries).into_iter().map(update).collect(), keep_empty: false }
    })
}

/// Accounts with a nonce each, those with none empty.
fn numbered(numbers: std::ops::Range<u32>, nonce: impl Fn(u32) -> u64) -> Updates {
    let update = |i: u32| AccountUpdate {
        address_hash: alloy_primitives::keccak256(i.to_be_bytes()),
        nonce: Some(nonce(i)),
        ..AccountUpdate::default()
    };
    let mut accounts: Vec<_> = numbers.map(update).collect();
    accounts.sort_by_key(|account| account.address_hash);
    Updates { accounts, keep_empty: false }
}

#[test]
fn a_large_build_is_what_small_blocks_make() {
    let updates = |range| numbered(range, |i| u64::from(i) + 1);
    let step =
        |trie: StateTrie, i: u32| root_after(&trie, &crate::NoNodes, &updates(i * 1000..(i + 1) * 1000)).unwrap().trie;
    let in_blocks = (0..30).fold(StateTrie::empty(), step);
    // Whole, where it is hashed in pieces, and cut.
    let all = updates(0..30_000);
    let records = DIVISIONS.map(|division| {
        let at_once = root_after_divided(&StateTrie::empty(), &crate::NoNodes, &all, division).unwrap();
        assert_eq!(at_once.root, in_blocks.root(), "{division:?}");
        assert_eq!(total_tree_bytes(&at_once.trie), total_tree_bytes(&in_blocks), "{division:?}");
        let mut records = at_once.nodes.encoded().accounts;
        records.sort_by_key(|(path, _)| *path);
        records
    });
    assert!(records[0].len() > 256, "{} records", records[0].len());
    assert!(records.iter().all(|other| *other == records[0]));
}

fn many_slots(count: u16, value: u64) -> Vec<(B256, U256)> {
    let slot = |i: u16| (alloy_primitives::keccak256(i.to_be_bytes()), U256::from(value));
    sorted((0..count).map(slot).collect())
}

#[test]
fn a_branch_that_is_alone_in_the_end_takes_its_new_leaves_along() {
    let key = |start: [u8; 2]| B256::right_padding_from(&start);
    let (old, new) = ([[0x10, 0], [0x20, 0], [0x20, 1]], [[0x3a, 0], [0x3b, 0], [0x3b, 1]]);
    let accounts = |keys: [[u8; 2]; 3], nonce, slots: &[(B256, U256)]| {
        let update = |start| AccountUpdate {
            address_hash: key(start),
            nonce,
            destroyed: nonce.is_none(),
            slots: slots.into(),
            ..AccountUpdate::default()
        };
        keys.map(update).to_vec()
    };
    let slots = |keys: [[u8; 2]; 3], value| keys.map(|start| (key(start), U256::from(value))).to_vec();
    for division in DIVISIONS {
        let after = |trie: &StateTrie, accounts| {
            let updates = Updates { accounts, keep_empty: false };
            root_after_divided(trie, &crate::NoNodes, &updates, division).unwrap().trie
        };
        // All accounts go but new ones, of which two are below one branch; and all slots of others.
        let before = after(&StateTrie::empty(), accounts(old, Some(1), &[]));
        let moved = after(&before, [accounts(old, None, &[]), accounts(new, Some(2), &[])].concat());
        let alone = after(&StateTrie::empty(), accounts(new, Some(2), &[]));
        assert_eq!(moved.root(), alone.root(), "{division:?}");
        let before = after(&StateTrie::empty(), accounts(old, Some(1), &slots(old, 1)));
        let moved = after(&before, accounts(old, Some(1), &[slots(old, 0), slots(new, 2)].concat()));
        let alone = after(&StateTrie::empty(), accounts(old, Some(1), &slots(new, 2)));
        assert_eq!(moved.root(), alone.root(), "{division:?}");
    }
}

#[test]
fn blocks_that_are_dropped_leave_no_pages() {
    let trie = root_after(&StateTrie::empty(), &crate::NoNodes, &numbered(0..3000, |_| 1)).unwrap().trie;
    // New values, new leaves, and leaves that go.
    let block = numbered(2000..4000, |i| if i % 7 == 0 { 0 } else { 2 });
    let pages = |division| {
        root_after_divided(&trie, &crate::NoNodes, &block, division).unwrap();
        trie.arena_bytes().pages
    };
    for division in DIVISIONS.into_iter().filter(|division| division.threads == 1) {
        let first = pages(division);
        assert!((0..30).all(|_| pages(division) == first), "{division:?}");
    }
    // How many places threads take before others give theirs back is for them to race.
    for division in DIVISIONS {
        let first = pages(division);
        assert!((0..30).all(|_| pages(division) <= 2 * first), "{division:?}");
    }
}

#[test]
fn what_is_out_of_order_is_named() {
    const HEAVY: usize = 400;
    const GONE: usize = 600;
    let update = |i: u16| AccountUpdate {
        address_hash: alloy_primitives::keccak256(i.to_be_bytes()),
        nonce: Some(1),
        slots: [1, 2, 3].map(|slot| (B256::with_last_byte(slot), U256::from(1))).into(),
        ..AccountUpdate::default()
    };
    let mut accounts: Vec<_> = (0..1000).map(update).collect();
    accounts.sort_by_key(|account| account.address_hash);
    // Slots that all threads look for together, and such of an account that is gone.
    for i in [HEAVY, GONE, GONE + 1] {
        accounts[i].slots = many_slots(1500, 1);
    }
    for i in [GONE, GONE + 1, GONE + 2] {
        (accounts[i].nonce, accounts[i].destroyed) = (None, true);
    }
    let good = Updates { accounts, keep_empty: false };
    let old = root_after(&StateTrie::empty(), &crate::NoNodes, &good).unwrap().trie;
    let in_slots = |account: usize, slot| (TrieId::Storage(good.accounts[account].address_hash), slot);
    let mut cases = Vec::new();
    let mut case = |expected, spoil: &dyn Fn(&mut Vec<AccountUpdate>)| {
        let mut updates = good.clone();
        spoil(&mut updates.accounts);
        cases.push((updates, expected));
    };
    // In the first share and in others, and last. Where there are two faults, the first counts.
    for i in [1, 2, 63, 64, 255, 256, 700, 999] {
        case((TrieId::Accounts, i), &|accounts| accounts.swap(i - 1, i));
        case((TrieId::Accounts, i), &|accounts| {
            accounts[i].address_hash = accounts[i - 1].address_hash;
            accounts[999].slots.swap(1, 2);
        });
        case(in_slots(i, 2), &|accounts| accounts[i].slots.swap(1, 2));
    }
    // Far from where it belongs: what is cut by its keys is cut wrongly.
    case((TrieId::Accounts, 1), &|accounts| accounts.swap(0, 999));
    case((TrieId::Accounts, 301), &|accounts| accounts[300..700].reverse());
    for slot in [1, 2, 700, 1499] {
        for account in [HEAVY, GONE, GONE + 1] {
            case(in_slots(account, slot), &|accounts| accounts[account].slots.swap(slot - 1, slot));
            case(in_slots(account, slot), &|accounts| {
                accounts[account].slots[slot].0 = accounts[account].slots[slot - 1].0;
                accounts.swap(997, 998);
            });
        }
    }
    case(in_slots(HEAVY, 1), &|accounts| accounts[HEAVY].slots.reverse());
    case(in_slots(GONE + 2, 1), &|accounts| accounts[GONE + 2].slots.swap(0, 1));
    for (updates, expected) in cases {
        // A source that has nothing is of no interest then.
        for parent in [&StateTrie::empty(), &old, &StateTrie::persisted(old.root())] {
            for division in DIVISIONS.into_iter().chain([Division::of_pool()]) {
                let error = root_after_divided(parent, &crate::NoNodes, &updates, division).unwrap_err();
                let TrieError::Unsorted { trie, index } = error else { panic!("{error}") };
                assert_eq!((trie, index), expected, "{division:?}");
            }
        }
    }
    assert_eq!(old.arena_bytes().live, total_tree_bytes(&old));
}

#[test]
fn an_arena_that_is_full_or_worn_is_an_error() {
    let update = |i: u8| AccountUpdate {
        address_hash: alloy_primitives::keccak256([i]),
        nonce: Some(1),
        ..AccountUpdate::default()
    };
    let block = |i| Updates { accounts: vec![update(i)], keep_empty: false };
    let after = |trie: &StateTrie, i| root_after(trie, &crate::NoNodes, &block(i));
    let full = after(&StateTrie::empty(), 0).unwrap().trie;
    full.version.forest.arena.fill();
    // One leaf becomes two below a branch, which no page is for.
    let error = after(&full, 1).unwrap_err();
    assert!(matches!(error, TrieError::Arena(ArenaError::Full { pages: PAGES_MAX })), "{error:?}");
    assert!(error.to_string().contains("full"), "{error}");
    assert_eq!(full.arena_bytes().live, total_tree_bytes(&full));
    assert_eq!(after(&full, 0).unwrap().root, full.root());

    let worn = after(&StateTrie::empty(), 0).unwrap().trie;
    worn.version.forest.use_epochs_up();
    let error = after(&worn, 1).unwrap_err();
    assert!(matches!(error, TrieError::Arena(ArenaError::Worn)), "{error:?}");
}

/// Counts how often it is asked for many nodes, and never for one.
struct Counting {
    store: MemoryNodes,
    asked: AtomicUsize,
}

impl Counting {
    fn ask(&self, keys: usize) -> &MemoryNodes {
        self.asked.fetch_add(usize::from(keys > 0), Relaxed);
        &self.store
    }
}

impl NodeSource for Counting {
    fn account_branch(&self, _: &Path) -> Result<Option<Branch>, SourceError> {
        unreachable!("a level is read in one go")
    }

    fn storage_branch(&self, _: &B256, _: &Path) -> Result<Option<Branch>, SourceError> {
        unreachable!("a level is read in one go")
    }

    fn accounts_under(&self, _: &Path, _: usize) -> Result<Vec<(B256, Account)>, SourceError> {
        unreachable!("a level is read in one go")
    }

    fn slots_under(&self, _: &B256, _: &Path, _: usize) -> Result<Vec<(B256, U256)>, SourceError> {
        unreachable!("a level is read in one go")
    }

    fn account_branches(&self, paths: &[Path]) -> Result<Vec<Option<Branch>>, SourceError> {
        self.ask(paths.len()).account_branches(paths)
    }

    fn storage_branches(&self, keys: &[(B256, Path)]) -> Result<Vec<Option<Branch>>, SourceError> {
        self.ask(keys.len()).storage_branches(keys)
    }

    fn accounts_under_all(&self, paths: &[Path], limit: usize) -> Result<Vec<Vec<(B256, Account)>>, SourceError> {
        self.ask(paths.len()).accounts_under_all(paths, limit)
    }

    fn slots_under_all(&self, keys: &[(B256, Path)], limit: usize) -> Result<Vec<Vec<(B256, U256)>>, SourceError> {
        self.ask(keys.len()).slots_under_all(keys, limit)
    }
}

/// Fails once it was asked so often.
struct FailingAfter<'s> {
    store: &'s MemoryNodes,
    left: AtomicUsize,
}

impl FailingAfter<'_> {
    fn ask(&self) -> Result<&MemoryNodes, SourceError> {
        let left = self.left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1));
        left.map(|_| self.store).map_err(|_| SourceError("no more".into()))
    }
}

impl NodeSource for FailingAfter<'_> {
    fn account_branch(&self, path: &Path) -> Result<Option<Branch>, SourceError> {
        self.ask()?.account_branch(path)
    }

    fn storage_branch(&self, address: &B256, path: &Path) -> Result<Option<Branch>, SourceError> {
        self.ask()?.storage_branch(address, path)
    }

    fn accounts_under(&self, path: &Path, limit: usize) -> Result<Vec<(B256, Account)>, SourceError> {
        self.ask()?.accounts_under(path, limit)
    }

    fn slots_under(&self, address: &B256, path: &Path, limit: usize) -> Result<Vec<(B256, U256)>, SourceError> {
        self.ask()?.slots_under(address, path, limit)
    }
}

/// Wherever it fails, in an edit too that loads the one child that is left of a branch, what was made is freed again.
#[test]
fn a_source_that_fails_leaves_no_nodes() {
    let is_gone = |hash: &B256| hash[0] >> 4 != hash[0] & 15;
    let update = |i: u16| {
        let address_hash = alloy_primitives::keccak256(i.to_be_bytes());
        let slots = if is_gone(&address_hash) { 0 } else { 20 + 300 * u16::from(i.is_multiple_of(16)) };
        AccountUpdate { address_hash, nonce: Some(1), slots: many_slots(slots, 1), ..AccountUpdate::default() }
    };
    let block = |mut accounts: Vec<AccountUpdate>| {
        accounts.sort_by_key(|account| account.address_hash);
        Updates { accounts, keep_empty: false }
    };
    let all = block((0..1000).map(update).collect());
    let first = root_after(&StateTrie::empty(), &crate::NoNodes, &all).unwrap();
    let mut store = MemoryNodes::default();
    store.apply(&all, &first);
    // Below each first nibble one child is left, which nobody has read: of accounts, and of the slots of those that stay.
    let changed = |mut update: AccountUpdate| {
        update.nonce = None;
        update.destroyed = is_gone(&update.address_hash);
        update.slots.retain_mut(|(slot, value)| {
            *value = U256::ZERO;
            is_gone(slot)
        });
        update
    };
    let changes = (0..1000).map(update).map(changed);
    let changes = block(changes.filter(|update| update.destroyed || update.address_hash[1] < 0xc0).collect());
    let expected = root_after(&first.trie, &crate::NoNodes, &changes).unwrap().root;
    for division in DIVISIONS {
        let parent = StateTrie::persisted(first.root);
        let run = |left: usize| {
            let source = FailingAfter { store: &store, left: left.into() };
            let root = root_after_divided(&parent, &source, &changes, division).map(|after| after.root);
            (root, left - source.left.into_inner())
        };
        let (root, asked) = run(usize::MAX);
        assert_eq!(root.unwrap(), expected);
        assert!(asked > 100, "{asked}");
        // A thread may take places that another has just put away, or not.
        let pages = 2 * parent.arena_bytes().pages;
        for left in (0..asked).step_by(asked / 40).chain((0..8).flat_map(|_| asked - 16..asked)) {
            let (error, _) = run(left);
            assert!(matches!(error, Err(TrieError::Source(_))), "{error:?}");
            assert_eq!(parent.arena_bytes().live, total_tree_bytes(&parent));
            assert!(parent.arena_bytes().pages <= pages, "after {left} answers: {:?}", parent.arena_bytes());
        }
        assert_eq!(run(asked).0.unwrap(), expected);
    }
}

#[test]
fn a_source_is_asked_by_level() {
    let asked = |every: u16, slots: u16| {
        let update = |i: u16, value: u64| AccountUpdate {
            address_hash: alloy_primitives::keccak256(i.to_be_bytes()),
            nonce: Some(value),
            slots: if i.is_multiple_of(every) { many_slots(slots, value) } else { Vec::new() },
            ..AccountUpdate::default()
        };
        let block = |value| {
            let mut accounts: Vec<_> = (0..2000).map(|i| update(i, value)).collect();
            accounts.sort_by_key(|account| account.address_hash);
            Updates { accounts, keep_empty: false }
        };
        let first = root_after(&StateTrie::empty(), &crate::NoNodes, &block(1)).unwrap();
        let mut store = MemoryNodes::default();
        store.apply(&block(1), &first);
        let source = Counting { store, asked: AtomicUsize::new(0) };
        let read = root_after(&StateTrie::persisted(first.root), &source, &block(2)).unwrap();
        assert_eq!(read.root, root_after(&first.trie, &crate::NoNodes, &block(2)).unwrap().root);
        source.asked.into_inner()
    };
    // Accounts: records at three depths, then small subtrees; slots, of all accounts at once: two depths.
    let few = asked(20, 100);
    assert!((4..=9).contains(&few), "asked {few} times for 2,000 accounts and 10,000 slots");
    // Storages that wait for all threads: their depths after those of the accounts, but all storages at once.
    let many = asked(50, 2000);
    assert!((8..=16).contains(&many), "asked {many} times for 2,000 accounts and 80,000 slots of forty");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn every_division_gives_one_result(blocks in vec(block(), 1..6)) {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
        let mut tries = DIVISIONS.map(|_| StateTrie::empty());
        let mut stores = DIVISIONS.map(|_| MemoryNodes::default());
        for updates in &blocks {
            for (i, division) in DIVISIONS.into_iter().enumerate() {
                let run = |trie: &StateTrie| pool.install(|| root_after_divided(trie, &stores[i], updates, division).unwrap());
                let cold = run(&StateTrie::persisted(tries[i].root()));
                let warm = run(&tries[i]);
                prop_assert!(cold.accounts == warm.accounts, "{division:?}");
                let mut other = stores[i].clone();
                other.apply(updates, &cold);
                stores[i].apply(updates, &warm);
                prop_assert_eq!(&other, &stores[i]);
                tries[i] = warm.trie;
                prop_assert_eq!(tries[i].root(), tries[0].root(), "{:?}", division);
                prop_assert_eq!(&stores[i], &stores[0], "{:?}", division);
                for trie in [&tries[i], &cold.trie] {
                    prop_assert_eq!(trie.arena_bytes().live, total_tree_bytes(trie), "{:?}", division);
                }
            }
        }
    }
}
