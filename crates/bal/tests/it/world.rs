//! A world of a few accounts that random rows change, and the list of such a block by the definition: for each row the
//! values before and after it are compared, and what was accessed is a set.

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use balsa_bal::{AccountChanges, Change, ListBuilder, Mode, Row, SlotChanges};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Copy, Debug)]
pub(crate) enum Op {
    Touch(u8),
    Balance(u8, u8),
    Nonce(u8, u8),
    Code(u8, u8),
    Read(u8, u8),
    Write(u8, u8, u8),
    Destroy(u8),
    Enter,
    Commit,
    Revert,
}

/// Ops of one row, and whether it is discarded.
#[derive(Clone, Debug)]
pub(crate) struct RowOps {
    pub(crate) ops: Vec<Op>,
    pub(crate) discarded: bool,
}

pub(crate) fn rows() -> impl Strategy<Value = Vec<RowOps>> {
    let (account, value) = (0u8..5, 0u8..3);
    let op = prop_oneof![
        account.clone().prop_map(Op::Touch),
        (account.clone(), value.clone()).prop_map(|(a, v)| Op::Balance(a, v)),
        (account.clone(), value.clone()).prop_map(|(a, v)| Op::Nonce(a, v)),
        (account.clone(), value.clone()).prop_map(|(a, v)| Op::Code(a, v)),
        (account.clone(), value.clone()).prop_map(|(a, s)| Op::Read(a, s)),
        (account.clone(), 0u8..4, value.clone()).prop_map(|(a, s, v)| Op::Write(a, s, v)),
        (account.clone(), 0u8..4, value).prop_map(|(a, s, v)| Op::Write(a, s, v)),
        account.prop_map(Op::Destroy),
        Just(Op::Enter),
        Just(Op::Enter),
        Just(Op::Commit),
        Just(Op::Revert),
    ];
    let row = (proptest::collection::vec(op, 0..25), prop::bool::weighted(0.2));
    proptest::collection::vec(row.prop_map(|(ops, discarded)| RowOps { ops, discarded }), 0..8)
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AccountState {
    pub(crate) balance: U256,
    pub(crate) nonce: u64,
    pub(crate) code: Bytes,
    pub(crate) slots: BTreeMap<U256, U256>,
}

impl AccountState {
    pub(crate) fn code_hash(&self) -> B256 {
        keccak256(&self.code)
    }

    fn slot(&self, slot: U256) -> U256 {
        self.slots.get(&slot).copied().unwrap_or_default()
    }

    fn is_new(&self) -> bool {
        self.nonce == 0 && self.code.is_empty() && self.slots.values().all(U256::is_zero)
    }
}

pub(crate) type World = BTreeMap<Address, AccountState>;

/// What a row did.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) index: u32,
    pub(crate) before: World,
    pub(crate) after: World,
    /// Each accessed account with its accessed slots.
    pub(crate) accessed: BTreeMap<Address, BTreeSet<U256>>,
    pub(crate) destroyed: Vec<Address>,
}

fn address(number: u8) -> Address {
    Address::with_last_byte(0x10 + number)
}

fn word(number: u8) -> U256 {
    // Values of several widths, zero among them.
    U256::from(number) << (100 * usize::from(number))
}

/// Runs a row on the world while feeding `row`; returns what it did. Frames left open are committed.
pub(crate) fn run<M: Mode>(index: u32, world: &mut World, ops: &[Op], row: &mut Row<'_, M>) -> Outcome {
    let before = world.clone();
    let mut snapshots = Vec::new();
    let mut destroyed = Vec::new();
    let mut accessed = BTreeMap::<Address, BTreeSet<U256>>::new();
    for &op in ops {
        let (Op::Touch(number)
        | Op::Balance(number, _)
        | Op::Nonce(number, _)
        | Op::Code(number, _)
        | Op::Read(number, _)
        | Op::Write(number, ..)
        | Op::Destroy(number)) = op
        else {
            match (op, snapshots.is_empty()) {
                (Op::Enter, _) => {
                    snapshots.push((world.clone(), destroyed.clone()));
                    row.enter_frame();
                }
                (Op::Commit, false) => {
                    snapshots.pop();
                    row.commit_frame();
                }
                (Op::Revert, false) => {
                    (*world, destroyed) = snapshots.pop().unwrap();
                    row.revert_frame();
                }
                _ => {}
            }
            continue;
        };
        let address = address(number);
        let slots = accessed.entry(address).or_default();
        let account = world.entry(address).or_default();
        match op {
            Op::Balance(_, value) => {
                row.balance(address, account.balance, word(value));
                account.balance = word(value);
            }
            Op::Nonce(_, value) => {
                row.nonce(address, account.nonce, value.into());
                account.nonce = value.into();
            }
            Op::Code(_, value) => {
                let code = Bytes::from(vec![0x60; value.into()]);
                row.code(address, account.code_hash(), keccak256(&code), &code);
                account.code = code;
            }
            Op::Read(_, slot) => {
                slots.insert(word(slot));
                row.slot_read(address, word(slot), account.slot(word(slot)));
            }
            Op::Write(_, slot, value) => {
                slots.insert(word(slot));
                row.slot_write(address, word(slot), account.slot(word(slot)), word(value));
                account.slots.insert(word(slot), word(value));
            }
            // Only what this row created can be destroyed.
            Op::Destroy(_) if before.get(&address).is_none_or(AccountState::is_new) => {
                row.destroy(address);
                destroyed.push(address);
            }
            _ => row.touch(address),
        }
    }
    snapshots.iter().for_each(|_| row.commit_frame());
    for address in &destroyed {
        let account = world.get_mut(address).unwrap();
        *account = AccountState { balance: account.balance, ..Default::default() };
    }
    Outcome { index, before, after: world.clone(), accessed, destroyed }
}

/// The list of a block by the definition.
pub(crate) fn list(outcomes: &[Outcome]) -> Vec<AccountChanges> {
    let mut accounts = BTreeMap::<Address, AccountChanges>::new();
    let mut slots = BTreeMap::<(Address, U256), Vec<Change<U256>>>::new();
    for outcome in outcomes {
        let change = |post| Change { block_access_index: outcome.index, post };
        for (&address, accessed) in &outcome.accessed {
            let before = outcome.before.get(&address).cloned().unwrap_or_default();
            let after = outcome.after.get(&address).cloned().unwrap_or_default();
            let account = accounts.entry(address).or_insert_with(|| AccountChanges { address, ..Default::default() });
            if before.balance != after.balance {
                account.balance_changes.push(change(after.balance));
            }
            if before.nonce != after.nonce {
                account.nonce_changes.push(Change { block_access_index: outcome.index, post: after.nonce });
            }
            if before.code != after.code {
                account.code_changes.push(Change { block_access_index: outcome.index, post: after.code.clone() });
            }
            for &slot in accessed {
                let changes = slots.entry((address, slot)).or_default();
                if before.slot(slot) != after.slot(slot) {
                    changes.push(change(after.slot(slot)));
                }
            }
        }
    }
    for ((address, slot), changes) in slots {
        let account = accounts.get_mut(&address).unwrap();
        if changes.is_empty() {
            account.storage_reads.push(slot);
        } else {
            account.storage_changes.push(SlotChanges { slot, changes });
        }
    }
    let mut builder = ListBuilder::new();
    builder.extend(accounts.into_values());
    builder.build()
}
