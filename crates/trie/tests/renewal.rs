//! Random chains and forks over a store that lags behind, whose nodes are evicted at random moments: every root is that
//! of a trie that was never evicted and of the naive reference, and so is what the store holds in the end.

#[expect(dead_code, reason = "each test file uses another part")]
mod support;

use alloy_primitives::{B256, U256, keccak256};
use balsa_trie::{
    AccountUpdate, HeapMemory, MemoryError, MemoryNodes, NoNodes, PageMemory, Relative, RootAfter, StateTrie, Updates,
    Words, account_proof, cow_bytes, renewed, root_after, total_tree_bytes, total_unique_cow_bytes,
};
use proptest::{collection::vec, prelude::*};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};
use support::Model;

/// Few accounts, some with many slots, and keys that share long prefixes.
fn key(spread: u16) -> impl Strategy<Value = B256> {
    let crowded = (0u8..3, 0u8..6, 0u8..3).prop_map(|(a, b, c)| {
        let mut key = B256::ZERO;
        (key[0], key[5], key[31]) = (a << 3, b << 4, c);
        key
    });
    prop_oneof![3 => (0..spread).prop_map(|n| keccak256(n.to_be_bytes())), 1 => crowded]
}

fn sorted<T>(mut entries: Vec<(B256, T)>) -> Vec<(B256, T)> {
    entries.sort_by_key(|(key, _)| *key);
    entries.dedup_by_key(|(key, _)| *key);
    entries
}

fn block() -> impl Strategy<Value = Updates> {
    let value = prop_oneof![1 => Just(U256::ZERO), 3 => (1u64..4).prop_map(U256::from)];
    let slots = prop_oneof![2 => Just(Vec::new()), 1 => vec((key(200), value.clone()), 1..4), 1 => vec((key(200), value), 30..90)];
    let update = (key(300), (0u64..3, slots), prop::bool::weighted(0.08), prop::bool::weighted(0.04));
    vec(update, 1..40).prop_map(|entries| {
        let update = |(address_hash, (nonce, slots), destroyed, storage_cleared)| {
            let slots = sorted(slots);
            let says = AccountUpdate { address_hash, destroyed, storage_cleared, slots, ..AccountUpdate::default() };
            (address_hash, AccountUpdate { nonce: Some(nonce), ..says })
        };
        let accounts = sorted(entries.into_iter().map(update).collect());
        Updates { accounts: accounts.into_iter().map(|(_, update)| update).collect(), keep_empty: false }
    })
}

/// A block that is not flushed yet.
struct Kept {
    updates: Updates,
    after: RootAfter,
    trie: StateTrie,
    parent: usize,
    model: Model,
}

/// The store's state and what descends from it; position 0 is the store's.
struct Family {
    store: MemoryNodes,
    root: (StateTrie, Model),
    kept: Vec<Kept>,
}

impl Family {
    fn trie(&self, position: usize) -> &StateTrie {
        position.checked_sub(1).map_or(&self.root.0, |i| &self.kept[i].trie)
    }

    fn model(&self, position: usize) -> &Model {
        position.checked_sub(1).map_or(&self.root.1, |i| &self.kept[i].model)
    }

    fn grow(&mut self, parent: usize, updates: Updates) {
        let mut model = self.model(parent).clone();
        model.apply(&updates);
        let after = root_after(self.trie(parent), &self.store, &updates).unwrap();
        assert_eq!(after.root, model.root());
        let trie = after.trie.clone();
        self.kept.push(Kept { updates, after, trie, parent, model });
    }

    /// Moves the store to the block at `position`: what does not descend from it is dropped.
    fn flush(&mut self, position: usize) {
        let mut way = Vec::new();
        let mut at = position;
        while at > 0 {
            way.push(at);
            at = self.kept[at - 1].parent;
        }
        for at in way.into_iter().rev() {
            let Kept { updates, after, .. } = &self.kept[at - 1];
            self.store.apply(updates, after);
        }
        self.root = (self.trie(position).clone(), self.model(position).clone());
        self.root.1.assert_flat(&self.store);
        let mut places = vec![None; self.kept.len() + 1];
        places[position] = Some(0);
        let mut kept = Vec::new();
        for (i, block) in std::mem::take(&mut self.kept).into_iter().enumerate() {
            if let Some(parent) = places[block.parent] {
                places[i + 1] = places[i + 1].or(Some(kept.len() + 1));
                kept.push(Kept { parent, ..block });
            }
        }
        self.kept = kept;
    }

    /// Evicts, and tells what stays of the store's version.
    fn renew(&mut self, bytes_max: u64) -> u64 {
        let kept = self.kept.iter().map(|block| Relative { trie: &block.trie, parent: Some(block.parent) });
        let family: Vec<_> = [Relative { trie: &self.root.0, parent: None }].into_iter().chain(kept).collect();
        let before: Vec<_> = family.iter().map(|relative| relative.trie.clone()).collect();
        let weights: Vec<_> = before.iter().map(total_tree_bytes).collect();
        let new = renewed(&family, bytes_max, Arc::new(HeapMemory)).unwrap();
        let (first, rest) = new.split_first().unwrap();
        assert!(total_tree_bytes(first) <= bytes_max);
        for (i, (trie, old)) in new.iter().zip(&before).enumerate() {
            assert_eq!(trie.root(), old.root());
            assert_eq!(total_tree_bytes(old), weights[i], "an old version was disturbed");
            let parent = i.checked_sub(1).map(|i| self.kept[i].parent);
            assert_eq!(trie.own_bytes(), parent.map_or(0, |parent| cow_bytes(&new[parent], trie)));
            // What was counted is what walks find: seen from the child, its parent is any relative.
            if let Some(parent) = parent.map(|parent| &new[parent]) {
                let grown = total_tree_bytes(trie) + cow_bytes(trie, parent) - total_tree_bytes(parent);
                assert_eq!(trie.own_bytes(), grown);
            }
        }
        let all = total_tree_bytes(first) + total_unique_cow_bytes(first, rest);
        assert_eq!(first.arena_bytes().live, all, "a node that no version has");
        self.root.0 = first.clone();
        for (block, trie) in self.kept.iter_mut().zip(rest) {
            let nodes = block.after.nodes.renewed(trie);
            // Each is in no order, but here in the same.
            assert_eq!(nodes.encoded(), block.after.nodes.encoded());
            block.after.nodes = nodes;
            block.after.trie = trie.clone();
            block.trie = trie.clone();
        }
        total_tree_bytes(&self.root.0)
    }
}

/// Without an index: on the newest block.
#[derive(Clone, Debug)]
enum Step {
    Grow(Option<prop::sample::Index>, Updates),
    Flush(prop::sample::Index),
    Renew(u64),
    Prove(Option<prop::sample::Index>),
}

fn step() -> impl Strategy<Value = Step> {
    let index = || prop::option::weighted(0.3, any::<prop::sample::Index>());
    prop_oneof![
        5 => (index(), block()).prop_map(|(index, block)| Step::Grow(index, block)),
        2 => any::<prop::sample::Index>().prop_map(Step::Flush),
        2 => prop_oneof![Just(0), 500u64..60_000, Just(u64::MAX)].prop_map(Step::Renew),
        1 => index().prop_map(Step::Prove),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, ..ProptestConfig::default() })]

    #[test]
    fn what_is_evicted_is_read_again(steps in vec(step(), 4..30)) {
        let mut family =
            Family { store: MemoryNodes::default(), root: (StateTrie::empty(), Model::default()), kept: Vec::new() };
        for step in steps {
            let count = family.kept.len() + 1;
            match step {
                Step::Grow(index, block) => {
                    let parent = index.map_or(count - 1, |index| index.index(count));
                    family.grow(parent, block);
                }
                Step::Flush(index) => family.flush(index.index(count)),
                Step::Renew(bytes_max) => {
                    let all = total_tree_bytes(&family.root.0);
                    let left = family.renew(bytes_max);
                    prop_assert!(left <= all);
                    prop_assert!(bytes_max != u64::MAX || left == all, "{} of {} bytes without a limit", left, all);
                }
                Step::Prove(index) => {
                    let at = index.map_or(count - 1, |index| index.index(count));
                    let (trie, model) = (family.trie(at).clone(), family.model(at));
                    for key in model.accounts.keys().take(3) {
                        let slots: Vec<_> = model.slots.get(key).into_iter().flatten().map(|(slot, _)| *slot).take(3).collect();
                        // The store stands at the first version, so only what did not change since is asked of it.
                        let proof = account_proof(&trie, &family.store, *key, &slots).unwrap();
                        proof.verify(trie.root()).unwrap();
                        prop_assert_eq!(proof.account.as_ref(), model.accounts.get(key));
                    }
                }
            }
        }
        // What the store has in the end is what a state built at once would have put there.
        let last = family.kept.len();
        family.flush(last);
        let updates = family.root.1.updates_from_nothing();
        let at_once = root_after(&StateTrie::empty(), &NoNodes, &updates).unwrap();
        let mut fresh = MemoryNodes::default();
        fresh.apply(&updates, &at_once);
        prop_assert_eq!(fresh, family.store);
    }
}

fn account(n: u32, nonce: u64) -> AccountUpdate {
    AccountUpdate { address_hash: keccak256(n.to_be_bytes()), nonce: Some(nonce), ..AccountUpdate::default() }
}

fn updates(mut accounts: Vec<AccountUpdate>) -> Updates {
    accounts.sort_by_key(|account| account.address_hash);
    Updates { accounts, keep_empty: false }
}

#[test]
fn hot_paths_stay() {
    let mut store = MemoryNodes::default();
    let genesis = updates((0..20_000).map(|n| account(n, 1)).collect());
    let mut trie = StateTrie::empty();
    let mut step = |trie: &mut StateTrie, updates: Updates| {
        let after = root_after(trie, &store, &updates).unwrap();
        store.apply(&updates, &after);
        *trie = after.trie;
        store.clone()
    };
    step(&mut trie, genesis);
    let mut hot = |trie: &mut StateTrie, nonce| step(trie, updates((0..50).map(|n| account(n, nonce)).collect()));
    for nonce in 2..40 {
        hot(&mut trie, nonce);
    }
    let all = total_tree_bytes(&trie);
    let bytes_max = all / 8;
    let family = [Relative { trie: &trie, parent: None }];
    let mut cooler = renewed(&family, bytes_max, Arc::new(HeapMemory)).unwrap().remove(0);
    let kept = total_tree_bytes(&cooler);
    assert!(kept > 0 && kept <= bytes_max, "{kept} of {all} bytes, at most {bytes_max}");
    // The paths to the fifty are there: nothing is read to change them, so a store that has nothing will do.
    let again = updates((0..50).map(|n| account(n, 99)).collect());
    let without_store = root_after(&cooler, &NoNodes, &again).unwrap();
    hot(&mut cooler, 99);
    assert_eq!(without_store.root, cooler.root());
    assert_eq!(root_after(&trie, &NoNodes, &again).unwrap().root, cooler.root());
}

/// Records are kept of branches over many leaves: counts must stay right through eviction, reading and deletion.
#[test]
fn a_trie_that_shrinks_after_an_eviction_forgets_its_records() {
    let (mut model, mut trie, mut store) = (Model::default(), StateTrie::empty(), MemoryNodes::default());
    let mut step = |trie: &mut StateTrie, updates: Updates| {
        model.apply(&updates);
        let after = root_after(trie, &store, &updates).unwrap();
        assert_eq!(after.root, model.root());
        store.apply(&updates, &after);
        *trie = after.trie;
        let all = model.updates_from_nothing();
        let mut fresh = MemoryNodes::default();
        fresh.apply(&all, &root_after(&StateTrie::empty(), &NoNodes, &all).unwrap());
        assert_eq!(fresh, store);
    };
    step(&mut trie, updates((0..2000).map(|n| account(n, 1)).collect()));
    let mut partly = 0;
    for left in [1500, 700, 300, 120, 60, 33, 20, 12, 3] {
        step(&mut trie, updates((0..3).map(|n| account(n, left)).collect()));
        let family = [Relative { trie: &trie, parent: None }];
        let evicted = renewed(&family, total_tree_bytes(&trie) / 3, Arc::new(HeapMemory)).unwrap().remove(0);
        assert!(total_tree_bytes(&evicted) < total_tree_bytes(&trie));
        partly += u32::from(total_tree_bytes(&evicted) > 0);
        trie = evicted;
        step(&mut trie, updates((left as u32..2000).map(|n| account(n, 0)).collect()));
    }
    assert!(partly >= 4, "{partly} of 9 tries kept their tops");
}

/// A heap that ends after so many pieces.
#[derive(Debug)]
struct SmallHeap(AtomicU64);

impl PageMemory for SmallHeap {
    fn segment(&self, words: usize) -> Result<Box<dyn Words>, MemoryError> {
        match self.0.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)) {
            Ok(_) => HeapMemory.segment(words),
            Err(_) => Err(MemoryError { words, source: "the small heap is full".into() }),
        }
    }
}

/// Each piece is the one that is missing once, for the store's version as for those above it.
#[test]
fn a_renewal_that_finds_no_memory_leaves_everything_as_it_was() {
    let updates = |accounts: std::ops::Range<u64>, nonce| {
        let update = |i: u64| AccountUpdate {
            address_hash: keccak256(i.to_be_bytes()),
            nonce: Some(nonce),
            slots: sorted((0..i % 3).map(|slot| (keccak256(slot.to_be_bytes()), U256::from(nonce))).collect()),
            ..AccountUpdate::default()
        };
        let accounts = sorted(accounts.map(update).map(|update| (update.address_hash, update)).collect());
        Updates { accounts: accounts.into_iter().map(|(_, update)| update).collect(), keep_empty: false }
    };
    let mut tries = vec![root_after(&StateTrie::empty(), &NoNodes, &updates(0..3000, 1)).unwrap().trie];
    for (nonce, accounts) in [(2, 0..1500), (3, 1000..3000)] {
        let parent = tries.last().unwrap();
        tries.push(root_after(parent, &NoNodes, &updates(accounts, nonce)).unwrap().trie);
    }
    let relative = |(i, trie)| Relative { trie, parent: usize::checked_sub(i, 1) };
    let family: Vec<_> = tries.iter().enumerate().map(relative).collect();
    let bytes = |tries: &[StateTrie]| tries.iter().map(total_tree_bytes).collect::<Vec<_>>();
    let mut pieces = 0;
    let new = loop {
        let memory = Arc::new(SmallHeap(pieces.into()));
        match renewed(&family, u64::MAX, memory.clone()) {
            Ok(new) => break new,
            Err(error) => assert!(error.to_string().contains("the small heap is full"), "{error}"),
        }
        assert_eq!(Arc::strong_count(&memory), 1, "something that was begun lives on");
        pieces += 1;
    };
    assert!(pieces > 8, "{pieces} pieces were enough");
    assert_eq!(bytes(&new), bytes(&tries));
    let all = bytes(&new)[0] + total_unique_cow_bytes(&new[0], &new[1..]);
    assert_eq!(new[0].arena_bytes().live, all, "a node that no version has");
    let last = |tries: &[StateTrie]| root_after(&tries[2], &NoNodes, &updates(0..3000, 4)).unwrap().root;
    assert_eq!(last(&new), last(&tries));
}
