//! Bytes to columns in one pass.
//!
//! The pass goes over the bytes once, front to back, and appends to columns: no tree is built, nothing is copied
//! twice, and codes stay where they are. Order, uniqueness and disjointness are comparisons with the item before, as
//! all lists of a block access list are strictly ascending. Memory follows the items that are present, never a length
//! that the bytes claim: a claimed length beyond the bytes is an error before anything is reserved for it.
//!
//! # What made it fast
//! `benches/README.md` has the numbers. In order of effect:
//! - no load that is wider than the stores before it: a `U256` that is put together limb by limb, kept in memory and
//!   then loaded as a vector waits for each limb to leave the store buffer. So the slow paths of [`Reader`] return
//!   places, never values; a change is appended before its value is read; and slots are not compared with `==`.
//! - no branch on what an integer looks like, see [`crate::rlp`].
//! - columns with room from the start, see `Columns::for_bytes`.
//!
//! What changed nothing that could be measured: appending a slot before it is read, as a change is, and comparing slots
//! limb by limb in registers.

use crate::{
    FlatList, RlpError,
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
        let mut pass = Pass {
            reader: Reader::new(&bytes),
            limits,
            columns: Columns::for_bytes(bytes.len()),
            previous_address: None,
        };
        pass.accounts(&bytes).map_err(|error| *error)?;
        let columns = pass.columns;
        Ok(Self::new(bytes, columns, limits.gas_limit))
    }
}

/// Boxed: an error is rare, and a small `Result` is cheap.
type Step<T> = Result<T, Box<ListError>>;

impl From<Box<RlpError>> for Box<ListError> {
    #[cold]
    fn from(error: Box<RlpError>) -> Self {
        Box::new((*error).into())
    }
}

/// The state of the pass. Errors take the account and the slot that they name from the ends of the columns, so that
/// the pass itself carries neither.
struct Pass<'a> {
    reader: Reader,
    limits: &'a Limits,
    columns: Columns,
    previous_address: Option<(u128, u32)>,
}

impl Pass<'_> {
    fn accounts(&mut self, bytes: &[u8]) -> Step<()> {
        let within = self.reader.outermost_list(bytes)?;
        while self.reader.more(within) {
            self.account(within)?;
        }
        self.columns.seal();
        Ok(())
    }

    fn account(&mut self, within: &[u8]) -> Step<()> {
        let within = self.reader.list(within)?;
        let address = self.reader.address(within)?;
        let order = order_key(address);
        if self.previous_address.is_some_and(|previous| previous >= order) {
            return Err(self.account_fault(address.into()));
        }
        self.previous_address = Some(order);
        self.columns.open_account(address.into());
        self.storage_changes(within)?;
        self.columns.open_reads();
        self.storage_reads(within)?;
        self.changes(within, Field::BalanceChanges, |columns| &mut columns.balances, Self::u256)?;
        self.changes(within, Field::NonceChanges, |columns| &mut columns.nonces, Self::u64)?;
        self.changes(within, Field::CodeChanges, |columns| &mut columns.codes, Self::code)?;
        Ok(self.reader.close(within)?)
    }

    /// `[[slot, [[index, value], ...]], ...]`, slots ascending.
    fn storage_changes(&mut self, within: &[u8]) -> Step<()> {
        let within = self.reader.list(within)?;
        let first = self.columns.slots.len();
        while self.reader.more(within) {
            let within = self.reader.list(within)?;
            self.slot(within, first, Field::StorageChanges)?;
            let changes_before = self.columns.storage.len();
            self.changes(within, Field::StorageChanges, |columns| &mut columns.storage, Self::u256)?;
            if self.columns.storage.len() == changes_before {
                return Err(self.empty_slot_fault());
            }
            self.reader.close(within)?;
        }
        Ok(())
    }

    /// `[slot, ...]`, ascending and none of the changed slots: both are sorted, so one merge finds a common slot.
    fn storage_reads(&mut self, within: &[u8]) -> Step<()> {
        let within = self.reader.list(within)?;
        let Range { start: mut changed, end: first } = self.columns.changed_slots_open();
        while self.reader.more(within) {
            let slot = self.slot(within, first, Field::StorageReads)?;
            while changed < first && self.columns.slots[changed] < slot {
                changed += 1;
            }
            // Not `==`, which compares in vectors what was stored in parts a moment ago.
            if changed < first && self.columns.slots[changed] <= slot {
                return Err(Box::new(ListError::SlotChangedAndRead { address: self.address(), slot }));
            }
        }
        Ok(())
    }

    /// A slot, greater than the one before it in the field, whose slots start at the ordinal `first`.
    #[inline(always)]
    fn slot(&mut self, within: &[u8], first: usize, field: Field) -> Step<U256> {
        let slot = self.reader.u256(within)?;
        let at = self.columns.slots.len();
        if at > first && self.columns.slots[at - 1] >= slot {
            return Err(self.slot_fault(field, self.columns.slots[at - 1], slot));
        }
        self.columns.open_slot(slot);
        Ok(slot)
    }

    /// `[[index, value], ...]`, indices ascending and within the block.
    #[inline(always)]
    fn changes<T: Default>(
        &mut self,
        within: &[u8],
        field: Field,
        column: impl Fn(&mut Columns) -> &mut Column<T>,
        value: impl Fn(&mut Self, &[u8], u32) -> Step<T>,
    ) -> Step<()> {
        let within = self.reader.list(within)?;
        // The least index that may come next; beyond 32 bits after the greatest one.
        let mut index_min = 0;
        while self.reader.more(within) {
            let within = self.reader.list(within)?;
            let index = self.reader.u32(within)?;
            if u64::from(index) < index_min || index > self.limits.index_max {
                return Err(self.index_fault(field, index_min, index));
            }
            index_min = u64::from(index) + 1;
            column(&mut self.columns).open(index);
            let value = value(self, within, index)?;
            column(&mut self.columns).set_last(value);
            self.columns.count(index);
            self.reader.close(within)?;
        }
        Ok(())
    }

    #[inline(always)]
    fn u256(&mut self, within: &[u8], _: u32) -> Step<U256> {
        Ok(self.reader.u256(within)?)
    }

    #[inline(always)]
    fn u64(&mut self, within: &[u8], _: u32) -> Step<u64> {
        Ok(self.reader.u64(within)?)
    }

    fn code(&mut self, within: &[u8], index: u32) -> Step<CodeRange> {
        let Payload { start, size } = self.reader.string(within)?;
        let size_max = self.limits.code_size_max;
        if size > size_max {
            return Err(Box::new(ListError::CodeTooLarge { address: self.address(), index, size, size_max }));
        }
        // Fits: the whole list does.
        Ok(CodeRange { start: start as u32, size: size as u32 })
    }
}

/// Faults.
impl Pass<'_> {
    /// The account that is open.
    #[cold]
    fn address(&self) -> Address {
        self.columns.addresses.last().copied().unwrap_or_default()
    }

    /// `address` is not greater than the last one.
    #[cold]
    fn account_fault(&self, address: Address) -> Box<ListError> {
        let previous = self.address();
        Box::new(if previous == address {
            ListError::DuplicateAccount { address }
        } else {
            ListError::AccountOrder { previous, address }
        })
    }

    /// The last slot has no change.
    #[cold]
    fn empty_slot_fault(&self) -> Box<ListError> {
        let (address, slot) = (self.address(), self.columns.slots.last().copied().unwrap_or_default());
        Box::new(ListError::EmptySlotChanges { address, slot })
    }

    /// `slot` is not greater than `previous`.
    #[cold]
    fn slot_fault(&self, field: Field, previous: U256, slot: U256) -> Box<ListError> {
        let address = self.address();
        Box::new(if previous == slot {
            ListError::DuplicateSlot { address, field, slot }
        } else {
            ListError::SlotOrder { address, field, previous, slot }
        })
    }

    #[cold]
    fn index_fault(&self, field: Field, index_min: u64, index: u32) -> Box<ListError> {
        let (address, index_max) = (self.address(), self.limits.index_max);
        // Indices are 32 bits, and so is the one before the least that may come next.
        let previous = index_min.saturating_sub(1) as u32;
        Box::new(if u64::from(index) >= index_min {
            ListError::IndexBeyondBlock { address, field, index, index_max }
        } else if previous == index {
            ListError::DuplicateIndex { address, field, index }
        } else {
            ListError::IndexOrder { address, field, previous, index }
        })
    }
}

/// An address as integers, which compare as it does and faster.
#[inline(always)]
fn order_key(address: &[u8; 20]) -> (u128, u32) {
    let [high @ .., a, b, c, d] = *address;
    (u128::from_be_bytes(high), u32::from_be_bytes([a, b, c, d]))
}
