//! The one entry point: changes of a block in, new version and root out.

use crate::{
    NodeChanges, NodeSource, StateTrie, TrieError, Updates,
    arena::{Arena, Pen},
    change::SlotChange,
    edit::{Child, Precut},
    link::Link,
    load::{ACCOUNTS, Addresses, Tries},
    locate::{self, Located, Probe},
    plans::Plans,
    rlp::{AccountLeaf, Leaf},
    tasks::{Division, Made, Task, Workshop},
    walk::{Cursor, own_nodes},
};
use alloy_primitives::{B256, U256};
use balsa_state::{Account, EMPTY_ROOT};
use std::ops::Range;

/// The trie after a block.
#[derive(Clone, Debug)]
pub struct RootAfter {
    /// The new version.
    pub trie: StateTrie,
    /// Its root.
    pub root: B256,
    /// Every updated account as it is after the block, in the order of the updates; `None` if there is none.
    pub accounts: Vec<(B256, Option<Account>)>,
    /// What a store has to write besides the flat state, so that the new version can be read from it.
    pub nodes: NodeChanges,
}

/// Applies a block's changes to the state of its parent. Runs on the current rayon pool; the result does not depend
/// on how many threads that has.
///
/// # Errors
/// [`TrieError`]: the source failed or lied, the updates are not sorted, or there is no memory for more nodes. The
/// parent is untouched.
pub fn root_after(parent: &StateTrie, source: &dyn NodeSource, updates: &Updates) -> Result<RootAfter, TrieError> {
    root_after_divided(parent, source, updates, Division::of_pool())
}

pub(crate) fn root_after_divided(
    parent: &StateTrie,
    source: &dyn NodeSource,
    updates: &Updates,
    division: Division,
) -> Result<RootAfter, TrieError> {
    let forest = &parent.version.forest;
    let arena = &forest.arena;
    let epoch = forest.next_epoch()?;
    let mut pen = Pen::new(arena, epoch);
    let mut tries = Tries::new(source, Addresses::Of(updates));

    let old = old_leaves(parent, &mut pen, &mut tries, updates)?;
    let mut plans = Plans::new(arena, updates, &old)?;
    let slots = slot_changes(&mut pen, &mut tries, updates, &plans)?;

    let mut made = Made::default();
    let workshop = Workshop::new(pen, &tries, epoch, division);
    edit_storage(&workshop, &mut made, &slots, &mut plans)?;
    let changes = plans.changes(arena);
    let task =
        Task { trie: ACCOUNTS, depth: 0, old: parent.top(), changes: changes.as_slice(), precut: Precut::default() };
    let top = workshop.run::<AccountLeaf, _>(vec![task], &mut made)?[0];

    let root = top.map_or(EMPTY_ROOT, |top| top.reference.expect("all is hashed").to_hash());
    let link = top.map_or(Link::NONE, |top| top.link);
    let records = std::mem::take(&mut made.records);
    let unused = unused(arena, &tries, &made, link, &plans);
    let own_bytes = workshop.keep() - arena.release(&unused);
    let trie = StateTrie::of_version(forest.derived(link, epoch, &parent.version, own_bytes), root);
    let nodes = NodeChanges::of(trie.clone(), records, updates, |trie| plans.is_cleared(trie));
    Ok(RootAfter { trie, root, accounts: plans.into_accounts(), nodes })
}

impl StateTrie {
    fn top(&self) -> Option<Child> {
        Child::top(&self.version.forest.arena, self.version.root, self.root_reference())
    }
}

/// The accounts' leaves in the parent, in the order of the updates, which is checked; nothing where the parent is empty.
fn old_leaves(
    parent: &StateTrie,
    pen: &mut Pen<'_>,
    tries: &mut Tries<'_>,
    updates: &Updates,
) -> Result<Vec<Located>, TrieError> {
    if parent.version.root == Link::NONE {
        return Ok(Vec::new());
    }
    let accounts = &updates.accounts;
    locate::leaves::<AccountLeaf>(pen, tries, accounts.len(), |range| {
        range.clone().try_for_each(|i| updates.check_order_at(i))?;
        let (root, hash) = (parent.version.root, parent.root());
        Ok(accounts[range].iter().map(|update| Probe::new(ACCOUNTS, &update.address_hash, root, hash)).collect())
    })
}

/// The changes of each account's storage trie, without those that change nothing; nothing where none is to be edited.
/// What they need is in memory then.
fn slot_changes<'u>(
    pen: &mut Pen<'_>,
    tries: &mut Tries<'_>,
    updates: &'u Updates,
    plans: &Plans,
) -> Result<Vec<(usize, Vec<SlotChange<'u>>)>, TrieError> {
    let edited = || plans.with_slots().filter_map(|trie| Some((trie, &updates.accounts[trie].slots, plans.get(trie)?)));
    let mut stored = Vec::new();
    let mut count = 0;
    for (trie, slots, (account, storage)) in edited().filter(|(.., (_, storage))| *storage != Link::NONE) {
        stored.push(StoredSlots { before: count, trie, slots, storage, root: account.storage_root });
        count += slots.len();
    }
    let located = locate::leaves::<U256>(pen, tries, count, |range| Ok(slot_probes(&stored, range)))?;
    let mut located = located.into_iter();
    let mut change = |slot: &'u (B256, U256)| {
        let found = located.next().expect("a probe for every slot");
        let mut replaces = false;
        if found.is_linked && found.leaf != Link::NONE {
            if U256::read(&pen.arena().view(found.leaf)) == slot.1 {
                return None;
            }
            replaces = !slot.1.is_zero();
        }
        Some(SlotChange { slot, replaces })
    };
    let changes = |(trie, slots, (_, storage)): (usize, &'u Vec<(B256, U256)>, (&Account, Link))| {
        if storage == Link::NONE {
            return (trie, slots.iter().map(|slot| SlotChange { slot, replaces: false }).collect());
        }
        (trie, slots.iter().filter_map(&mut change).collect())
    };
    Ok(edited().map(changes).collect())
}

/// The slots that an update names of a storage trie that is there.
struct StoredSlots<'u> {
    /// How many of other tries come before them.
    before: usize,
    trie: usize,
    slots: &'u [(B256, U256)],
    storage: Link,
    root: B256,
}

/// The probes of slots with these numbers, counted over all tries.
fn slot_probes<'u>(stored: &[StoredSlots<'u>], numbers: Range<usize>) -> Vec<Probe<'u>> {
    let mut probes = Vec::with_capacity(numbers.len());
    let first = stored.partition_point(|trie| trie.before <= numbers.start).saturating_sub(1);
    for StoredSlots { before, trie, slots, storage, root } in &stored[first..] {
        let own = numbers.start.saturating_sub(*before)..slots.len().min(numbers.end.saturating_sub(*before));
        if own.is_empty() {
            break;
        }
        probes.extend(slots[own].iter().map(|(slot, _)| Probe::new(*trie, slot, *storage, *root)));
    }
    probes
}

/// Edits the storage tries, and tells the plans.
fn edit_storage<'c>(
    workshop: &Workshop<'_, '_>,
    made: &mut Made,
    changes: &'c [(usize, Vec<SlotChange<'c>>)],
    plans: &mut Plans,
) -> Result<(), TrieError> {
    let task = |(trie, changes): &'c (usize, Vec<SlotChange<'c>>)| Task {
        trie: *trie,
        depth: 0,
        old: plans.storage_top(*trie, workshop.arena),
        changes: changes.as_slice(),
        precut: Precut::default(),
    };
    let tops = workshop.run::<U256, _>(changes.iter().map(task).collect(), made)?;
    changes.iter().zip(tops).for_each(|((trie, _), top)| plans.take_storage(*trie, top));
    Ok(())
}

/// Nodes that were made on the way and that the new version does not have.
fn unused(arena: &Arena, tries: &Tries<'_>, made: &Made, root: Link, plans: &Plans) -> Vec<Link> {
    let mut unused = made.replaced.clone();
    let loaded = tries.loaded.iter().map(|((trie, path), top)| (*trie, *path, *top));
    for (trie, path, top) in loaded.chain(made.loaded.iter().copied()) {
        let root = if trie == ACCOUNTS { root } else { plans.storage(trie) };
        let there = Cursor::at(root).and_then(|root| root.descend(arena, &path.first_key(), path.len()));
        own_nodes(arena, top, path.len(), there.as_slice(), &mut |node, _| {
            unused.push(node);
            true
        });
    }
    unused
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        AccountUpdate, ArenaError, Branch, MemoryNodes, Path, SourceError, arena::PAGES_MAX, error::TrieId,
        total_tree_bytes,
    };
    use proptest::{collection::vec, prelude::*};
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    const DIVISIONS: [Division; 6] = [
        Division { bins: 1, bin_changes: usize::MAX, cut_depth: 0, large_changes: usize::MAX },
        Division { bins: 1, bin_changes: 7, cut_depth: 1, large_changes: 9 },
        Division { bins: 16, bin_changes: 30, cut_depth: 1, large_changes: 1 },
        Division { bins: 256, bin_changes: usize::MAX, cut_depth: 2, large_changes: 1 },
        Division { bins: 2, bin_changes: 512, cut_depth: 2, large_changes: 1 },
        Division { bins: 3, bin_changes: 100, cut_depth: 2, large_changes: 5 },
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

    #[test]
    fn a_large_build_is_what_small_blocks_make() {
        let update = |i: u32| AccountUpdate {
            address_hash: alloy_primitives::keccak256(i.to_be_bytes()),
            nonce: Some(u64::from(i) + 1),
            ..AccountUpdate::default()
        };
        let updates = |range: std::ops::Range<u32>| {
            let mut accounts: Vec<_> = range.map(update).collect();
            accounts.sort_by_key(|account| account.address_hash);
            Updates { accounts, keep_empty: false }
        };
        let step = |trie: StateTrie, i: u32| {
            root_after(&trie, &crate::NoNodes, &updates(i * 1000..(i + 1) * 1000)).unwrap().trie
        };
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

    #[test]
    fn what_is_out_of_order_is_named() {
        let update = |i: u16| AccountUpdate {
            address_hash: alloy_primitives::keccak256(i.to_be_bytes()),
            nonce: Some(1),
            slots: [1, 2, 3].map(|slot| (B256::with_last_byte(slot), U256::from(1))).into(),
            ..AccountUpdate::default()
        };
        let mut accounts: Vec<_> = (0..1000).map(update).collect();
        accounts.sort_by_key(|account| account.address_hash);
        let good = Updates { accounts, keep_empty: false };
        let old = root_after(&StateTrie::empty(), &crate::NoNodes, &good).unwrap().trie;
        // In the first part and in others, on the border between two, and last.
        for index in [1, 2, locate::PART - 1, locate::PART, locate::PART + 1, 700, 999] {
            let mut swapped = good.clone();
            swapped.accounts.swap(index - 1, index);
            let mut doubled = good.clone();
            doubled.accounts[index].address_hash = doubled.accounts[index - 1].address_hash;
            let mut slots = good.clone();
            slots.accounts[index].slots.swap(1, 2);
            // The first failure counts.
            doubled.accounts[999].slots.swap(1, 2);
            let in_slots = (TrieId::Storage(slots.accounts[index].address_hash), 2);
            let bad = [(swapped, (TrieId::Accounts, index)), (doubled, (TrieId::Accounts, index)), (slots, in_slots)];
            for (updates, expected) in bad {
                for parent in [&StateTrie::empty(), &old] {
                    let error = root_after(parent, &crate::NoNodes, &updates).unwrap_err();
                    let TrieError::Unsorted { trie, index } = error else { panic!("{error}") };
                    assert_eq!((trie, index), expected);
                }
            }
        }
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

    /// Wherever it fails, in a bin too that loads the one child that is left of a branch, what was made is freed again.
    #[test]
    fn a_source_that_fails_leaves_no_nodes() {
        let update = |i: u16| AccountUpdate {
            address_hash: alloy_primitives::keccak256(i.to_be_bytes()),
            nonce: Some(1),
            ..AccountUpdate::default()
        };
        let block = |mut accounts: Vec<AccountUpdate>| {
            accounts.sort_by_key(|account| account.address_hash);
            Updates { accounts, keep_empty: false }
        };
        let all = block((0..1000).map(update).collect());
        let first = root_after(&StateTrie::empty(), &crate::NoNodes, &all).unwrap();
        let mut store = MemoryNodes::default();
        store.apply(&all, &first);
        // Below each first nibble one child is left, which nobody has read.
        let is_gone = |update: &AccountUpdate| update.address_hash[0] >> 4 != update.address_hash[0] & 15;
        let gone = |update| AccountUpdate { nonce: None, destroyed: true, ..update };
        let changes = block((0..1000).map(update).filter(is_gone).map(gone).collect());
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
            for left in (0..asked).step_by(20).chain((0..8).flat_map(|_| asked - 16..asked)) {
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
        let slots = |value: u64| {
            let slot = |i: u16| (alloy_primitives::keccak256(i.to_be_bytes()), U256::from(value));
            sorted((0..100).map(slot).collect())
        };
        let update = |i: u16, value: u64| AccountUpdate {
            address_hash: alloy_primitives::keccak256(i.to_be_bytes()),
            nonce: Some(value),
            slots: if i.is_multiple_of(20) { slots(value) } else { Vec::new() },
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
        // Accounts: records at three depths, then small subtrees; slots, of all accounts at once: two depths.
        let asked = source.asked.into_inner();
        assert!((4..=9).contains(&asked), "asked {asked} times for 2,000 accounts and 10,000 slots");
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
                    prop_assert_eq!(&cold.accounts, &warm.accounts);
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
}
