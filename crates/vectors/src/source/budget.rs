//! How many bytes may be on the way from the reader to the workers.

use std::sync::{Condvar, Mutex, PoisonError};

/// A count of bytes that blocks the one who would raise it over its limit.
///
/// A document larger than the whole limit passes when nothing else is on the way, so that none is ever stuck.
pub(super) struct ByteBudget {
    limit: usize,
    held: Mutex<usize>,
    released: Condvar,
}

impl ByteBudget {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, held: Mutex::new(0), released: Condvar::new() }
    }

    /// Waits until `bytes` fit, and takes them.
    pub(super) fn take(&self, bytes: usize) {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |held: &mut usize| *held > 0 && held.saturating_add(bytes) > self.limit;
        let mut held = self.released.wait_while(held, fits).unwrap_or_else(PoisonError::into_inner);
        *held += bytes;
    }

    /// Gives `bytes` back.
    pub(super) fn release(&self, bytes: usize) {
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) -= bytes;
        self.released.notify_all();
    }
}
