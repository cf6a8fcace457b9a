//! What a block changed, as the merkleizer takes it and as the state keeps it.

use alloy_primitives::{B256, Bytes};
use balsa_bal::{FlatList, KeyHashes};
use balsa_state::{ChangedAccount, Columns, StateDiff, StateError, StorageDiff};
use balsa_trie::{AccountUpdate, RootAfter, Updates};

/// The final value of every key that the list says was changed, known before any transaction has run.
pub(crate) struct ListUpdates {
    pub(crate) updates: Updates,
    /// The account of each update: its ordinal in the list.
    ordinals: Vec<u32>,
    /// The slot of each slot update, by update: its slot ordinal.
    slot_ordinals: Vec<Vec<u32>>,
}

impl ListUpdates {
    /// Reads the list; hashes of codes come from the columns, which keep them.
    pub(crate) fn new(list: &FlatList, keys: &KeyHashes, columns: &Columns) -> Self {
        let mut changed: Vec<u32> = (0..list.len() as u32).filter(|ordinal| is_changed(list, *ordinal)).collect();
        changed.sort_unstable_by_key(|ordinal| keys.addresses[*ordinal as usize]);
        let mut slot_ordinals = Vec::with_capacity(changed.len());
        let mut accounts = Vec::with_capacity(changed.len());
        for ordinal in &changed {
            let mut slots: Vec<u32> = list.changed_slots(*ordinal).collect();
            slots.sort_unstable_by_key(|slot| keys.slots[*slot as usize]);
            let value = |slot: &u32| (keys.slots[*slot as usize], list.slot_final(*slot).unwrap_or_default());
            accounts.push(AccountUpdate {
                address_hash: keys.addresses[*ordinal as usize],
                nonce: list.nonce_final(*ordinal),
                balance: list.balance_final(*ordinal),
                code_hash: list.code_ordinal_final(*ordinal).map(|code| columns.code_hash(code)),
                destroyed: false,
                storage_cleared: false,
                slots: slots.iter().map(value).collect(),
            });
            slot_ordinals.push(slots);
        }
        Self { updates: Updates { accounts, keep_empty: false }, ordinals: changed, slot_ordinals }
    }

    /// The net change: what the list changes and leaves as the parent had it is left out.
    pub(crate) fn into_diff(self, after: &RootAfter, columns: &Columns) -> Result<StateDiff, StateError> {
        let mut diff = StateDiff::default();
        for (ordinal, (hash, account)) in self.ordinals.iter().zip(after.accounts.with_keys(&self.updates)) {
            let parent = columns.account(*ordinal)?;
            if parent == account {
                continue;
            }
            diff.accounts.push((hash, account));
            let code = columns.list().code_ordinal_final(*ordinal);
            let code_hash = account.map(|account| account.code_hash);
            if let Some(code) = code.filter(|_| code_hash != parent.map(|parent| parent.code_hash))
                && let Some(hash) = code_hash.filter(|hash| *hash != balsa_state::EMPTY_CODE_HASH)
            {
                diff.codes.push((hash, columns.list().code(code)));
            }
        }
        for ((update, slot_ordinals), ordinal) in
            self.updates.accounts.into_iter().zip(self.slot_ordinals).zip(self.ordinals)
        {
            let mut slots = Vec::with_capacity(update.slots.len());
            for (slot, slot_ordinal) in update.slots.into_iter().zip(slot_ordinals) {
                if columns.slot(ordinal, slot_ordinal)? != slot.1 {
                    slots.push(slot);
                }
            }
            if !slots.is_empty() {
                diff.storage.push(StorageDiff { address_hash: update.address_hash, cleared: false, slots });
            }
        }
        diff.codes.sort_unstable_by_key(|(hash, _)| *hash);
        diff.codes.dedup_by_key(|(hash, _)| *hash);
        Ok(diff)
    }
}

fn is_changed(list: &FlatList, ordinal: u32) -> bool {
    !list.changed_slots(ordinal).is_empty()
        || list.balance_final(ordinal).is_some()
        || list.nonce_final(ordinal).is_some()
        || list.code_ordinal_final(ordinal).is_some()
}

/// The updates of a block that ran sequentially, as the merkleizer takes them. `keep_empty` holds before EIP-161.
pub fn updates_of(changes: &[ChangedAccount], keep_empty: bool) -> Updates {
    let update = |change: &ChangedAccount| AccountUpdate {
        address_hash: change.address_hash,
        nonce: change.info.map(|info| info.nonce),
        balance: change.info.map(|info| info.balance),
        code_hash: change.info.map(|info| info.code_hash),
        destroyed: change.info.is_none(),
        storage_cleared: change.storage_cleared,
        slots: if change.info.is_none() { Vec::new() } else { change.slots.clone() },
    };
    Updates { accounts: changes.iter().map(update).collect(), keep_empty }
}

/// The flat change of a block that ran sequentially; changes are net already.
pub fn diff_of(changes: Vec<ChangedAccount>, codes: Vec<(B256, Bytes)>, after: &RootAfter) -> StateDiff {
    let keys = changes.iter().map(|change| change.address_hash);
    let accounts = keys.zip(after.accounts.iter()).collect();
    let storage = changes
        .into_iter()
        .filter(|change| change.storage_cleared || !change.slots.is_empty())
        .map(|ChangedAccount { address_hash, info, storage_cleared, slots }| StorageDiff {
            address_hash,
            cleared: storage_cleared,
            slots: if info.is_none() { Vec::new() } else { slots },
        })
        .collect();
    StateDiff { accounts, storage, codes }
}
