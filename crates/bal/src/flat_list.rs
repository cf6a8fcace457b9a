//! A decoded list and what can be asked of it.
//!
//! An account is named by its **ordinal**, its position in the list. A slot is named by its **slot ordinal**, its
//! position among all slots of the list: account by account, within an account first the changed slots ascending, then
//! the read ones ascending. Both index dense arrays elsewhere: parent values, access bits, hashes.
//!
//! # Panics
//! Methods that take an ordinal panic if the list has no such ordinal: ordinals come from the list.

use crate::{
    columns::{AccountRow, CodeRange, Columns},
    item_cap::item_count_max,
    list_error::ListError,
    position_table::{Found, PositionTable},
};
use alloy_primitives::{Address, B256, Bytes, U256};
use std::{ops::Range, sync::OnceLock};

/// A block access list as sorted columns. Immutable; made by [`FlatList::decode`].
#[derive(Debug)]
pub struct FlatList {
    bytes: Bytes,
    columns: Columns,
    table: PositionTable,
    gas_limit: u64,
    hash: OnceLock<B256>,
}

impl FlatList {
    pub(crate) fn new(bytes: Bytes, columns: Columns, gas_limit: u64) -> Self {
        let table = PositionTable::of(&columns.addresses);
        Self { bytes, columns, table, gas_limit, hash: OnceLock::new() }
    }

    /// The list's RLP, as it was given.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The Keccak-256 of [`Self::bytes`], taken at the first call.
    pub fn hash(&self) -> B256 {
        *self.hash.get_or_init(|| balsa_keccak::keccak256(&self.bytes))
    }

    /// Number of accounts.
    pub fn len(&self) -> usize {
        self.columns.addresses.len()
    }

    /// Whether the list has no account.
    pub fn is_empty(&self) -> bool {
        self.columns.addresses.is_empty()
    }

    /// Number of slots, changed and read, of all accounts.
    pub fn slots_len(&self) -> usize {
        self.columns.slots.len()
    }

    /// Number of code changes of all accounts.
    pub fn codes_len(&self) -> usize {
        self.columns.codes.len()
    }

    /// Addresses plus storage keys, as the cap on items counts them.
    pub fn item_count(&self) -> u64 {
        (self.len() + self.slots_len()) as u64
    }

    /// The cap on items, from the block's gas limit.
    ///
    /// # Errors
    /// [`ListError::TooManyItems`].
    pub fn check_item_cap(&self) -> Result<(), ListError> {
        let (items, items_max) = (self.item_count(), item_count_max(self.gas_limit));
        if items > items_max { Err(ListError::TooManyItems { items, items_max }) } else { Ok(()) }
    }

    /// Number of changes at each block access index, over all accounts and fields. Ends with the greatest index that
    /// has a change; see [`Self::row_count`].
    pub fn row_counts(&self) -> &[u32] {
        &self.columns.row_counts
    }

    /// Number of changes at `index`.
    #[inline]
    pub fn row_count(&self, index: u32) -> u32 {
        self.columns.row_counts.get(index as usize).copied().unwrap_or(0)
    }
}

/// Accounts.
impl FlatList {
    /// All addresses, ascending; the position is the ordinal.
    pub fn addresses(&self) -> &[Address] {
        &self.columns.addresses
    }

    /// The address of an account.
    #[inline]
    pub fn address(&self, ordinal: u32) -> Address {
        self.columns.addresses[ordinal as usize]
    }

    /// The ordinal of an address, or `None` if it is not listed.
    #[inline]
    pub fn ordinal(&self, address: &Address) -> Option<u32> {
        match self.table.find(address, |ordinal| self.columns.addresses[ordinal as usize] == *address) {
            Found::At(ordinal) => Some(ordinal),
            Found::Free(_) => None,
        }
    }

    /// The balance that an account has before `index` runs, or `None` if no earlier index changes it.
    #[inline]
    pub fn balance_before(&self, ordinal: u32, index: u32) -> Option<U256> {
        self.columns.balances.before(self.balance_range(ordinal), index)
    }

    /// The nonce that an account has before `index` runs, or `None` if no earlier index changes it.
    #[inline]
    pub fn nonce_before(&self, ordinal: u32, index: u32) -> Option<u64> {
        self.columns.nonces.before(self.nonce_range(ordinal), index)
    }

    /// The code that an account has before `index` runs, or `None` if no earlier index changes it.
    #[inline]
    pub fn code_before(&self, ordinal: u32, index: u32) -> Option<Bytes> {
        self.code_ordinal_before(ordinal, index).map(|code| self.code(code))
    }

    /// The same as a code ordinal: the position among all code changes of the list, which indexes whatever is kept
    /// per code (its analysis, its hash).
    #[inline]
    pub fn code_ordinal_before(&self, ordinal: u32, index: u32) -> Option<u32> {
        self.columns.codes.position_before(self.code_range(ordinal), index).map(|at| at as u32)
    }

    /// The code of a code ordinal, sharing the list's bytes.
    #[inline]
    pub fn code(&self, code_ordinal: u32) -> Bytes {
        let CodeRange { start, size } = self.columns.codes.value[code_ordinal as usize];
        self.bytes.slice(start as usize..(start + size) as usize)
    }

    /// The code of a code ordinal, borrowed.
    #[inline]
    pub fn code_bytes(&self, code_ordinal: u32) -> &[u8] {
        let CodeRange { start, size } = self.columns.codes.value[code_ordinal as usize];
        &self.bytes[start as usize..(start + size) as usize]
    }

    /// The balance after the block, or `None` if it does not change.
    #[inline]
    pub fn balance_final(&self, ordinal: u32) -> Option<U256> {
        self.columns.balances.last(self.balance_range(ordinal))
    }

    /// The nonce after the block, or `None` if it does not change.
    #[inline]
    pub fn nonce_final(&self, ordinal: u32) -> Option<u64> {
        self.columns.nonces.last(self.nonce_range(ordinal))
    }

    /// The code after the block, or `None` if it does not change.
    #[inline]
    pub fn code_final(&self, ordinal: u32) -> Option<Bytes> {
        self.code_ordinal_final(ordinal).map(|code| self.code(code))
    }

    /// The same as a code ordinal.
    #[inline]
    pub fn code_ordinal_final(&self, ordinal: u32) -> Option<u32> {
        let range = self.code_range(ordinal);
        if range.is_empty() { None } else { Some(range.end as u32 - 1) }
    }

    /// The balance changes of an account: indices ascending, and the balance after each.
    pub fn balance_changes(&self, ordinal: u32) -> impl ExactSizeIterator<Item = (u32, U256)> {
        self.columns.balances.iter(self.balance_range(ordinal))
    }

    /// The nonce changes of an account: indices ascending, and the nonce after each.
    pub fn nonce_changes(&self, ordinal: u32) -> impl ExactSizeIterator<Item = (u32, u64)> {
        self.columns.nonces.iter(self.nonce_range(ordinal))
    }

    /// The code changes of an account: indices ascending, and the code ordinal of each.
    pub fn code_changes(&self, ordinal: u32) -> impl ExactSizeIterator<Item = (u32, u32)> {
        let range = self.code_range(ordinal);
        range.map(|code| (self.columns.codes.index[code], code as u32))
    }
}

/// Slots.
impl FlatList {
    /// All slots in order of their ordinals: ascending only within an account's changed or read ones.
    pub fn slots(&self) -> &[U256] {
        &self.columns.slots
    }

    /// The slot of a slot ordinal.
    #[inline]
    pub fn slot(&self, slot_ordinal: u32) -> U256 {
        self.columns.slots[slot_ordinal as usize]
    }

    /// The slot ordinals of an account, changed slots first.
    #[inline]
    pub fn account_slots(&self, ordinal: u32) -> Range<u32> {
        let [row, next] = self.rows(ordinal);
        row.slots..next.slots
    }

    /// The slot ordinals of an account's changed slots.
    #[inline]
    pub fn changed_slots(&self, ordinal: u32) -> Range<u32> {
        let [row, _] = self.rows(ordinal);
        row.slots..row.reads
    }

    /// The slot ordinals of an account's read slots.
    #[inline]
    pub fn read_slots(&self, ordinal: u32) -> Range<u32> {
        let [row, next] = self.rows(ordinal);
        row.reads..next.slots
    }

    /// The slot ordinal of an account's slot, or `None` if it is not listed.
    #[inline]
    pub fn slot_ordinal(&self, ordinal: u32, slot: &U256) -> Option<u32> {
        self.slot_in(self.changed_slots(ordinal), slot).or_else(|| self.slot_in(self.read_slots(ordinal), slot))
    }

    /// The ordinal of the account that a slot belongs to.
    pub fn slot_account(&self, slot_ordinal: u32) -> u32 {
        self.columns.rows.partition_point(|row| row.slots <= slot_ordinal) as u32 - 1
    }

    /// The value that a slot has before `index` runs, or `None` if no earlier index changes it.
    #[inline]
    pub fn slot_before(&self, slot_ordinal: u32, index: u32) -> Option<U256> {
        self.columns.storage.before(self.storage_range(slot_ordinal), index)
    }

    /// The value of a slot after the block, or `None` if it does not change.
    #[inline]
    pub fn slot_final(&self, slot_ordinal: u32) -> Option<U256> {
        self.columns.storage.last(self.storage_range(slot_ordinal))
    }

    /// The changes of a slot: indices ascending, and the value after each. Empty for a read slot.
    pub fn slot_changes(&self, slot_ordinal: u32) -> impl ExactSizeIterator<Item = (u32, U256)> {
        self.columns.storage.iter(self.storage_range(slot_ordinal))
    }

    #[inline]
    fn slot_in(&self, range: Range<u32>, slot: &U256) -> Option<u32> {
        let start = range.start;
        let slots = &self.columns.slots[range.start as usize..range.end as usize];
        let at = slots.partition_point(|listed| precedes(listed, slot));
        (slots.get(at) == Some(slot)).then(|| start + at as u32)
    }
}

/// `left < right` without a branch: in a search the outcome is as good as random.
#[inline(always)]
fn precedes(left: &U256, right: &U256) -> bool {
    let halves = |value: &U256| {
        let [a, b, c, d] = value.as_limbs().map(u128::from);
        (d << 64 | c, b << 64 | a)
    };
    let ((left_high, left_low), (right_high, right_low)) = (halves(left), halves(right));
    (left_high < right_high) | (left_high == right_high) & (left_low < right_low)
}

/// Changes at one index, for the check of an execution.
impl FlatList {
    /// The balance that an account is listed with at `index`.
    #[inline]
    pub fn balance_at(&self, ordinal: u32, index: u32) -> Option<U256> {
        self.columns.balances.at(self.balance_range(ordinal), index)
    }

    /// The nonce that an account is listed with at `index`.
    #[inline]
    pub fn nonce_at(&self, ordinal: u32, index: u32) -> Option<u64> {
        self.columns.nonces.at(self.nonce_range(ordinal), index)
    }

    /// The code that an account is listed with at `index`.
    #[inline]
    pub fn code_at(&self, ordinal: u32, index: u32) -> Option<&[u8]> {
        let range = self.code_range(ordinal);
        let start = range.start;
        let at = self.columns.codes.index[range].binary_search(&index).ok()?;
        Some(self.code_bytes((start + at) as u32))
    }

    /// The value that a slot is listed with at `index`.
    #[inline]
    pub fn slot_at(&self, slot_ordinal: u32, index: u32) -> Option<U256> {
        self.columns.storage.at(self.storage_range(slot_ordinal), index)
    }
}

/// Ranges of the columns.
impl FlatList {
    #[inline]
    fn rows(&self, ordinal: u32) -> [&AccountRow; 2] {
        let ordinal = ordinal as usize;
        [&self.columns.rows[ordinal], &self.columns.rows[ordinal + 1]]
    }

    #[inline]
    fn balance_range(&self, ordinal: u32) -> Range<usize> {
        let [row, next] = self.rows(ordinal);
        row.balances as usize..next.balances as usize
    }

    #[inline]
    fn nonce_range(&self, ordinal: u32) -> Range<usize> {
        let [row, next] = self.rows(ordinal);
        row.nonces as usize..next.nonces as usize
    }

    #[inline]
    fn code_range(&self, ordinal: u32) -> Range<usize> {
        let [row, next] = self.rows(ordinal);
        row.codes as usize..next.codes as usize
    }

    #[inline]
    fn storage_range(&self, slot_ordinal: u32) -> Range<usize> {
        let slot = slot_ordinal as usize;
        self.columns.slot_changes[slot] as usize..self.columns.slot_changes[slot + 1] as usize
    }
}
