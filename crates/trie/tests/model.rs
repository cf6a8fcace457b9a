//! Random blocks against a state in plain maps: on a trie in memory, on one that reads every node from a store, and
//! on forks; and what the store then holds is what a state built at once would have put there.

mod support;

use alloy_primitives::{B256, U256};
use balsa_state::Account;
use balsa_trie::{
    AccountProof, AccountUpdate, Branch, MemoryNodes, NoNodes, NodeSource, Path, SortedRoot, SourceError, StateTrie,
    TrieError, Updates, account_proof, root_after, total_tree_bytes,
};
use proptest::{collection::vec, option, prelude::*};
use support::Model;

/// Keys that share long prefixes, so that extensions, splits and collapses at all depths are common.
fn key() -> impl Strategy<Value = B256> {
    let spread = (0u16..600).prop_map(|n| alloy_primitives::keccak256(n.to_be_bytes()));
    let crowded = (0u8..4, 0u8..8, 0u8..4).prop_map(|(a, b, c)| {
        let mut key = B256::ZERO;
        (key[0], key[7], key[31]) = (a << 2, b << 3, c);
        key
    });
    prop_oneof![2 => spread, 1 => crowded]
}

fn slots() -> impl Strategy<Value = Vec<(B256, U256)>> {
    let value = prop_oneof![2 => Just(U256::ZERO), 2 => (1u64..4).prop_map(U256::from), 1 => Just(U256::MAX)];
    prop_oneof![3 => vec((key(), value.clone()), 0..6), 1 => vec((key(), value), 0..60)].prop_map(|mut slots| {
        slots.sort_by_key(|(key, _)| *key);
        slots.dedup_by_key(|(key, _)| *key);
        slots
    })
}

fn update() -> impl Strategy<Value = AccountUpdate> {
    let code = prop_oneof![Just(alloy_primitives::KECCAK256_EMPTY), Just(B256::repeat_byte(7))];
    let balance = prop_oneof![Just(U256::ZERO), Just(U256::from(1)), Just(U256::MAX)];
    let fields = (option::of(0u64..3), option::of(balance), option::weighted(0.2, code));
    (key(), fields, prop::bool::weighted(0.15), prop::bool::weighted(0.1), slots()).prop_map(
        |(address_hash, (nonce, balance, code_hash), destroyed, storage_cleared, slots)| AccountUpdate {
            address_hash,
            nonce,
            balance,
            code_hash,
            destroyed,
            storage_cleared,
            slots,
        },
    )
}

fn block() -> impl Strategy<Value = Updates> {
    (vec(update(), 0..40), prop::bool::weighted(0.2)).prop_map(|(mut accounts, keep_empty)| {
        accounts.sort_by_key(|account| account.address_hash);
        accounts.dedup_by_key(|account| account.address_hash);
        Updates { accounts, keep_empty }
    })
}

/// The root and all records once more, from the leaves in key order.
fn assert_sorted(store: &MemoryNodes, root: B256) {
    let mut records = 0;
    let mut accounts = SortedRoot::default();
    for (key, account) in &store.accounts {
        let mut slots = SortedRoot::default();
        let mut record = |path: Path, branch: Branch| {
            records += 1;
            assert_eq!(store.storage_branch(key, &path).unwrap(), Some(branch), "{path} below {key}");
            Ok::<_, ()>(())
        };
        for (slot, value) in store.slots.get(key).into_iter().flatten() {
            slots.add_slot(slot, value, &mut record).unwrap();
        }
        assert_eq!(slots.root(record).unwrap(), account.storage_root);
        accounts.add_account(key, account, |path, branch| expect_account(store, &mut records, path, branch)).unwrap();
    }
    assert_eq!(accounts.root(|path, branch| expect_account(store, &mut records, path, branch)), Ok(root));
    assert_eq!(records, store.branch_count());
}

fn expect_account(store: &MemoryNodes, records: &mut usize, path: Path, branch: Branch) -> Result<(), ()> {
    *records += 1;
    assert_eq!(store.account_branch(&path).unwrap(), Some(branch), "{path}");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn blocks_follow_the_model(blocks in vec(block(), 1..12)) {
        let mut model = Model::default();
        let (mut trie, mut store) = (StateTrie::empty(), MemoryNodes::default());
        for updates in &blocks {
            model.apply(updates);
            let cold = root_after(&StateTrie::persisted(trie.root()), &store, updates).unwrap();
            let warm = root_after(&trie, &store, updates).unwrap();
            prop_assert_eq!(warm.root, model.root());
            prop_assert_eq!(cold.root, model.root());
            prop_assert_eq!(&cold.accounts, &warm.accounts);
            for (key, account) in warm.accounts.with_keys(updates) {
                prop_assert_eq!(account.as_ref(), model.accounts.get(&key));
            }
            let mut other = store.clone();
            other.apply(updates, &cold);
            store.apply(updates, &warm);
            prop_assert_eq!(&store, &other);
            model.assert_flat(&store);
            trie = warm.trie;
            // Only the last version is alive: what the arena holds is what that version holds.
            drop(warm.nodes);
            prop_assert_eq!(trie.arena_bytes().live, total_tree_bytes(&trie));
            prop_assert_eq!(cold.trie.arena_bytes().live, total_tree_bytes(&cold.trie));
        }
        let updates = model.updates_from_nothing();
        let at_once = root_after(&StateTrie::empty(), &NoNodes, &updates).unwrap();
        prop_assert_eq!(at_once.root, model.root());
        let mut fresh = MemoryNodes::default();
        fresh.apply(&updates, &at_once);
        prop_assert_eq!(&fresh, &store);
        assert_sorted(&store, model.root());
    }

    /// What is to be written of a block is right however late it is asked for, while other blocks have come and gone.
    #[test]
    fn records_wait_for_their_flush(blocks in vec(block(), 1..8)) {
        let (mut trie, mut at_once, mut waiting) = (StateTrie::empty(), MemoryNodes::default(), Vec::new());
        for updates in &blocks {
            let after = root_after(&trie, &at_once, updates).unwrap();
            at_once.apply(updates, &after);
            drop(root_after(&after.trie, &at_once, &blocks[0]));
            trie = after.trie.clone();
            waiting.push(after);
        }
        let mut late = MemoryNodes::default();
        blocks.iter().zip(&waiting).for_each(|(updates, after)| late.apply(updates, after));
        prop_assert_eq!(late, at_once);
    }

    #[test]
    fn forks_do_not_disturb_their_parent(base in block(), left in block(), right in block()) {
        let base_after = root_after(&StateTrie::empty(), &NoNodes, &base).unwrap();
        let mut models = [Model::default(), Model::default()];
        models.iter_mut().for_each(|model| model.apply(&base));
        for (model, block) in models.iter_mut().zip([&left, &right]) {
            let kept = base_after.trie.clone();
            model.apply(block);
            prop_assert_eq!(root_after(&kept, &NoNodes, block).unwrap().root, model.root());
            prop_assert_eq!(kept.root(), base_after.root);
        }
    }
}

#[test]
fn a_store_that_lies_is_an_error() {
    let key = |n: u16| alloy_primitives::keccak256(n.to_be_bytes());
    let account = |n: u16| AccountUpdate { address_hash: key(n), nonce: Some(1 + u64::from(n)), ..Default::default() };
    let updates = |mut accounts: Vec<AccountUpdate>| {
        accounts.sort_by_key(|account| account.address_hash);
        Updates { accounts, keep_empty: false }
    };
    let genesis = updates((0..500).map(account).collect());
    let after = root_after(&StateTrie::empty(), &NoNodes, &genesis).unwrap();
    let mut store = MemoryNodes::default();
    store.apply(&genesis, &after);
    assert!(store.branch_count() > 16);
    let change = updates(vec![AccountUpdate { nonce: Some(9000), ..account(3) }]);
    let run = |store: &MemoryNodes| root_after(&StateTrie::persisted(after.root), store, &change);
    run(&store).unwrap();
    let mut damaged = store.clone();
    damaged.accounts.get_mut(&key(3)).unwrap().nonce += 1;
    assert!(matches!(run(&damaged), Err(TrieError::WrongHash(_))));
    damaged.accounts.remove(&key(3));
    assert!(matches!(run(&damaged), Err(TrieError::WrongHash(_))));
    assert!(matches!(run(&MemoryNodes::default()), Err(TrieError::WrongHash(_))));
}

/// A store whose leaves were spoiled before they came.
struct Spoiled<'s> {
    store: &'s MemoryNodes,
    spoil: fn(&mut Vec<B256>),
}

impl Spoiled<'_> {
    /// The same leaves under other keys.
    fn rows<T: Clone>(&self, rows: Vec<(B256, T)>) -> Result<Vec<(B256, T)>, SourceError> {
        let mut keys: Vec<_> = rows.iter().map(|(key, _)| *key).collect();
        (self.spoil)(&mut keys);
        Ok(keys.into_iter().zip(rows.iter().cycle()).map(|(key, (_, value))| (key, value.clone())).collect())
    }
}

impl NodeSource for Spoiled<'_> {
    fn account_branch(&self, path: &Path) -> Result<Option<Branch>, SourceError> {
        self.store.account_branch(path)
    }

    fn storage_branch(&self, address: &B256, path: &Path) -> Result<Option<Branch>, SourceError> {
        self.store.storage_branch(address, path)
    }

    fn accounts_under(&self, prefix: &Path, limit: usize) -> Result<Vec<(B256, Account)>, SourceError> {
        self.rows(self.store.accounts_under(prefix, limit)?)
    }

    fn slots_under(&self, address: &B256, prefix: &Path, limit: usize) -> Result<Vec<(B256, U256)>, SourceError> {
        self.rows(self.store.slots_under(address, prefix, limit)?)
    }
}

/// Leaves that no trie can be built over: they are not what is wanted, whatever else they are.
#[test]
fn leaves_out_of_order_are_an_error() {
    let key = |n: u16| alloy_primitives::keccak256(n.to_be_bytes());
    let slots = || {
        let mut slots: Vec<_> = (0..8).map(|n| (key(n), U256::from(7))).collect();
        slots.sort();
        slots
    };
    let account = |n: u16| AccountUpdate { address_hash: key(n), nonce: Some(1), slots: slots(), ..Default::default() };
    let updates = |mut accounts: Vec<AccountUpdate>| {
        accounts.sort_by_key(|account| account.address_hash);
        Updates { accounts, keep_empty: false }
    };
    let genesis = updates((0..6).map(account).collect());
    let after = root_after(&StateTrie::empty(), &NoNodes, &genesis).unwrap();
    let mut store = MemoryNodes::default();
    store.apply(&genesis, &after);
    let change = updates(vec![AccountUpdate { nonce: Some(9), slots: slots(), ..account(3) }]);
    let run = |spoil| root_after(&StateTrie::persisted(after.root), &Spoiled { store: &store, spoil }, &change);
    assert_eq!(run(|_| {}).unwrap().root, root_after(&after.trie, &NoNodes, &change).unwrap().root);
    let spoils: [fn(&mut Vec<B256>); 6] = [
        |keys| keys.reverse(),
        |keys| keys.swap(0, 1),
        |keys| keys[1] = keys[0],
        |keys| keys.push(keys[keys.len() - 1]),
        // No nibble is common to all, and one to the first and the last.
        |keys| *keys = [0x10, 0x20, 0x1f].map(B256::repeat_byte).into(),
        |keys| keys.clear(),
    ];
    for spoil in spoils {
        let error = run(spoil).unwrap_err();
        assert!(matches!(error, TrieError::WrongHash(_)), "{error:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn proofs_prove_what_is_there_and_what_is_not(blocks in vec(block(), 1..4), keys in vec((key(), vec(key(), 0..4)), 1..12)) {
        let (mut model, mut trie, mut store) = (Model::default(), StateTrie::empty(), MemoryNodes::default());
        for updates in &blocks {
            model.apply(updates);
            let after = root_after(&trie, &store, updates).unwrap();
            store.apply(updates, &after);
            trie = after.trie;
        }
        let present = model.accounts.keys().take(6).map(|key| (*key, vec![*key])).collect::<Vec<_>>();
        for (key, slots) in keys.into_iter().chain(present) {
            let own: Vec<_> = model.slots.get(&key).into_iter().flatten().map(|(slot, _)| *slot).take(5).collect();
            let slots = [slots, own].concat();
            let warm = account_proof(&trie, &store, key, &slots).unwrap();
            let cold = account_proof(&StateTrie::persisted(trie.root()), &store, key, &slots).unwrap();
            prop_assert_eq!(&warm, &cold);
            warm.verify(trie.root()).unwrap();
            support::judge_proof(&warm, trie.root());
            prop_assert_eq!(warm.account.as_ref(), model.accounts.get(&key));
            for slot in &warm.slots {
                let value = model.slots.get(&key).and_then(|slots| slots.get(&slot.slot_hash));
                prop_assert_eq!(slot.value, value.copied().unwrap_or_default());
            }
            // What says something else is refused.
            let mut wrong = warm.clone();
            wrong.account = match wrong.account {
                Some(account) => Some(balsa_state::Account { nonce: account.nonce + 1, ..account }),
                None => Some(balsa_state::Account::default()),
            };
            prop_assert!(wrong.verify(trie.root()).is_err());
            let mut gone = AccountProof { account: None, slots: Vec::new(), ..warm.clone() };
            prop_assert_eq!(gone.verify(trie.root()).is_ok(), warm.account.is_none());
            gone.account = warm.account;
            if gone.nodes.pop().is_some() {
                prop_assert!(gone.verify(trie.root()).is_err());
            }
            prop_assert!(warm.verify(B256::repeat_byte(1)).is_err());
        }
        prop_assert_eq!(trie.arena_bytes().live, total_tree_bytes(&trie));
    }
}
