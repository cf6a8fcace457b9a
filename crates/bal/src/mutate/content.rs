//! Mutations of the content: what the list says, in canonical RLP.

use super::{
    MutationKind, Target,
    changes::{ChangesContext, ChangesEdit, replaced},
};
use crate::{AccountChanges, Change, Field, SlotChanges};
use alloy_primitives::{Address, Bytes, U256};
use std::ops::Range;

/// Some accounts of a list replaced by others.
pub(super) struct Edit {
    pub(super) kind: MutationKind,
    pub(super) place: String,
    pub(super) accounts: Range<usize>,
    pub(super) replacement: Vec<AccountChanges>,
}

pub(super) fn edits(accounts: &[AccountChanges], index_max: u32) -> impl Iterator<Item = Edit> + '_ {
    let within = (0..accounts.len()).flat_map(move |at| AccountEdits::of(accounts, at, index_max).edits);
    within.chain(fresh_accounts(accounts))
}

/// An account that no block accesses, where it belongs in the order: in each gap, so that one is first and one last.
fn fresh_accounts(accounts: &[AccountChanges]) -> impl Iterator<Item = Edit> + '_ {
    (0..=accounts.len()).filter_map(|at| {
        let address = match at.checked_sub(1) {
            Some(before) => neighbour(accounts[before].address)?,
            None => Address::ZERO,
        };
        let is_free = accounts.get(at).is_none_or(|next| address < next.address);
        is_free.then(|| Edit {
            kind: MutationKind::Add(Target::Account),
            place: format!("{address}"),
            accounts: at..at,
            replacement: vec![AccountChanges { address, ..Default::default() }],
        })
    })
}

struct AccountEdits<'a> {
    accounts: &'a [AccountChanges],
    at: usize,
    index_max: u32,
    edits: Vec<Edit>,
}

impl<'a> AccountEdits<'a> {
    fn of(accounts: &'a [AccountChanges], at: usize, index_max: u32) -> Self {
        let mut edits = Self { accounts, at, index_max, edits: Vec::new() };
        edits.account();
        edits.storage_changes();
        edits.storage_reads();
        edits.between_reads_and_writes();
        edits.values();
        edits.moves_to_next_account();
        edits
    }

    fn this(&self) -> &'a AccountChanges {
        &self.accounts[self.at]
    }

    fn next(&self) -> Option<&'a AccountChanges> {
        self.accounts.get(self.at + 1)
    }

    fn push(&mut self, kind: MutationKind, detail: impl std::fmt::Display, account: AccountChanges) {
        self.replace(kind, detail, 1, vec![account]);
    }

    fn replace(
        &mut self,
        kind: MutationKind,
        detail: impl std::fmt::Display,
        len: usize,
        replacement: Vec<AccountChanges>,
    ) {
        let place = format!("{}{detail}", self.this().address);
        self.edits.push(Edit { kind, place, accounts: self.at..self.at + len, replacement });
    }

    fn account(&mut self) {
        let this = self.this();
        self.replace(MutationKind::Drop(Target::Account), "", 1, vec![]);
        self.replace(MutationKind::Duplicate(Target::Account), "", 1, vec![this.clone(), this.clone()]);
        if let Some(next) = self.next() {
            self.replace(MutationKind::Reorder(Target::Account), "", 2, vec![next.clone(), this.clone()]);
        }
        if let Some(address) = neighbour(this.address)
            && self.next().is_none_or(|next| address < next.address)
        {
            self.push(MutationKind::Alter(Target::Account), "", AccountChanges { address, ..this.clone() });
        }
    }

    fn storage_changes(&mut self) {
        let this = self.this();
        let slots = &this.storage_changes;
        for (at, slot) in slots.iter().enumerate() {
            let place = format!(" slot {:#x}", slot.slot);
            let with = |storage_changes| AccountChanges { storage_changes, ..this.clone() };
            let emptied = SlotChanges { slot: slot.slot, changes: vec![] };
            self.push(MutationKind::Drop(Target::SlotChanges), &place, with(replaced(slots, at, vec![])));
            self.push(MutationKind::EmptySlot, &place, with(replaced(slots, at, vec![emptied])));
            let twice = vec![slot.clone(), slot.clone()];
            self.push(MutationKind::Duplicate(Target::SlotChanges), &place, with(replaced(slots, at, twice)));
            if let Some(renamed) = self.free_slot_after(slot.slot) {
                let renamed = SlotChanges { slot: renamed, changes: slot.changes.clone() };
                self.push(
                    MutationKind::Alter(Target::SlotChanges),
                    &place,
                    with(replaced(slots, at, vec![renamed.clone()])),
                );
                let added = vec![slot.clone(), renamed];
                self.push(MutationKind::Add(Target::SlotChanges), &place, with(replaced(slots, at, added)));
            }
            if at > 0 {
                let mut swapped = slots.clone();
                swapped.swap(at - 1, at);
                self.push(MutationKind::Reorder(Target::SlotChanges), &place, with(swapped));
                // The same slots in the same order, each with the other's changes.
                let mut moved = slots.clone();
                moved[at - 1].changes = slots[at].changes.clone();
                moved[at].changes = slots[at - 1].changes.clone();
                if moved != *slots {
                    self.push(MutationKind::Move(Target::SlotChanges), &place, with(moved));
                }
            }
            let context = self.context(Field::StorageChanges, U256::from(0xba1), altered_integer);
            for ChangesEdit { kind, index, changes } in context.edits(&slot.changes) {
                let edited = replaced(slots, at, vec![SlotChanges { slot: slot.slot, changes }]);
                self.push(kind, format!("{place} index {index}"), with(edited));
            }
        }
    }

    fn storage_reads(&mut self) {
        let this = self.this();
        let reads = &this.storage_reads;
        let target = Target::Entry(Field::StorageReads);
        let with = |storage_reads| AccountChanges { storage_reads, ..this.clone() };
        for (at, slot) in reads.iter().enumerate() {
            let place = format!(" slot {slot:#x}");
            self.push(MutationKind::Drop(target), &place, with(replaced(reads, at, vec![])));
            self.push(MutationKind::Duplicate(target), &place, with(replaced(reads, at, vec![*slot, *slot])));
            if let Some(renamed) = self.free_slot_after(*slot) {
                self.push(MutationKind::Alter(target), &place, with(replaced(reads, at, vec![renamed])));
            }
            if at > 0 {
                let mut swapped = reads.clone();
                swapped.swap(at - 1, at);
                self.push(MutationKind::Reorder(target), &place, with(swapped));
            }
        }
        let fresh = reads.last().map_or(Some(U256::from(0xba1)), |last| self.free_slot_after(*last));
        if let Some(fresh) = fresh.filter(|fresh| !self.is_listed(fresh)) {
            let mut added = reads.clone();
            added.push(fresh);
            self.push(MutationKind::Add(target), format!(" slot {fresh:#x}"), with(added));
        }
    }

    fn between_reads_and_writes(&mut self) {
        let this = self.this();
        for (at, SlotChanges { slot, .. }) in this.storage_changes.iter().enumerate() {
            let place = format!(" slot {slot:#x}");
            let mut account = this.clone();
            account.storage_reads.push(*slot);
            account.storage_reads.sort_unstable();
            self.push(MutationKind::WriteAndRead, &place, account.clone());
            account.storage_changes.remove(at);
            self.push(MutationKind::WriteToRead, &place, account);
        }
        for (at, slot) in this.storage_reads.iter().enumerate() {
            let mut account = this.clone();
            account.storage_reads.remove(at);
            let changes = vec![Change { block_access_index: self.index_max, post: U256::from(0xba1) }];
            account.storage_changes.push(SlotChanges { slot: *slot, changes });
            account.storage_changes.sort_by_key(|changes| changes.slot);
            self.push(MutationKind::ReadToWrite, format!(" slot {slot:#x}"), account);
        }
    }

    fn values(&mut self) {
        let this = self.this();
        let balances = self.context(Field::BalanceChanges, U256::from(0xba1), altered_integer);
        for ChangesEdit { kind, index, changes } in balances.edits(&this.balance_changes) {
            let account = AccountChanges { balance_changes: changes, ..this.clone() };
            self.push(kind, format!(" index {index}"), account);
        }
        let nonces = self.context(Field::NonceChanges, u64::MAX - 1, |nonce| vec![nonce ^ 1, u64::MAX - nonce]);
        for ChangesEdit { kind, index, changes } in nonces.edits(&this.nonce_changes) {
            let account = AccountChanges { nonce_changes: changes, ..this.clone() };
            self.push(kind, format!(" index {index}"), account);
        }
        let codes = self.context(Field::CodeChanges, Bytes::from_static(&[0x5b]), altered_code);
        for ChangesEdit { kind, index, changes } in codes.edits(&this.code_changes) {
            let account = AccountChanges { code_changes: changes, ..this.clone() };
            self.push(kind, format!(" index {index}"), account);
        }
    }

    /// Hands the last change of each field, and the last slots, to the next account, if that has nothing there.
    fn moves_to_next_account(&mut self) {
        let (this, Some(next)) = (self.this(), self.next()) else { return };
        self.hand_over(this, next, Field::BalanceChanges, |account| &mut account.balance_changes);
        self.hand_over(this, next, Field::NonceChanges, |account| &mut account.nonce_changes);
        self.hand_over(this, next, Field::CodeChanges, |account| &mut account.code_changes);
        if let Some(slot) = this.storage_reads.last()
            && !lists_slot(next, slot)
        {
            let (mut this, mut next) = (this.clone(), next.clone());
            next.storage_reads.extend(this.storage_reads.pop());
            next.storage_reads.sort_unstable();
            self.replace(MutationKind::Move(Target::Entry(Field::StorageReads)), "", 2, vec![this, next]);
        }
        if let Some(slot) = this.storage_changes.last()
            && !lists_slot(next, &slot.slot)
        {
            let (mut this, mut next) = (this.clone(), next.clone());
            next.storage_changes.extend(this.storage_changes.pop());
            next.storage_changes.sort_by_key(|changes| changes.slot);
            self.replace(MutationKind::Move(Target::SlotChanges), "", 2, vec![this, next]);
        }
    }

    fn hand_over<T: Clone>(
        &mut self,
        this: &AccountChanges,
        next: &AccountChanges,
        field: Field,
        of: impl Fn(&mut AccountChanges) -> &mut Vec<Change<T>>,
    ) {
        let (mut this, mut next) = (this.clone(), next.clone());
        let Some(change) = of(&mut this).pop() else { return };
        let index = change.block_access_index;
        if of(&mut next).iter().all(|change| change.block_access_index != index) {
            of(&mut next).push(change);
            of(&mut next).sort_by_key(|change| change.block_access_index);
            let kind = MutationKind::Move(Target::Entry(field));
            self.replace(kind, format!(" index {index}"), 2, vec![this, next]);
        }
    }

    fn context<T>(&self, field: Field, fresh: T, altered: fn(&T) -> Vec<T>) -> ChangesContext<T> {
        ChangesContext { field, index_max: self.index_max, fresh, altered }
    }

    /// The slot after `slot`, if the account does not list it and it keeps the order.
    fn free_slot_after(&self, slot: U256) -> Option<U256> {
        slot.checked_add(U256::ONE).filter(|slot| !self.is_listed(slot))
    }

    fn is_listed(&self, slot: &U256) -> bool {
        lists_slot(self.this(), slot)
    }
}

fn lists_slot(account: &AccountChanges, slot: &U256) -> bool {
    account.storage_reads.contains(slot) || account.storage_changes.iter().any(|changes| changes.slot == *slot)
}

/// The next address, if there is one.
fn neighbour(address: Address) -> Option<Address> {
    let next = U256::from_be_slice(address.as_slice()) + U256::ONE;
    let bytes = next.to_be_bytes::<32>();
    (bytes[11] == 0).then(|| Address::from_slice(&bytes[12..]))
}

fn altered_integer(value: &U256) -> Vec<U256> {
    let mut altered = vec![value ^ U256::ONE, value ^ (U256::ONE << 255)];
    if !value.is_zero() {
        altered.push(U256::ZERO);
    }
    altered.retain(|other| other != value);
    altered.dedup();
    altered
}

fn altered_code(code: &Bytes) -> Vec<Bytes> {
    let mut longer = code.to_vec();
    longer.push(0);
    let mut altered = vec![Bytes::from(longer)];
    if let Some((last, head)) = code.split_last() {
        let flipped: Vec<u8> = head.iter().copied().chain([last ^ 1]).collect();
        altered.extend([Bytes::from(flipped), Bytes::copy_from_slice(head)]);
    }
    altered
}
