//! The state that a test begins with, in memory.

use crate::fixture::{Account, Accounts};
use alloy_primitives::{Address, B256, keccak256};
use balsa_state::{EMPTY_CODE_HASH, Layer, MemoryStore, State, StateDiff, StateError, StorageDiff};
use balsa_trie::{GenesisAccount, NoNodes, RootAfter, StateTrie, TrieError, Updates, root_after};
use std::sync::Arc;

/// How many layers a state may have before they are merged into a store: a look-up goes through all of them.
const LAYERS_MAX: usize = 48;

/// A state and its trie, wholly in memory.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) state: State,
    pub(crate) trie: StateTrie,
    /// What lies below the state's layers.
    store: Arc<MemoryStore>,
}

impl World {
    /// The state of a fixture's `pre`.
    pub(crate) fn of(accounts: &Accounts) -> Result<Self, TrieError> {
        let updates = Updates::of_genesis(accounts.iter().map(genesis_account));
        let after = root_after(&StateTrie::empty(), &NoNodes, &updates)?;
        let mut store = MemoryStore::default();
        store.apply(&diff_of(accounts, updates, &after));
        let store = Arc::new(store);
        Ok(Self { state: State::new(store.clone()), trie: after.trie, store })
    }

    /// The world after one more block.
    pub(crate) fn grown(&self, diff: StateDiff, trie: StateTrie) -> Self {
        let state = self.state.child(Arc::new(Layer::new(diff)));
        if state.layers().len() < LAYERS_MAX {
            return Self { state, trie, store: self.store.clone() };
        }
        let mut store = MemoryStore::clone(&self.store);
        store.apply(&state.merged_diff());
        let store = Arc::new(store);
        Self { state: State::new(store.clone()), trie, store }
    }

    /// The state root.
    pub(crate) fn root(&self) -> B256 {
        self.trie.root()
    }
}

fn genesis_account((address, account): (&Address, &Account)) -> GenesisAccount {
    GenesisAccount {
        address: *address,
        nonce: account.nonce.0,
        balance: account.balance.0,
        code_hash: (!account.code.is_empty()).then(|| keccak256(&account.code)),
        slots: account.storage.iter().map(|(slot, value)| (slot.0, value.0)).collect(),
    }
}

fn diff_of(accounts: &Accounts, updates: Updates, after: &RootAfter) -> StateDiff {
    let changed = after.accounts.with_keys(&updates).collect();
    let storage = updates.accounts.into_iter().filter(|update| !update.slots.is_empty());
    let storage =
        storage.map(|update| StorageDiff { address_hash: update.address_hash, cleared: false, slots: update.slots });
    let codes = accounts.values().filter(|account| !account.code.is_empty());
    let mut codes: Vec<_> = codes.map(|account| (keccak256(&account.code), account.code.clone())).collect();
    codes.sort_unstable_by_key(|(hash, _)| *hash);
    codes.dedup_by_key(|(hash, _)| *hash);
    StateDiff { accounts: changed, storage: storage.collect(), codes }
}

/// Says where the flat state differs from what a fixture's `postState` lists.
///
/// The state root compares the whole already: this holds the flat values, which the next block reads, against it.
pub(crate) fn check_accounts(state: &State, accounts: &Accounts) -> Result<(), String> {
    for (address, expected) in accounts {
        check_account(state, address, expected).map_err(|difference| format!("account {address}: {difference}"))?;
    }
    Ok(())
}

fn check_account(state: &State, address: &Address, expected: &Account) -> Result<(), String> {
    let internal = |error: StateError| error.to_string();
    let address_hash = keccak256(address);
    let found = state.account(&address_hash).map_err(internal)?.ok_or("missing")?;
    if found.balance != expected.balance.0 {
        return Err(format!("balance {}, expected {}", found.balance, expected.balance.0));
    }
    if found.nonce != expected.nonce.0 {
        return Err(format!("nonce {}, expected {}", found.nonce, expected.nonce.0));
    }
    if found.code_hash != keccak256(&expected.code) {
        return Err(format!("code hash {}, expected {}", found.code_hash, keccak256(&expected.code)));
    }
    if found.code_hash != EMPTY_CODE_HASH && state.code(&found.code_hash).map_err(internal)? != expected.code {
        return Err("code is not that of its hash".to_owned());
    }
    for (slot, value) in &expected.storage {
        let slot_hash = keccak256(slot.0.to_be_bytes::<32>());
        let found = state.slot(&address_hash, &slot_hash).map_err(internal)?;
        if found != value.0 {
            return Err(format!("slot {:#x} holds {found:#x}, expected {:#x}", slot.0, value.0));
        }
    }
    Ok(())
}
