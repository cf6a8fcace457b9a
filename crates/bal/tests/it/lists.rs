//! Strategies for valid lists.

use alloy_primitives::{Address, Bytes, U256};
use balsa_bal::{AccountChanges, Change, Limits, SlotChanges};
use proptest::{collection::btree_map, prelude::*};
use std::collections::BTreeMap;

/// What the lists of [`list`] keep to.
pub(crate) const LIMITS: Limits = Limits { index_max: 40, gas_limit: 60_000_000, code_size_max: 70 };

/// Integers of every byte length: it decides which path decodes them.
pub(crate) fn integer() -> impl Strategy<Value = U256> {
    (any::<[u8; 32]>(), 0usize..=32).prop_map(|(bytes, size)| U256::from_be_slice(&bytes[..size]))
}

fn changes<T: std::fmt::Debug>(post: impl Strategy<Value = T>) -> impl Strategy<Value = Vec<Change<T>>> {
    btree_map(0..=LIMITS.index_max, post, 0..6).prop_map(|changes| {
        changes.into_iter().map(|(block_access_index, post)| Change { block_access_index, post }).collect()
    })
}

fn account() -> impl Strategy<Value = AccountChanges> {
    let code = proptest::collection::vec(any::<u8>(), 0..=LIMITS.code_size_max).prop_map(Bytes::from);
    let slots = btree_map(integer(), changes(integer()), 0..8);
    (any::<[u8; 20]>(), slots, changes(integer()), changes(any::<u64>()), changes(code)).prop_map(
        |(address, slots, balance_changes, nonce_changes, code_changes)| AccountChanges {
            address: Address::new(address),
            storage_changes: slots
                .iter()
                .filter(|(_, changes)| !changes.is_empty())
                .map(|(slot, changes)| SlotChanges { slot: *slot, changes: changes.clone() })
                .collect(),
            storage_reads: slots.iter().filter(|(_, c)| c.is_empty()).map(|(slot, _)| *slot).collect(),
            balance_changes,
            nonce_changes,
            code_changes,
        },
    )
}

/// Valid lists.
pub(crate) fn list() -> impl Strategy<Value = Vec<AccountChanges>> {
    proptest::collection::vec(account(), 0..12).prop_map(|accounts| {
        let unique: BTreeMap<_, _> = accounts.into_iter().map(|account| (account.address, account)).collect();
        unique.into_values().collect()
    })
}
