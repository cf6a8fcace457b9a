//! Recording what a block does, for a check, for a new list, or for a person.
//!
//! A [`Recorder`] works in one of three modes, a type parameter fixed when it is made: [`Verify`] holds each index
//! against a list and keeps no more than bits; [`Record`] builds a list; [`Trace`] builds one and logs every access in
//! order. Verify pays for nothing that the other two keep.
//!
//! An index is recorded through a [`Row`], which is either finished or leaves no trace:
//!
//! ```
//! # use balsa_bal::{FlatList, Limits, Record, Recorder};
//! # use alloy_primitives::{Address, U256};
//! # let (alice, bob) = (Address::with_last_byte(1), Address::with_last_byte(2));
//! let mut recorder = Recorder::<Record>::new(0);
//! let mut row = recorder.begin(1);
//! row.balance(alice, U256::from(7), U256::from(4));
//! row.enter_frame();
//! row.touch(bob);
//! row.slot_write(bob, U256::ZERO, U256::ZERO, U256::from(3));
//! row.revert_frame(); // the write becomes a read, the access stays
//! row.finish();
//! let accounts = recorder.into_accounts();
//! assert_eq!(accounts[0].balance_changes[0].post, U256::from(4));
//! assert_eq!(accounts[1].storage_reads, [U256::ZERO]);
//! ```
//!
//! A row can be fed while the EVM runs, access by access, with frames; or after a transaction from its journal, one
//! call for each account ([`Row::access_account`]). Several calls at one index (the system calls before a block, say)
//! are one row: what counts is the value before the index and the value after it.
//!
//! All of it is one map from what was accessed (an account, its balance, nonce or code, one of its slots) to a
//! [`cells::Cell`] with the value before and after the index. A write is one look-up, a revert walks a log of writes,
//! and whether an access was a read or a write is decided at the end of the row by comparing the two values.

mod cells;
mod journal;
mod record;
mod trace;
mod verify;

pub use journal::{AccountAccess, SYSTEM_ADDRESS, SlotAccess, Transition};
pub use record::Record;
pub use trace::{Access, Event, Place, Trace};
pub use verify::Verify;

use alloy_primitives::{Address, B256, Bytes, U256};
use cells::{Cells, Part, RowCells};

/// Records a block, or a worker's share of one, in mode `M`.
#[derive(Debug)]
pub struct Recorder<M> {
    cells: Cells,
    mode: M,
}

/// What a mode adds to the map of cells. Implemented by [`Verify`], [`Record`] and [`Trace`] only.
pub trait Mode: sealed::Mode {}

impl<M: sealed::Mode> Mode for M {}

pub(crate) mod sealed {
    use super::{Access, cells::RowCells};

    pub trait Mode {
        /// What the end of a row says.
        type Verdict;
        /// Whether cells live on from row to row.
        const KEEPS_CELLS: bool;

        fn begin(&mut self, _index: u32) {}
        fn note(&mut self, _access: impl FnOnce() -> Access) {}
        fn finish(&mut self, row: &RowCells<'_>) -> Self::Verdict;
        fn discard(&mut self) {}
        fn memory_bytes(&self) -> usize;
    }
}

impl<M: Mode> Recorder<M> {
    fn with_mode(cells_expected: usize, mode: M) -> Self {
        Self { cells: Cells::with_capacity(cells_expected), mode }
    }

    /// Opens the row of a block access index.
    ///
    /// # Panics
    /// In the modes that build a list, if `index` does not exceed that of the last finished row.
    pub fn begin(&mut self, index: u32) -> Row<'_, M> {
        self.mode.begin(index);
        self.cells.begin();
        Row { recorder: self, index, place: None, finished: false }
    }

    /// Bytes of memory that the recorder holds, its log included, a list given to it not.
    pub fn memory_bytes(&self) -> usize {
        self.cells.memory_bytes() + self.mode.memory_bytes()
    }
}

/// One block access index in the course of being recorded. Dropped without [`Row::finish`], it leaves no trace.
#[derive(Debug)]
#[must_use = "a row that is dropped leaves no trace"]
pub struct Row<'a, M: Mode> {
    recorder: &'a mut Recorder<M>,
    index: u32,
    /// The instruction that makes the accesses, where a trace is told of it.
    place: Option<Place>,
    finished: bool,
}

/// Accesses, as they happen. `before` is the value just before the access, `after` the value just after it.
impl<M: Mode> Row<'_, M> {
    /// The account was accessed.
    pub fn touch(&mut self, address: Address) {
        self.note(Event::Touch { address });
        self.cells().access(address, Part::ACCOUNT, U256::ZERO);
    }

    /// The balance was set.
    pub fn balance(&mut self, address: Address, before: U256, after: U256) {
        self.note(Event::Balance { address, before, after });
        self.cells().write(address, Part::BALANCE, before, after);
    }

    /// The nonce was set.
    pub fn nonce(&mut self, address: Address, before: u64, after: u64) {
        self.note(Event::Nonce { address, before, after });
        self.cells().write(address, Part::NONCE, U256::from(before), U256::from(after));
    }

    /// The code was set. `code` is the one that hashes to `after`.
    pub fn code(&mut self, address: Address, before: B256, after: B256, code: &Bytes) {
        self.note(Event::Code { address, before, after });
        self.cells().write(address, Part::CODE, before.into(), after.into());
        self.cells().keep_code(after.into(), code);
    }

    /// The slot was read.
    pub fn slot_read(&mut self, address: Address, slot: U256, value: U256) {
        self.note(Event::SlotRead { address, slot, value });
        self.cells().access(address, Part::slot(slot), value);
    }

    /// The slot was written; `before` may equal `after`.
    pub fn slot_write(&mut self, address: Address, slot: U256, before: U256, after: U256) {
        self.note(Event::SlotWrite { address, slot, before, after });
        self.cells().write(address, Part::slot(slot), before, after);
    }

    /// The account was created and destroyed at this index: its slots count as read, its nonce and code as unchanged.
    /// Its balance is not touched by this call.
    pub fn destroy(&mut self, address: Address) {
        self.note(Event::Destroy { address });
        self.cells().destroy(address);
    }
}

/// Frames: what is written within one is undone when it reverts; that it was accessed is not.
impl<M: Mode> Row<'_, M> {
    /// A call or creation starts.
    pub fn enter_frame(&mut self) {
        self.cells().enter_frame();
        self.note(Event::FrameEntered);
    }

    /// The innermost frame ends well.
    ///
    /// # Panics
    /// If no frame is open.
    pub fn commit_frame(&mut self) {
        self.note(Event::FrameCommitted);
        self.cells().commit_frame();
    }

    /// The innermost frame fails.
    ///
    /// # Panics
    /// If no frame is open.
    pub fn revert_frame(&mut self) {
        self.note(Event::FrameReverted);
        self.cells().revert_frame();
    }
}

/// The end of a row.
impl<M: Mode> Row<'_, M> {
    /// Closes the row: in [`Verify`] says whether it is the list's, in [`Record`] and [`Trace`] adds it to the list.
    ///
    /// # Panics
    /// If a frame is open.
    pub fn finish(mut self) -> M::Verdict {
        self.finished = true;
        let Recorder { cells, mode } = &mut *self.recorder;
        let verdict = mode.finish(&cells.row(self.index));
        cells.finish(M::KEEPS_CELLS);
        verdict
    }

    /// Takes everything back that was recorded in this row.
    pub fn discard(self) {}

    #[inline]
    fn cells(&mut self) -> &mut Cells {
        &mut self.recorder.cells
    }

    #[inline]
    fn note(&mut self, event: Event) {
        let (index, depth, place) = (self.index, self.recorder.cells.depth(), self.place);
        self.recorder.mode.note(|| Access { index, depth, place, event });
    }
}

impl<M: Mode> Drop for Row<'_, M> {
    fn drop(&mut self) {
        if !self.finished {
            self.recorder.cells.discard();
            self.recorder.mode.discard();
        }
    }
}
