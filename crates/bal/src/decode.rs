//! Bytes to columns in one pass.
//!
//! The pass goes over the bytes once, front to back, and appends to columns: no tree is built, nothing is copied
//! twice, and codes stay where they are. Order, uniqueness and disjointness are comparisons with the item before, as
//! all lists of a block access list are strictly ascending. Memory follows the items that are present, never a length
//! that the bytes claim: a claimed length beyond the bytes is an error before anything is reserved for it.

use crate::{
    FlatList,
    columns::{CodeRange, Column, Columns},
    list_error::{Field, ListError},
    rlp::{Payload, Reader},
};
use alloy_primitives::{Address, Bytes, U256};
use std::ops::Range;

/// What a block allows of its list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The block's last block access index: transactions + 1.
    ///
    /// Decoding takes 4 bytes for every index up to the greatest one found, so this must come from a real count of
    /// transactions, or be small.
    pub index_max: u32,
    /// The block's gas limit, for [`FlatList::check_item_cap`].
    pub gas_limit: u64,
    /// The most bytes that a deployed code may have under the block's fork.
    pub code_size_max: usize,
}

impl FlatList {
    /// Decodes a list, accepting canonical RLP in canonical order only.
    ///
    /// The cap on items is not judged here but by [`FlatList::check_item_cap`], as its place among a block's verdicts
    /// differs.
    ///
    /// # Errors
    /// The first rule broken, in the order of the bytes.
    pub fn decode(bytes: Bytes, limits: &Limits) -> Result<Self, ListError> {
        if u32::try_from(bytes.len()).is_err() {
            return Err(ListError::TooLarge { size: bytes.len() });
        }
        let mut pass = Pass { reader: Reader::new(&bytes), limits, columns: Columns::default() };
        pass.accounts().map_err(|error| *error)?;
        let columns = pass.columns;
        Ok(Self::new(bytes, columns, limits.gas_limit))
    }
}

/// Boxed: an error is rare, and a small `Result` is returned in registers.
type Step<T> = Result<T, Box<ListError>>;

impl From<crate::rlp::RlpError> for Box<ListError> {
    #[cold]
    fn from(error: crate::rlp::RlpError) -> Self {
        Box::new(error.into())
    }
}

struct Pass<'a> {
    reader: Reader<'a>,
    limits: &'a Limits,
    columns: Columns,
}

impl Pass<'_> {
    fn accounts(&mut self) -> Step<()> {
        let end = self.reader.outermost_list()?;
        while self.reader.more(end) {
            self.account(end)?;
        }
        self.columns.seal();
        Ok(())
    }

    fn account(&mut self, end: usize) -> Step<()> {
        let end = self.reader.list(end)?;
        let address = self.reader.address(end)?;
        if let Some(&previous) = self.columns.addresses.last()
            && previous >= address
        {
            return Err(account_order(previous, address));
        }
        self.columns.open_account(address);
        self.storage_changes(end, address)?;
        self.columns.open_reads();
        self.storage_reads(end, address)?;
        self.changes(end, address, Field::BalanceChanges, |columns| &mut columns.balances, Self::u256)?;
        self.changes(end, address, Field::NonceChanges, |columns| &mut columns.nonces, Self::u64)?;
        self.changes(end, address, Field::CodeChanges, |columns| &mut columns.codes, Self::code)?;
        Ok(self.reader.close(end)?)
    }

    /// `[[slot, [[index, value], ...]], ...]`, slots ascending.
    fn storage_changes(&mut self, end: usize, address: Address) -> Step<()> {
        let field = Field::StorageChanges;
        let end = self.reader.list(end)?;
        let mut previous = None;
        while self.reader.more(end) {
            let end = self.reader.list(end)?;
            let slot = self.reader.u256(end)?;
            check_slot_order(address, field, previous, slot)?;
            previous = Some(slot);
            self.columns.open_slot(slot);
            let changes_before = self.columns.storage.len();
            self.changes(end, address, field, |columns| &mut columns.storage, Self::u256)?;
            if self.columns.storage.len() == changes_before {
                return Err(Box::new(ListError::EmptySlotChanges { address, slot }));
            }
            self.reader.close(end)?;
        }
        Ok(())
    }

    /// `[slot, ...]`, ascending and none of the changed slots: both are sorted, so one merge finds a common slot.
    fn storage_reads(&mut self, end: usize, address: Address) -> Step<()> {
        let end = self.reader.list(end)?;
        let mut previous = None;
        let Range { start: mut changed, end: changed_end } = self.columns.changed_slots_open();
        while self.reader.more(end) {
            let slot = self.reader.u256(end)?;
            check_slot_order(address, Field::StorageReads, previous, slot)?;
            previous = Some(slot);
            while changed < changed_end && self.columns.slots[changed] < slot {
                changed += 1;
            }
            if changed < changed_end && self.columns.slots[changed] == slot {
                return Err(Box::new(ListError::SlotChangedAndRead { address, slot }));
            }
            self.columns.open_slot(slot);
        }
        Ok(())
    }

    /// `[[index, value], ...]`, indices ascending and within the block.
    fn changes<T>(
        &mut self,
        end: usize,
        address: Address,
        field: Field,
        column: impl Fn(&mut Columns) -> &mut Column<T>,
        value: impl Fn(&mut Self, usize, Change<'_>) -> Step<T>,
    ) -> Step<()> {
        let end = self.reader.list(end)?;
        let mut previous = None;
        while self.reader.more(end) {
            let end = self.reader.list(end)?;
            let index = self.reader.u32(end)?;
            if previous.is_some_and(|previous| previous >= index) || index > self.limits.index_max {
                return Err(self.index_fault(address, field, previous, index));
            }
            previous = Some(index);
            let value = value(self, end, Change { address: &address, index })?;
            self.reader.close(end)?;
            column(&mut self.columns).push(index, value);
            self.columns.count(index);
        }
        Ok(())
    }

    fn u256(&mut self, end: usize, _: Change<'_>) -> Step<U256> {
        Ok(self.reader.u256(end)?)
    }

    fn u64(&mut self, end: usize, _: Change<'_>) -> Step<u64> {
        Ok(self.reader.u64(end)?)
    }

    fn code(&mut self, end: usize, change: Change<'_>) -> Step<CodeRange> {
        let Payload { start, size } = self.reader.string(end)?;
        let size_max = self.limits.code_size_max;
        if size > size_max {
            let Change { address: &address, index } = change;
            return Err(Box::new(ListError::CodeTooLarge { address, index, size, size_max }));
        }
        // Fits: the whole list does.
        Ok(CodeRange { start: start as u32, size: size as u32 })
    }

    #[cold]
    fn index_fault(&self, address: Address, field: Field, previous: Option<u32>, index: u32) -> Box<ListError> {
        let index_max = self.limits.index_max;
        Box::new(match previous {
            Some(previous) if previous == index => ListError::DuplicateIndex { address, field, index },
            Some(previous) if previous > index => ListError::IndexOrder { address, field, previous, index },
            _ => ListError::IndexBeyondBlock { address, field, index, index_max },
        })
    }
}

/// Where a value stands, for its errors.
#[derive(Clone, Copy)]
struct Change<'a> {
    address: &'a Address,
    index: u32,
}

#[inline]
fn check_slot_order(address: Address, field: Field, previous: Option<U256>, slot: U256) -> Step<()> {
    match previous {
        Some(previous) if previous >= slot => Err(slot_order(address, field, previous, slot)),
        _ => Ok(()),
    }
}

#[cold]
fn slot_order(address: Address, field: Field, previous: U256, slot: U256) -> Box<ListError> {
    Box::new(if previous == slot {
        ListError::DuplicateSlot { address, field, slot }
    } else {
        ListError::SlotOrder { address, field, previous, slot }
    })
}

#[cold]
fn account_order(previous: Address, address: Address) -> Box<ListError> {
    Box::new(if previous == address {
        ListError::DuplicateAccount { address }
    } else {
        ListError::AccountOrder { previous, address }
    })
}
