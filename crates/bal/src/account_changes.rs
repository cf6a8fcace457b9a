//! A list in the shape of the specification: a tree of records. For building, comparing and tests; execution uses
//! [`FlatList`].

use crate::FlatList;
use alloy_primitives::{Address, Bytes, U256};

/// All that a block does to one account, and reads of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountChanges {
    /// The account.
    pub address: Address,
    /// Ascending by slot.
    pub storage_changes: Vec<SlotChanges>,
    /// Ascending; none of the changed slots.
    pub storage_reads: Vec<U256>,
    /// Ascending by index.
    pub balance_changes: Vec<BalanceChange>,
    /// Ascending by index.
    pub nonce_changes: Vec<NonceChange>,
    /// Ascending by index.
    pub code_changes: Vec<CodeChange>,
}

/// All changes of one slot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SlotChanges {
    /// The slot.
    pub slot: U256,
    /// Ascending by index, not empty.
    pub changes: Vec<StorageChange>,
}

/// A value after a block access index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Change<T> {
    /// 0 before the transactions, 1..=n for them, n + 1 after.
    pub block_access_index: u32,
    /// The value after it.
    pub post: T,
}

impl<T> Change<T> {
    /// The change with its value replaced.
    pub fn map<U>(self, post: impl FnOnce(T) -> U) -> Change<U> {
        Change { block_access_index: self.block_access_index, post: post(self.post) }
    }
}

/// A slot's value after an index.
pub type StorageChange = Change<U256>;
/// A balance in wei after an index.
pub type BalanceChange = Change<U256>;
/// A nonce after an index.
pub type NonceChange = Change<u64>;
/// A code after an index.
pub type CodeChange = Change<Bytes>;

impl FlatList {
    /// The list as records.
    pub fn to_accounts(&self) -> Vec<AccountChanges> {
        (0..self.len() as u32).map(|ordinal| self.account_changes(ordinal)).collect()
    }

    /// One account as a record.
    pub fn account_changes(&self, ordinal: u32) -> AccountChanges {
        let slot_changes = |slot| SlotChanges { slot: self.slot(slot), changes: changes(self.slot_changes(slot)) };
        AccountChanges {
            address: self.address(ordinal),
            storage_changes: self.changed_slots(ordinal).map(slot_changes).collect(),
            storage_reads: self.read_slots(ordinal).map(|slot| self.slot(slot)).collect(),
            balance_changes: changes(self.balance_changes(ordinal)),
            nonce_changes: changes(self.nonce_changes(ordinal)),
            code_changes: changes(self.code_changes(ordinal).map(|(index, code)| (index, self.code(code)))),
        }
    }
}

fn changes<T>(changes: impl Iterator<Item = (u32, T)>) -> Vec<Change<T>> {
    changes.map(|(block_access_index, post)| Change { block_access_index, post }).collect()
}
