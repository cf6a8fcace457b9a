//! What waits for the writer of one directory: the hand-over between whoever feeds the index and one thread.
//!
//! Feeders hold a shard's lock while they push, so that the order of records of one transaction is the order of its
//! changes; therefore a push never waits. Waiting for room happens before the shard's lock is taken: the writer takes that
//! lock itself, to clear recent maps.

use std::{
    mem,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
};

use crate::{
    IndexError,
    record::{Record, SerialMark},
};

/// The queue of one directory. Bounded: see [`Pending::wait_for_room`].
#[derive(Debug)]
pub(crate) struct Pending {
    state: Mutex<State>,
    /// The writer sleeps here.
    work: Condvar,
    /// Feeders and flushes sleep here.
    progress: Condvar,
    records_max: usize,
}

#[derive(Debug, Default)]
struct State {
    records: Vec<Record>,
    mark: Option<SerialMark>,
    stop: bool,
    /// Pushed since opening, and those that the log held then.
    pushed: u64,
    spilled: u64,
    /// Serial of the last mark that is safe.
    marked: u64,
    failed: Option<Arc<IndexError>>,
}

/// What the writer is to do next.
#[derive(Debug)]
pub(crate) struct Work {
    /// Oldest first.
    pub(crate) records: Vec<Record>,
    /// To be set after the records.
    pub(crate) mark: Option<SerialMark>,
    /// Nothing comes after this.
    pub(crate) stop: bool,
}

impl Pending {
    /// An empty queue in which `pushed` records were handed over before, and at most `records_max` wait.
    pub(crate) fn new(pushed: u64, records_max: usize) -> Self {
        let state = State { pushed, ..State::default() };
        Self { state: Mutex::new(state), work: Condvar::new(), progress: Condvar::new(), records_max }
    }

    /// Waits until fewer records than the limit wait to be spilled. Several feeders may pass it by one record each.
    ///
    /// # Errors
    /// If the writer stopped.
    pub(crate) fn wait_for_room(&self) -> Result<(), IndexError> {
        let full = |state: &mut State| {
            state.failed.is_none() && state.pushed.saturating_sub(state.spilled) >= self.records_max as u64
        };
        let state = self.progress.wait_while(self.lock(), full).unwrap_or_else(PoisonError::into_inner);
        state.check()
    }

    /// Hands a record over, and returns its serial: records ascend by it.
    pub(crate) fn push(&self, record: Record) -> u64 {
        let mut state = self.lock();
        state.records.push(record);
        state.pushed += 1;
        if state.records.len() == 1 {
            self.work.notify_one();
        }
        state.pushed
    }

    /// Hands a mark over and waits until it, and all before it, is safe.
    pub(crate) fn mark(&self, mark: SerialMark) -> Result<(), IndexError> {
        let mut state = self.lock();
        state.check()?;
        state.mark = Some(mark);
        self.work.notify_one();
        let waits = |state: &mut State| state.failed.is_none() && state.marked < mark.serial;
        self.progress.wait_while(state, waits).unwrap_or_else(PoisonError::into_inner).check()
    }

    /// Tells the writer to append what there is and end.
    pub(crate) fn stop(&self) {
        self.lock().stop = true;
        self.work.notify_one();
    }

    /// Waits for work. The writer's.
    pub(crate) fn take(&self) -> Work {
        let idle = |state: &mut State| state.records.is_empty() && state.mark.is_none() && !state.stop;
        let mut state = self.work.wait_while(self.lock(), idle).unwrap_or_else(PoisonError::into_inner);
        Work { records: mem::take(&mut state.records), mark: state.mark.take(), stop: state.stop }
    }

    /// The mark is safe. The writer's.
    pub(crate) fn marked(&self, mark: SerialMark) {
        self.lock().marked = mark.serial;
        self.progress.notify_all();
    }

    /// All records up to this serial are in runs. The writer's.
    pub(crate) fn spilled(&self, through: u64) {
        self.lock().spilled = through;
        self.progress.notify_all();
    }

    /// The writer ends, for good. The first reason counts.
    pub(crate) fn fail(&self, error: IndexError) {
        self.lock().failed.get_or_insert_with(|| Arc::new(error));
        self.progress.notify_all();
    }

    /// Records that are not in runs yet.
    pub(crate) fn waiting(&self) -> u64 {
        let state = self.lock();
        state.pushed - state.spilled
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change of the state is a single step: a poisoned one is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn check(&self) -> Result<(), IndexError> {
        self.failed.clone().map_or(Ok(()), |error| Err(IndexError::Stopped(error)))
    }
}
