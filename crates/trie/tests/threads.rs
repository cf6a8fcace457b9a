//! Chains with blocks large enough to be cut, on one thread and on many: the same roots, accounts and records.

#[expect(dead_code, reason = "each test file uses another part")]
mod support;

use alloy_primitives::{B256, U256, keccak256};
use balsa_state::Account;
use balsa_trie::{
    AccountUpdate, Branch, EncodedNodes, EncodedStorage, HeapMemory, MemoryNodes, NodeSource, Path, Relative,
    StateTrie, Updates, renewed, root_after, total_tree_bytes,
};
use proptest::{collection::vec, prelude::*};
use std::{collections::BTreeMap, sync::Arc};
use support::Model;

const THREADS: [usize; 5] = [1, 2, 3, 5, 16];

/// With this many changes an edit is cut, whatever the number of threads.
const LARGE: u64 = 2000;

/// The account whose storage trie is cut too.
fn large_account() -> B256 {
    keccak256(b"large")
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    /// Accounts of all kinds, and slots of the large one: new, changed, taken away.
    Mixed { changes: u64 },
    /// All keys share their first byte, those of accounts and those of slots.
    OneByte { byte: u8, changes: u64 },
    /// Whatever begins with a nibble goes.
    EmptyNibble { nibble: u8 },
    /// Whatever does not begin with this nibble goes.
    EmptyOthers { nibble: u8 },
    /// All goes.
    EmptyAll,
}

#[derive(Clone, Copy, Debug)]
struct Block {
    kind: Kind,
    seed: u64,
    /// Versions are made anew after it with the youngest of their nodes: a part of this many.
    renewed: Option<u64>,
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        2 => Just(Kind::Mixed { changes: LARGE }),
        2 => (1u64..600).prop_map(|changes| Kind::Mixed { changes }),
        2 => (any::<u8>(), prop_oneof![Just(LARGE), 20u64..300]).prop_map(|(byte, changes)| Kind::OneByte { byte, changes }),
        2 => (0u8..16).prop_map(|nibble| Kind::EmptyNibble { nibble }),
        1 => (0u8..16).prop_map(|nibble| Kind::EmptyOthers { nibble }),
        1 => Just(Kind::EmptyAll),
    ]
}

fn block(kind: impl Strategy<Value = Kind>) -> impl Strategy<Value = Block> {
    let renewed = prop_oneof![2 => Just(None), 1 => (1u64..6).prop_map(Some), 1 => Just(Some(u64::MAX))];
    (kind, any::<u64>(), renewed).prop_map(|(kind, seed, renewed)| Block { kind, seed, renewed })
}

/// Begins with a build from nothing, and has every kind at least once.
fn chain() -> impl Strategy<Value = Vec<Block>> {
    let always = (
        block(Just(Kind::Mixed { changes: 2 * LARGE })),
        block(Just(Kind::Mixed { changes: LARGE })),
        block(any::<u8>().prop_map(|byte| Kind::OneByte { byte, changes: LARGE })),
        block((0u8..16).prop_map(|nibble| Kind::EmptyNibble { nibble })),
    );
    (always, vec(block(kind()), 0..5))
        .prop_map(|((build, mixed, byte, nibble), rest)| [vec![build, mixed, byte, nibble], rest].concat())
}

impl Block {
    /// Numbers that follow from the seed.
    fn number(&self, i: u64, of: &str) -> u64 {
        let hash = keccak256([&self.seed.to_be_bytes(), &i.to_be_bytes(), of.as_bytes()].concat());
        u64::from_be_bytes(hash[..8].try_into().unwrap())
    }

    /// Keys of some 6,000, so that blocks meet what others left.
    fn keys(&self, changes: u64, of: &str) -> Vec<B256> {
        let mut keys: Vec<_> =
            (0..changes).map(|i| keccak256((self.number(i, of) % (3 * LARGE)).to_be_bytes())).collect();
        keys.sort();
        keys.dedup();
        keys
    }

    fn updates(&self, state: &Model) -> Updates {
        let large = large_account();
        let slots = state.slots.get(&large).into_iter().flatten().map(|(slot, _)| *slot);
        let (accounts, slots): (Vec<_>, Vec<_>) = match self.kind {
            Kind::Mixed { changes } => return self.mixed(self.keys(changes, "account"), self.keys(changes, "slot")),
            Kind::OneByte { byte, changes } => {
                let in_byte = |mut key: B256| {
                    key[0] = byte;
                    key
                };
                let keys = |of| self.keys(changes, of).into_iter().map(in_byte).collect::<Vec<_>>();
                let mut updates = self.mixed(keys("account"), keys("slot"));
                updates.accounts.retain(|update| update.address_hash[0] == byte || update.address_hash == large);
                updates.accounts.sort_by_key(|update| update.address_hash);
                updates.accounts.dedup_by_key(|update| update.address_hash);
                return updates;
            }
            Kind::EmptyNibble { nibble } => {
                let goes = move |key: &B256| key[0] >> 4 == nibble;
                (state.accounts.keys().copied().filter(goes).collect(), slots.filter(goes).collect())
            }
            Kind::EmptyOthers { nibble } => {
                let goes = move |key: &B256| key[0] >> 4 != nibble;
                (state.accounts.keys().copied().filter(goes).collect(), slots.filter(goes).collect())
            }
            Kind::EmptyAll => (state.accounts.keys().copied().collect(), Vec::new()),
        };
        let mut updates: BTreeMap<_, _> = BTreeMap::new();
        if !slots.is_empty() {
            let slots = slots.into_iter().map(|slot| (slot, U256::ZERO)).collect();
            updates.insert(large, AccountUpdate { address_hash: large, nonce: Some(1), slots, ..Default::default() });
        }
        for key in accounts.into_iter().filter(|key| *key != large || matches!(self.kind, Kind::EmptyAll)) {
            updates.insert(key, AccountUpdate { address_hash: key, destroyed: true, ..Default::default() });
        }
        Updates { accounts: updates.into_values().collect(), keep_empty: false }
    }

    /// Of ten accounts one goes, of ten slots three; the large account has all slots, some others have a few.
    fn mixed(&self, mut accounts: Vec<B256>, mut slots: Vec<B256>) -> Updates {
        slots.sort();
        slots.dedup();
        accounts.push(large_account());
        accounts.sort();
        accounts.dedup();
        let value = |i: usize, key: &B256| {
            let value = self.number(i as u64, "value") % 10;
            (*key, if value < 3 { U256::ZERO } else { U256::from(value << (8 * (key[31] % 6))) })
        };
        let all: Vec<_> = slots.iter().enumerate().map(|(i, key)| value(i, key)).collect();
        let update = |(i, key): (usize, B256)| {
            let dice = self.number(i as u64, "kind") % 20;
            let (destroyed, is_large) = (dice < 2 && key != large_account(), key == large_account());
            let some = if dice > 16 && !all.is_empty() { &all[..all.len().min(4)] } else { &[] };
            let slots = if is_large { all.clone() } else { some.to_vec() };
            AccountUpdate {
                address_hash: key,
                nonce: (!destroyed).then(|| 1 + dice % 3),
                balance: (dice.is_multiple_of(2) && !destroyed).then(|| U256::from(self.number(i as u64, "balance"))),
                destroyed,
                slots: if destroyed { Vec::new() } else { slots },
                ..AccountUpdate::default()
            }
        };
        Updates { accounts: accounts.into_iter().enumerate().map(update).collect(), keep_empty: false }
    }
}

/// What comes of a block, and how much of it a renewal left.
#[derive(Debug, PartialEq)]
struct Outcome {
    root: B256,
    accounts: Vec<(B256, Option<Account>)>,
    nodes: EncodedNodes,
    renewed: Option<(EncodedNodes, Vec<u64>)>,
}

/// Sorted, and without deletions of records that the store does not have: what is cut off is noted where it stands before
/// an extension from above takes it up, and where it stood is to be deleted then, whether or not there ever was a record.
fn in_order(mut nodes: EncodedNodes, store: &MemoryNodes) -> EncodedNodes {
    let sort = |branches: &mut Vec<(Path, Option<Branch>)>| {
        branches.sort_by_key(|(path, _)| *path);
        assert!(branches.windows(2).all(|pair| pair[0].0 != pair[1].0), "a path is there twice");
    };
    sort(&mut nodes.accounts);
    nodes.accounts.retain(|(path, branch)| branch.is_some() || store.account_branch(path).unwrap().is_some());
    for EncodedStorage { address_hash, cleared, branches } in &mut nodes.storages {
        sort(branches);
        let is_there = |path: &Path| !*cleared && store.storage_branch(address_hash, path).unwrap().is_some();
        branches.retain(|(path, branch)| branch.is_some() || is_there(path));
    }
    nodes.storages.retain(|storage| storage.cleared || !storage.branches.is_empty());
    nodes
}

/// Runs a chain on the current pool, the store one block behind.
fn outcomes(chain: &[(Block, Updates)]) -> (Vec<Outcome>, MemoryNodes) {
    let mut store = MemoryNodes::default();
    let mut flushed = StateTrie::empty();
    let outcome = |(block, updates): &(Block, Updates)| {
        let mut after = root_after(&flushed, &store, updates).unwrap();
        let nodes = in_order(after.nodes.encoded(), &store);
        let renewed = block.renewed.map(|part| {
            let family = [Relative { trie: &flushed, parent: None }, Relative { trie: &after.trie, parent: Some(0) }];
            let new = renewed(&family, total_tree_bytes(&flushed) / part, Arc::new(HeapMemory)).unwrap();
            assert_eq!([new[0].root(), new[1].root()], [flushed.root(), after.root]);
            after.trie = new[1].clone();
            after.nodes = after.nodes.renewed(&after.trie);
            (in_order(after.nodes.encoded(), &store), new.iter().map(total_tree_bytes).collect())
        });
        store.apply(updates, &after);
        flushed = after.trie;
        Outcome { root: after.root, accounts: after.accounts.with_keys(updates).collect(), nodes, renewed }
    };
    (chain.iter().map(outcome).collect(), store)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    #[test]
    fn any_number_of_threads_gives_one_root(blocks in chain()) {
        let mut model = Model::default();
        let mut roots = Vec::new();
        let chain: Vec<_> = blocks.iter().map(|block| {
            let updates = block.updates(&model);
            model.apply(&updates);
            roots.push(model.root());
            (*block, updates)
        }).collect();
        let sizes = |(_, updates): &(Block, Updates)| {
            (updates.accounts.len(), updates.accounts.iter().map(|account| account.slots.len()).max().unwrap_or(0))
        };
        let (accounts, slots) = sizes(&chain[0]);
        prop_assert!(accounts as u64 >= LARGE && slots as u64 >= LARGE, "{} accounts, {} slots", accounts, slots);
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| outcomes(&chain))
        };
        let (expected, store) = on(THREADS[0]);
        model.assert_flat(&store);
        for threads in THREADS {
            let (found, its_store) = on(threads);
            for (i, (found, expected)) in found.iter().zip(&expected).enumerate() {
                prop_assert_eq!(found.root, roots[i], "block {} of {:?} on {} threads", i, blocks[i], threads);
                // Not compared by a macro that would print both.
                prop_assert!(found == expected, "block {} of {:?} on {} threads", i, blocks[i], threads);
                prop_assert!(found.renewed.iter().all(|(nodes, _)| *nodes == found.nodes), "block {}: renewed", i);
            }
            prop_assert!(its_store == store, "the stores of {} threads and one", threads);
        }
    }
}
