//! Counts of a list, and its hottest slots.

use crate::FlatList;
use alloy_primitives::{Address, U256};
use std::fmt;

/// What a list holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListStats {
    /// Size of the RLP.
    pub bytes: usize,
    /// Accounts.
    pub accounts: usize,
    /// Accounts of which nothing changes.
    pub accounts_unchanged: usize,
    /// Slots that are written.
    pub slots_changed: usize,
    /// Slots that are only read.
    pub slots_read: usize,
    /// Changes of slots.
    pub storage_changes: usize,
    /// Changes of balances.
    pub balance_changes: usize,
    /// Changes of nonces.
    pub nonce_changes: usize,
    /// Changes of codes.
    pub code_changes: usize,
    /// Bytes of all codes.
    pub code_bytes: usize,
    /// Most changes at one block access index.
    pub row_max: u32,
    /// The slots with most changes, most first, in list order among equals.
    pub hot_slots: Vec<HotSlot>,
}

/// A slot that changes often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HotSlot {
    /// The account.
    pub address: Address,
    /// The slot.
    pub slot: U256,
    /// Its changes.
    pub changes: usize,
}

impl ListStats {
    /// Counts `list`, and names its `hot_slots_max` hottest slots.
    pub fn of(list: &FlatList, hot_slots_max: usize) -> Self {
        let mut stats = Self { bytes: list.bytes().len(), accounts: list.len(), ..Self::default() };
        for ordinal in 0..list.len() as u32 {
            stats.add_account(list, ordinal);
        }
        stats.row_max = list.row_counts().iter().copied().max().unwrap_or_default();
        stats.hot_slots.sort_by_key(|slot| std::cmp::Reverse(slot.changes));
        stats.hot_slots.truncate(hot_slots_max);
        stats
    }

    fn add_account(&mut self, list: &FlatList, ordinal: u32) {
        let changed = list.changed_slots(ordinal);
        let [balances, nonces, codes] =
            [list.balance_changes(ordinal).len(), list.nonce_changes(ordinal).len(), list.code_changes(ordinal).len()];
        self.accounts_unchanged += usize::from(changed.is_empty() && balances + nonces + codes == 0);
        self.slots_changed += changed.len();
        self.slots_read += list.read_slots(ordinal).len();
        self.balance_changes += balances;
        self.nonce_changes += nonces;
        self.code_changes += codes;
        self.code_bytes += list.code_changes(ordinal).map(|(_, code)| list.code_bytes(code).len()).sum::<usize>();
        for slot in changed {
            let changes = list.slot_changes(slot).len();
            self.storage_changes += changes;
            self.hot_slots.push(HotSlot { address: list.address(ordinal), slot: list.slot(slot), changes });
        }
    }
}

impl fmt::Display for ListStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "bytes            {}", self.bytes)?;
        writeln!(f, "accounts         {} ({} unchanged)", self.accounts, self.accounts_unchanged)?;
        writeln!(f, "slots            {} changed, {} read", self.slots_changed, self.slots_read)?;
        writeln!(f, "storage changes  {}", self.storage_changes)?;
        writeln!(f, "balance changes  {}", self.balance_changes)?;
        writeln!(f, "nonce changes    {}", self.nonce_changes)?;
        writeln!(f, "code changes     {} ({} bytes)", self.code_changes, self.code_bytes)?;
        writeln!(f, "largest row      {} changes", self.row_max)?;
        for slot in &self.hot_slots {
            writeln!(f, "hot slot         {} {:#x}: {} changes", slot.address, slot.slot, slot.changes)?;
        }
        Ok(())
    }
}
