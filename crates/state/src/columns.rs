//! The parent values of every key in an access list, dense, by ordinal.

use std::sync::{Arc, OnceLock};

use alloy_primitives::{B256, U256};
use balsa_bal::{FlatList, KeyHashes};
use balsa_keccak::keccak256;

use crate::{Account, EMPTY_CODE_HASH, EMPTY_ROOT, State, StateError};

/// Keys that one prefetch task reads: enough to pay for the task, few enough to share a block's keys among workers.
const PREFETCH_CHUNK: usize = 64;

/// A cell a key: filled once, by the prefetcher or by the first transaction that needs it, whichever comes first.
///
/// Nobody waits for another's read. Two readers of one key may both ask the store, which is rare and harmless: they get
/// the same answer.
pub struct Columns {
    parent: State,
    list: Arc<FlatList>,
    keys: Arc<KeyHashes>,
    accounts: Box<[OnceLock<Option<Account>>]>,
    slots: Box<[OnceLock<U256>]>,
    /// Hashes of the codes that the list sets, by code ordinal.
    code_hashes: Box<[OnceLock<B256>]>,
}

impl Columns {
    /// Empty columns for a list, over the state after the parent block.
    pub fn new(parent: State, list: Arc<FlatList>, keys: Arc<KeyHashes>) -> Self {
        fn cells<T>(count: usize) -> Box<[OnceLock<T>]> {
            std::iter::repeat_with(OnceLock::new).take(count).collect()
        }
        let (accounts, slots, code_hashes) = (cells(list.len()), cells(list.slots_len()), cells(list.codes_len()));
        Self { parent, list, keys, accounts, slots, code_hashes }
    }

    /// The account in the parent state.
    pub fn account(&self, ordinal: u32) -> Result<Option<Account>, StateError> {
        let cell = &self.accounts[ordinal as usize];
        if let Some(account) = cell.get() {
            return Ok(*account);
        }
        let account = self.parent.account(&self.keys.addresses[ordinal as usize])?;
        Ok(*cell.get_or_init(|| account))
    }

    /// The slot's value in the parent state; `ordinal` is its account's.
    pub fn slot(&self, ordinal: u32, slot_ordinal: u32) -> Result<U256, StateError> {
        let cell = &self.slots[slot_ordinal as usize];
        if let Some(value) = cell.get() {
            return Ok(*value);
        }
        let value = match self.account(ordinal)? {
            Some(account) if account.storage_root != EMPTY_ROOT => {
                self.parent.slot(&self.keys.addresses[ordinal as usize], &self.keys.slots[slot_ordinal as usize])?
            }
            _ => U256::ZERO,
        };
        Ok(*cell.get_or_init(|| value))
    }

    /// keccak256 of a code that the list sets.
    pub fn code_hash(&self, code_ordinal: u32) -> B256 {
        *self.code_hashes[code_ordinal as usize].get_or_init(|| match self.list.code_bytes(code_ordinal) {
            [] => EMPTY_CODE_HASH,
            code => keccak256(code),
        })
    }

    /// The list that the columns are for.
    pub fn list(&self) -> &FlatList {
        &self.list
    }

    /// The state after the parent block.
    pub fn parent(&self) -> &State {
        &self.parent
    }

    /// What there is to read ahead, as tasks for a pool: accounts in the store's key order, each with its slots.
    pub fn prefetch_tasks(&self) -> impl Iterator<Item = impl FnOnce() + Send + '_> + '_ {
        let mut order: Vec<u32> = (0..self.accounts.len() as u32).collect();
        order.sort_unstable_by_key(|ordinal| self.keys.addresses[*ordinal as usize]);
        let mut at = 0;
        std::iter::from_fn(move || {
            let from = at;
            let mut keys = 0;
            while at < order.len() && keys < PREFETCH_CHUNK {
                keys += 1 + self.list.account_slots(order[at]).len();
                at += 1;
            }
            (from < at).then(|| {
                let ordinals = order[from..at].to_vec();
                move || ordinals.into_iter().for_each(|ordinal| self.prefetch(ordinal))
            })
        })
    }

    /// Reads an account and its slots. An error is left to the transaction that needs the key: it may be none.
    fn prefetch(&self, ordinal: u32) {
        let Ok(Some(account)) = self.account(ordinal) else { return };
        if account.storage_root == EMPTY_ROOT {
            return;
        }
        for slot_ordinal in self.list.account_slots(ordinal) {
            let _ = self.slot(ordinal, slot_ordinal);
        }
    }
}
