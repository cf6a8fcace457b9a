//! Which of a list's accounts and slots an execution has used: a bit for each ordinal.
//!
//! Each worker keeps its own and sets bits without any synchronisation; they are OR-ed when all are done. What is
//! still unset then was declared and never accessed, which makes the block invalid: a declared read that nobody makes
//! costs every client the work of fetching it.

use crate::FlatList;
use alloy_primitives::{Address, U256};

/// Accounts and slots accessed, by ordinal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessBits {
    accounts: Vec<u64>,
    slots: Vec<u64>,
}

/// A listed account or slot that was never accessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unaccessed {
    /// The account was never touched.
    #[error("account {address} is listed and never accessed")]
    Account {
        /// The account.
        address: Address,
    },
    /// The slot was never read or written.
    #[error("account {address}: slot {slot:#x} is listed and never accessed")]
    Slot {
        /// The account.
        address: Address,
        /// The slot.
        slot: U256,
    },
}

impl Unaccessed {
    /// The official test suites' name for the class of this error (`BlockException.*`).
    pub fn exception_name(&self) -> &'static str {
        "INVALID_BLOCK_ACCESS_LIST"
    }
}

impl AccessBits {
    /// No access yet to anything of `list`.
    pub fn new(list: &FlatList) -> Self {
        Self { accounts: vec![0; list.len().div_ceil(64)], slots: vec![0; list.slots_len().div_ceil(64)] }
    }

    /// Marks an account as touched.
    #[inline]
    pub fn touch(&mut self, ordinal: u32) {
        set(&mut self.accounts, ordinal);
    }

    /// Marks a slot as read or written.
    #[inline]
    pub fn access(&mut self, slot_ordinal: u32) {
        set(&mut self.slots, slot_ordinal);
    }

    /// Adds the accesses of another worker on the same list.
    pub fn merge(&mut self, other: &Self) {
        for (word, other) in self.accounts.iter_mut().zip(&other.accounts) {
            *word |= other;
        }
        for (word, other) in self.slots.iter_mut().zip(&other.slots) {
            *word |= other;
        }
    }

    /// What was never accessed, in list order: accounts first, then slots. Empty for a list that is right.
    pub fn unaccessed<'a>(&'a self, list: &'a FlatList) -> impl Iterator<Item = Unaccessed> + 'a {
        let account = |ordinal| Unaccessed::Account { address: list.address(ordinal) };
        let slot = |slot| Unaccessed::Slot { address: list.address(list.slot_account(slot)), slot: list.slot(slot) };
        unset(&self.accounts, list.len()).map(account).chain(unset(&self.slots, list.slots_len()).map(slot))
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        (self.accounts.capacity() + self.slots.capacity()) * size_of::<u64>()
    }

    /// Number of declared reads that nobody has made yet, for [`crate::reads_feasible`].
    pub fn reads_remaining(&self, list: &FlatList) -> u64 {
        let is_read = |&slot: &u32| list.slot_changes(slot).len() == 0;
        unset(&self.slots, list.slots_len()).filter(is_read).count() as u64
    }
}

#[inline]
fn set(words: &mut [u64], bit: u32) {
    words[bit as usize / 64] |= 1 << (bit % 64);
}

/// The unset ones of the first `len` bits.
fn unset(words: &[u64], len: usize) -> impl Iterator<Item = u32> + '_ {
    words.iter().enumerate().flat_map(move |(at, word)| {
        let present = (len - 64 * at).min(64);
        let mut left = !word & (u64::MAX >> (64 - present));
        std::iter::from_fn(move || {
            (left != 0).then(|| {
                let bit = left.trailing_zeros();
                left &= left - 1;
                64 * at as u32 + bit
            })
        })
    })
}
