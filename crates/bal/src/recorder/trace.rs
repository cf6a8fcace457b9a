//! Recording to show every access to a person.

use super::{
    AccountAccess, Record, Recorder, Row, RowCells, SlotAccess, Transition, cells::Part, sealed, verify::nonce,
};
use crate::AccountChanges;
use alloy_primitives::{Address, B256, U256};

/// The mode that logs every access in order, reverted ones and discarded rows' excepted, and builds the list too.
#[derive(Debug, Default)]
pub struct Trace {
    record: Record,
    log: Vec<Access>,
    /// Length of the log when the open row began.
    log_before: usize,
}

/// One access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// Block access index.
    pub index: u32,
    /// Open frames at the time of the access.
    pub depth: usize,
    /// The instruction that made it; none where the protocol did, or nobody told.
    pub place: Option<Place>,
    /// What happened.
    pub event: Event,
}

/// An instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Whose storage the code works on.
    pub contract: Address,
    /// Offset in the code.
    pub pc: u32,
    /// The instruction's byte.
    pub opcode: u8,
}

/// What happened at an access. `before` and `after` are the values just before and after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the methods of `Row` that the variants stand for")]
pub enum Event {
    /// An account was accessed.
    Touch { address: Address },
    /// A balance was set.
    Balance { address: Address, before: U256, after: U256 },
    /// A nonce was set.
    Nonce { address: Address, before: u64, after: u64 },
    /// A code was set; the values are hashes.
    Code { address: Address, before: B256, after: B256 },
    /// A slot was read.
    SlotRead { address: Address, slot: U256, value: U256 },
    /// A slot was written.
    SlotWrite { address: Address, slot: U256, before: U256, after: U256 },
    /// An account was destroyed.
    Destroy { address: Address },
    /// A frame began; the depth counts it.
    FrameEntered,
    /// The innermost frame ended well.
    FrameCommitted,
    /// The innermost frame failed: writes logged since it began are undone.
    FrameReverted,
}

impl Recorder<Trace> {
    /// Starts a list and a log.
    pub fn new() -> Self {
        Self::with_mode(0, Trace::default())
    }

    /// Every access so far, in order.
    pub fn log(&self) -> &[Access] {
        &self.mode.log
    }

    /// The list, in canonical order.
    pub fn into_accounts(self) -> Vec<AccountChanges> {
        self.mode.record.accounts(&self.cells)
    }
}

impl Row<'_, Trace> {
    /// Says which instruction makes the accesses that follow.
    pub fn at(&mut self, place: Option<Place>) {
        self.place = place;
    }

    /// Adds what the journal of the finished transaction has of an account, and nobody told of while it ran: fees, and
    /// what else the protocol does by itself. Afterwards the row's values are the journal's.
    pub fn settle(&mut self, access: &AccountAccess<'_>, slots: impl IntoIterator<Item = SlotAccess>) {
        self.place = None;
        let address = access.address;
        if self.value(address, Part::ACCOUNT).is_none() {
            self.touch(address);
        }
        let Transition { before, after } = access.balance;
        let known = self.value(address, Part::BALANCE).unwrap_or(before);
        if known != after {
            self.balance(address, known, after);
        }
        let Transition { before, after } = access.nonce;
        let known = self.value(address, Part::NONCE).map_or(before, nonce);
        if known != after {
            self.nonce(address, known, after);
        }
        let Transition { before, after } = access.code_hash;
        let known = self.value(address, Part::CODE).map_or(before, B256::from);
        if known != after {
            self.code(address, known, after, &access.code.cloned().unwrap_or_default());
        }
        for SlotAccess { slot, value: Transition { before, after } } in slots {
            match self.value(address, Part::slot(slot)) {
                Some(known) if known == after => {}
                Some(known) => self.slot_write(address, slot, known, after),
                None if before == after => self.slot_read(address, slot, after),
                None => self.slot_write(address, slot, before, after),
            }
        }
        if access.destroyed && !self.cells().is_marked_destroyed(&address) {
            self.destroy(address);
        }
    }

    fn value(&mut self, address: Address, part: Part) -> Option<U256> {
        self.cells().value(address, part)
    }
}

impl Default for Recorder<Trace> {
    fn default() -> Self {
        Self::new()
    }
}

impl sealed::Mode for Trace {
    type Verdict = ();
    const KEEPS_CELLS: bool = true;

    fn begin(&mut self, index: u32) {
        self.record.begin(index);
        self.log_before = self.log.len();
    }

    fn note(&mut self, access: impl FnOnce() -> Access) {
        self.log.push(access());
    }

    fn finish(&mut self, row: &RowCells<'_>) {
        self.record.finish(row);
    }

    fn discard(&mut self) {
        self.log.truncate(self.log_before);
    }

    fn memory_bytes(&self) -> usize {
        self.record.memory_bytes() + self.log.capacity() * size_of::<Access>()
    }
}
