//! What a block changed.

use alloy_primitives::{B256, Bytes, U256};

use crate::Account;

/// The flat-state change of one block, or of several merged: what a [`Layer`](crate::Layer) holds and what is flushed.
///
/// Everything is sorted ascending by its hash and unique. Entries whose value is what the parent had are left out, so
/// that two executions of one block give equal diffs however they came by them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StateDiff {
    /// Accounts after the block, with their storage roots; `None` where the account is gone.
    pub accounts: Vec<(B256, Option<Account>)>,
    /// Storage that changed, by account.
    pub storage: Vec<StorageDiff>,
    /// Code that accounts name for the first time in this block, by code hash.
    pub codes: Vec<(B256, Bytes)>,
}

/// The storage change of one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageDiff {
    /// keccak256 of the account's address.
    pub address_hash: B256,
    /// All earlier storage is gone (self-destruct before EIP-6780); `slots` were written after that.
    pub cleared: bool,
    /// Slot hash and value after the block; zero deletes.
    pub slots: Vec<(B256, U256)>,
}

impl StateDiff {
    /// Lays `newer` over `self`, as if one block had made both changes.
    pub fn merge(&mut self, newer: &Self) {
        self.accounts =
            merge_sorted(std::mem::take(&mut self.accounts), &newer.accounts, |entry| entry.0, |_, new| *new);
        self.codes = merge_sorted(std::mem::take(&mut self.codes), &newer.codes, |entry| entry.0, |_, new| new.clone());
        self.storage = merge_sorted(
            std::mem::take(&mut self.storage),
            &newer.storage,
            |entry| entry.address_hash,
            |old, new| {
                if new.cleared {
                    return new.clone();
                }
                let slots = merge_sorted(old.slots, &new.slots, |slot| slot.0, |_, new| *new);
                StorageDiff { address_hash: new.address_hash, cleared: old.cleared, slots }
            },
        );
    }

    /// Rough size on the heap, bytes: what a budget counts.
    pub fn heap_bytes(&self) -> usize {
        let slots: usize = self.storage.iter().map(|storage| storage.slots.len()).sum();
        let code: usize = self.codes.iter().map(|(_, code)| code.len()).sum();
        self.accounts.len() * size_of::<(B256, Option<Account>)>()
            + self.storage.len() * size_of::<StorageDiff>()
            + slots * size_of::<(B256, U256)>()
            + self.codes.len() * size_of::<(B256, Bytes)>()
            + code
    }
}

/// Merges two sorted runs; `both` decides where a key stands in both.
fn merge_sorted<T: Clone>(old: Vec<T>, new: &[T], key: impl Fn(&T) -> B256, both: impl Fn(T, &T) -> T) -> Vec<T> {
    let mut merged = Vec::with_capacity(old.len() + new.len());
    let mut new = new.iter().peekable();
    for entry in old {
        while let Some(first) = new.next_if(|candidate| key(candidate) < key(&entry)) {
            merged.push(first.clone());
        }
        match new.next_if(|candidate| key(candidate) == key(&entry)) {
            Some(newer) => merged.push(both(entry, newer)),
            None => merged.push(entry),
        }
    }
    merged.extend(new.cloned());
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(byte: u8) -> B256 {
        B256::repeat_byte(byte)
    }

    fn storage(address: u8, cleared: bool, slots: &[(u8, u64)]) -> StorageDiff {
        let slots = slots.iter().map(|&(slot, value)| (hash(slot), U256::from(value))).collect();
        StorageDiff { address_hash: hash(address), cleared, slots }
    }

    #[test]
    fn newer_changes_win_and_order_is_kept() {
        let account = |nonce| Some(Account { nonce, ..Account::default() });
        let mut older = StateDiff {
            accounts: vec![(hash(1), account(1)), (hash(3), account(1)), (hash(5), account(1))],
            storage: vec![storage(1, true, &[(1, 1), (2, 2)]), storage(3, false, &[(1, 1)])],
            codes: vec![(hash(9), Bytes::from_static(b"a"))],
        };
        let newer = StateDiff {
            accounts: vec![(hash(2), account(2)), (hash(3), None), (hash(6), account(2))],
            storage: vec![storage(1, false, &[(2, 0), (4, 4)]), storage(3, true, &[])],
            codes: vec![(hash(8), Bytes::from_static(b"b"))],
        };
        older.merge(&newer);
        assert_eq!(
            older.accounts,
            vec![
                (hash(1), account(1)),
                (hash(2), account(2)),
                (hash(3), None),
                (hash(5), account(1)),
                (hash(6), account(2))
            ]
        );
        assert_eq!(older.storage, vec![storage(1, true, &[(1, 1), (2, 0), (4, 4)]), storage(3, true, &[])]);
        assert_eq!(older.codes.len(), 2);
        assert!(older.codes[0].0 < older.codes[1].0);
    }
}
