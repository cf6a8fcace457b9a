//! The columns of a list: one array for each kind of value, and for each account where its part of them starts.
//!
//! Arrays of one kind keep a lookup within one or two cache lines and free the decoder from allocating per account;
//! a block of some thousand items takes a dozen allocations in all.

use alloy_primitives::{Address, U256};
use std::ops::Range;

/// Changes of one kind in list order: account by account (storage: slot by slot), indices ascending within.
#[derive(Debug)]
pub(crate) struct Column<T> {
    pub(crate) index: Vec<u32>,
    pub(crate) value: Vec<T>,
}

/// A code as a range of the list's bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CodeRange {
    pub(crate) start: u32,
    pub(crate) size: u32,
}

/// Where an account's part of each column starts. It ends where the next account's starts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AccountRow {
    /// First slot ordinal: the changed slots, ascending, then the read ones, ascending.
    pub(crate) slots: u32,
    /// First slot ordinal of the read ones.
    pub(crate) reads: u32,
    pub(crate) balances: u32,
    pub(crate) nonces: u32,
    pub(crate) codes: u32,
}

/// All columns. Offsets are 32 bits: a list is shorter than 4 GiB, and every entry takes at least a byte of it.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    /// Ascending; the position is the account's ordinal.
    pub(crate) addresses: Vec<Address>,
    /// By account ordinal, and a sentinel.
    pub(crate) rows: Vec<AccountRow>,
    /// By slot ordinal.
    pub(crate) slots: Vec<U256>,
    /// By slot ordinal, and a sentinel: where the slot's part of `storage` starts; empty for a read slot.
    pub(crate) slot_changes: Vec<u32>,
    pub(crate) storage: Column<U256>,
    pub(crate) balances: Column<U256>,
    pub(crate) nonces: Column<u64>,
    pub(crate) codes: Column<CodeRange>,
    /// By block access index: changes of all fields and accounts at it. Ends with the greatest index present.
    pub(crate) row_counts: Vec<u32>,
}

impl Columns {
    /// Columns with room for what a list of `size` bytes usually has: about twice the bytes, whatever the list says.
    /// The divisors are bytes of list for each entry, from full blocks; a list with more entries makes columns grow.
    pub(crate) fn for_bytes(size: usize) -> Self {
        Self {
            addresses: Vec::with_capacity(size / 128),
            rows: Vec::with_capacity(size / 128 + 1),
            slots: Vec::with_capacity(size / 48),
            slot_changes: Vec::with_capacity(size / 48 + 1),
            storage: Column::with_capacity(size / 64),
            balances: Column::with_capacity(size / 192),
            nonces: Column::with_capacity(size / 192),
            ..Self::default()
        }
    }

    pub(crate) fn open_account(&mut self, address: Address) {
        self.addresses.push(address);
        self.rows.push(self.row_here());
    }

    /// Marks the end of the open account's changed slots.
    pub(crate) fn open_reads(&mut self) {
        let slots = self.slots.len() as u32;
        if let Some(row) = self.rows.last_mut() {
            row.reads = slots;
        }
    }

    #[inline(always)]
    pub(crate) fn open_slot(&mut self, slot: U256) {
        self.slots.push(slot);
        self.slot_changes.push(self.storage.len() as u32);
    }

    #[inline]
    pub(crate) fn count(&mut self, index: u32) {
        let index = index as usize;
        if index >= self.row_counts.len() {
            self.row_counts.resize(index + 1, 0);
        }
        self.row_counts[index] += 1;
    }

    /// The changed slots of the account whose reads are open.
    pub(crate) fn changed_slots_open(&self) -> Range<usize> {
        self.rows.last().map_or(0..0, |row| row.slots as usize..row.reads as usize)
    }

    /// Adds the sentinels. Nothing may be added after.
    pub(crate) fn seal(&mut self) {
        self.rows.push(self.row_here());
        self.slot_changes.push(self.storage.len() as u32);
    }

    fn row_here(&self) -> AccountRow {
        AccountRow {
            slots: self.slots.len() as u32,
            reads: self.slots.len() as u32,
            balances: self.balances.len() as u32,
            nonces: self.nonces.len() as u32,
            codes: self.codes.len() as u32,
        }
    }
}

impl<T> Column<T> {
    fn with_capacity(len: usize) -> Self {
        Self { index: Vec::with_capacity(len), value: Vec::with_capacity(len) }
    }

    /// Adds a change whose value is to come: a value that is at hand when the column has to grow must be kept in
    /// memory meanwhile, and is then stored in parts and loaded as a whole, which stalls even when nothing grows.
    #[inline(always)]
    pub(crate) fn open(&mut self, index: u32)
    where
        T: Default,
    {
        self.index.push(index);
        self.value.push(T::default());
    }

    /// Sets the value of the last change.
    #[inline(always)]
    pub(crate) fn set_last(&mut self, value: T) {
        if let Some(last) = self.value.last_mut() {
            *last = value;
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.index.len()
    }
}

impl<T: Copy> Column<T> {
    /// Where the last change before `index` stands.
    #[inline]
    pub(crate) fn position_before(&self, range: Range<usize>, index: u32) -> Option<usize> {
        let start = range.start;
        match self.index[range].partition_point(|&at| at < index) {
            0 => None,
            count => Some(start + count - 1),
        }
    }

    /// The value of the last change before `index`.
    #[inline]
    pub(crate) fn before(&self, range: Range<usize>, index: u32) -> Option<T> {
        self.position_before(range, index).map(|at| self.value[at])
    }

    /// Index and value of each change.
    pub(crate) fn iter(&self, range: Range<usize>) -> impl ExactSizeIterator<Item = (u32, T)> {
        range.map(|at| (self.index[at], self.value[at]))
    }

    /// The value of the change at `index`.
    #[inline]
    pub(crate) fn at(&self, range: Range<usize>, index: u32) -> Option<T> {
        let start = range.start;
        self.index[range].binary_search(&index).ok().map(|at| self.value[start + at])
    }

    /// The value of the last change.
    #[inline]
    pub(crate) fn last(&self, range: Range<usize>) -> Option<T> {
        if range.is_empty() { None } else { Some(self.value[range.end - 1]) }
    }
}

impl<T> Default for Column<T> {
    fn default() -> Self {
        Self { index: Vec::new(), value: Vec::new() }
    }
}
