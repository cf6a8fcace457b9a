//! Recording from the journal of a finished transaction: one call for each account that it accessed.
//!
//! A journal has each value before the transaction and after it, so that nothing else of the transaction's course is
//! needed: no frames, no order.

use super::{Mode, Row};
use crate::{Checked, RowCheck};
use alloy_primitives::{Address, B256, Bytes, U256, address};

/// The caller of system calls. Making the call does not put it into the list.
pub const SYSTEM_ADDRESS: Address = address!("fffffffffffffffffffffffffffffffffffffffe");

/// A value before and after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transition<T> {
    /// The value before.
    pub before: T,
    /// The value after.
    pub after: T,
}

impl<T: PartialEq> Transition<T> {
    /// From `before` to `after`.
    pub fn new(before: T, after: T) -> Self {
        Self { before, after }
    }

    /// Whether the two differ.
    #[inline]
    pub fn is_change(&self) -> bool {
        self.before != self.after
    }
}

/// What a transaction, or a system call, did to an account that it accessed.
#[derive(Clone, Copy, Debug)]
pub struct AccountAccess<'a> {
    /// The account.
    pub address: Address,
    /// In wei.
    pub balance: Transition<U256>,
    /// The nonce.
    pub nonce: Transition<u64>,
    /// The hash of the code.
    pub code_hash: Transition<B256>,
    /// The code after; looked at only if the hash has changed.
    pub code: Option<&'a Bytes>,
    /// Whether the account was created and destroyed within the transaction: its slots count as read then, its nonce
    /// and code as unchanged, whatever the journal has.
    pub destroyed: bool,
}

/// What a transaction did to a slot that it accessed.
#[derive(Clone, Copy, Debug)]
pub struct SlotAccess {
    /// The slot.
    pub slot: U256,
    /// Its value; a read changes nothing.
    pub value: Transition<U256>,
}

impl AccountAccess<'_> {
    fn is_changed(&self) -> bool {
        self.balance.is_change() || self.nonce.is_change() || self.code_hash.is_change()
    }
}

impl<M: Mode> Row<'_, M> {
    /// Records an account and all its slots that a transaction accessed.
    pub fn access_account(&mut self, access: &AccountAccess<'_>, slots: impl IntoIterator<Item = SlotAccess>) {
        let address = access.address;
        self.touch(address);
        if access.balance.is_change() {
            self.balance(address, access.balance.before, access.balance.after);
        }
        if access.nonce.is_change() {
            self.nonce(address, access.nonce.before, access.nonce.after);
        }
        if access.code_hash.is_change() {
            let code = access.code.cloned().unwrap_or_default();
            self.code(address, access.code_hash.before, access.code_hash.after, &code);
        }
        for SlotAccess { slot, value } in slots {
            if value.is_change() {
                self.slot_write(address, slot, value.before, value.after);
            } else {
                self.slot_read(address, slot, value.before);
            }
        }
        if access.destroyed {
            self.destroy(address);
        }
    }

    /// The same for a system call: its caller, which is in the journal, is left out unless it is changed.
    pub fn access_account_in_system_call(
        &mut self,
        access: &AccountAccess<'_>,
        slots: impl IntoIterator<Item = SlotAccess>,
    ) {
        if access.address != SYSTEM_ADDRESS || access.is_changed() {
            self.access_account(access, slots);
        }
    }
}

impl RowCheck<'_> {
    /// Checks an account and all its slots that the row's only transaction accessed.
    ///
    /// Each account and slot may be given once: where several calls make up a row, use [`crate::Recorder::begin`].
    ///
    /// # Errors
    /// The first [`crate::Mismatch`].
    pub fn access_account(
        &mut self,
        access: &AccountAccess<'_>,
        slots: impl IntoIterator<Item = SlotAccess>,
    ) -> Checked<()> {
        let ordinal = self.account(&access.address)?;
        if access.balance.is_change() {
            self.balance(ordinal, access.balance.after)?;
        }
        if access.nonce.is_change() && !access.destroyed {
            self.nonce(ordinal, access.nonce.after)?;
        }
        if access.code_hash.is_change() && !access.destroyed {
            self.code(ordinal, access.code.map_or(&[], |code| code))?;
        }
        for SlotAccess { slot, value } in slots {
            let slot = self.slot(ordinal, &slot)?;
            if value.is_change() && !access.destroyed {
                self.storage(slot, value.after)?;
            }
        }
        Ok(())
    }
}
