//! The check of one block access index against the list, made in the worker that ran it.
//!
//! Row i of a list is the set of all its changes at index i. Each change that execution made must stand in the row
//! with an equal value; if then as many changes were found as the row has, the two sets are equal, because neither
//! the list (checked at decoding) nor an execution names one thing twice. So a row is checked in the time of the
//! changes made, and the whole list is never walked.
//!
//! A block is checked when every index of it is, 0 and transactions + 1 among them even if nothing happens there.
//!
//! Reads have no index in the list. They are marked in [`AccessBits`] and judged when all workers are done.

use crate::{AccessBits, FlatList, Item, Mismatch, Value};
use alloy_primitives::{Address, Bytes, U256};

/// The outcome of one step of a check. Boxed, so that the good case stays small.
pub type Checked<T> = Result<T, Box<Mismatch>>;

/// The check of one index in progress.
///
/// Give it each account with [`Self::account`], each slot with [`Self::slot`], and each change that the index as a
/// whole made (value after it differs from value before it), once; then [`Self::finish`].
#[derive(Debug)]
#[must_use = "a row is checked only when it is finished"]
pub struct RowCheck<'a> {
    list: &'a FlatList,
    accessed: &'a mut AccessBits,
    index: u32,
    matched: u32,
}

impl<'a> RowCheck<'a> {
    /// Starts the check of `index`; accesses are marked in `accessed`.
    pub fn new(list: &'a FlatList, accessed: &'a mut AccessBits, index: u32) -> Self {
        Self { list, accessed, index, matched: 0 }
    }

    /// An account was touched. Returns its ordinal.
    ///
    /// # Errors
    /// [`Mismatch::MissingAccount`].
    #[inline]
    pub fn account(&mut self, address: &Address) -> Checked<u32> {
        let index = self.index;
        let missing = || mismatch(Mismatch::MissingAccount { index, address: *address });
        let ordinal = self.list.ordinal(address).ok_or_else(missing)?;
        self.accessed.touch(ordinal);
        Ok(ordinal)
    }

    /// An account was touched whose ordinal is known.
    #[inline]
    pub fn touch(&mut self, ordinal: u32) {
        self.accessed.touch(ordinal);
    }

    /// A slot was read or written. Returns its slot ordinal.
    ///
    /// # Errors
    /// [`Mismatch::MissingSlot`].
    #[inline]
    pub fn slot(&mut self, ordinal: u32, slot: &U256) -> Checked<u32> {
        let (list, index) = (self.list, self.index);
        let missing = || mismatch(Mismatch::MissingSlot { index, address: list.address(ordinal), slot: *slot });
        let slot_ordinal = list.slot_ordinal(ordinal, slot).ok_or_else(missing)?;
        self.accessed.access(slot_ordinal);
        Ok(slot_ordinal)
    }

    /// A slot was read or written whose slot ordinal is known.
    #[inline]
    pub fn access(&mut self, slot_ordinal: u32) {
        self.accessed.access(slot_ordinal);
    }

    /// A balance has changed.
    ///
    /// # Errors
    /// [`Mismatch::MissingChange`], [`Mismatch::WrongValue`].
    #[inline]
    pub fn balance(&mut self, ordinal: u32, after: U256) -> Checked<()> {
        let listed = self.list.balance_at(ordinal, self.index);
        self.matches(listed == Some(after), ordinal, Item::Balance, || {
            (listed.map(Value::Balance), Value::Balance(after))
        })
    }

    /// A nonce has changed.
    ///
    /// # Errors
    /// [`Mismatch::MissingChange`], [`Mismatch::WrongValue`].
    #[inline]
    pub fn nonce(&mut self, ordinal: u32, after: u64) -> Checked<()> {
        let listed = self.list.nonce_at(ordinal, self.index);
        self.matches(listed == Some(after), ordinal, Item::Nonce, || (listed.map(Value::Nonce), Value::Nonce(after)))
    }

    /// A code has changed.
    ///
    /// # Errors
    /// [`Mismatch::MissingChange`], [`Mismatch::WrongValue`].
    #[inline]
    pub fn code(&mut self, ordinal: u32, after: &[u8]) -> Checked<()> {
        let listed = self.list.code_at(ordinal, self.index);
        let value = |code| Value::Code(Bytes::copy_from_slice(code));
        self.matches(listed == Some(after), ordinal, Item::Code, || (listed.map(value), value(after)))
    }

    /// A slot has changed. The access must have been reported with [`Self::slot`] or [`Self::access`].
    ///
    /// # Errors
    /// [`Mismatch::MissingChange`], [`Mismatch::WrongValue`].
    #[inline]
    pub fn storage(&mut self, slot_ordinal: u32, after: U256) -> Checked<()> {
        let listed = self.list.slot_at(slot_ordinal, self.index);
        if listed == Some(after) {
            self.matched += 1;
            return Ok(());
        }
        let (ordinal, item) = (self.list.slot_account(slot_ordinal), Item::Slot(self.list.slot(slot_ordinal)));
        self.matches(false, ordinal, item, || (listed.map(Value::Word), Value::Word(after)))
    }

    /// All changes were reported: the list must have no further one at this index.
    ///
    /// # Errors
    /// [`Mismatch::SurplusChanges`].
    pub fn finish(self) -> Checked<()> {
        let listed = self.list.row_count(self.index);
        if self.matched == listed {
            return Ok(());
        }
        Err(mismatch(Mismatch::SurplusChanges { index: self.index, listed, executed: self.matched }))
    }

    #[inline]
    fn matches(
        &mut self,
        equal: bool,
        ordinal: u32,
        item: Item,
        values: impl FnOnce() -> (Option<Value>, Value),
    ) -> Checked<()> {
        if equal {
            self.matched += 1;
            return Ok(());
        }
        let (index, address) = (self.index, self.list.address(ordinal));
        Err(mismatch(match values() {
            (None, executed) => Mismatch::MissingChange { index, address, item, executed },
            (Some(listed), executed) => Mismatch::WrongValue { index, address, item, listed, executed },
        }))
    }
}

#[cold]
fn mismatch(mismatch: Mismatch) -> Box<Mismatch> {
    Box::new(mismatch)
}
