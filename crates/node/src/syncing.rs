//! Whether blocks are missing.
//!
//! A node without peers fetches no blocks: it is the consensus client that brings them. Until it has, the node answers
//! SYNCING, and knows that it is behind.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use balsa_engine::{PayloadStatus, PayloadStatusKind};

use crate::Node;

/// How far behind the node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Syncing {
    /// The head when blocks were first missing.
    pub starting_block: u64,
    /// The highest block that is known of.
    pub highest_block: u64,
}

/// Shared by the writer, which knows, and the readers.
#[derive(Clone, Debug, Default)]
pub(crate) struct SyncState(Arc<Mutex<Option<Syncing>>>);

impl SyncState {
    /// A payload was answered so, at this head.
    pub(crate) fn new_payload(&self, status: &PayloadStatus, number: u64, head: u64) {
        if status.status == PayloadStatusKind::Syncing {
            self.behind(number, head);
        }
    }

    /// A fork choice was answered so: whoever follows one has all that it needs.
    pub(crate) fn forkchoice(&self, status: &PayloadStatus, head: u64) {
        match status.status {
            PayloadStatusKind::Syncing => self.behind(head, head),
            PayloadStatusKind::Valid => *self.lock() = None,
            _ => {}
        }
    }

    fn behind(&self, highest_block: u64, starting_block: u64) {
        let mut state = self.lock();
        let syncing = state.get_or_insert(Syncing { starting_block, highest_block });
        syncing.highest_block = syncing.highest_block.max(highest_block);
    }

    fn lock(&self) -> MutexGuard<'_, Option<Syncing>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Node {
    /// Whether blocks are missing, and how many.
    pub fn syncing(&self) -> Option<Syncing> {
        *self.0.sync.lock()
    }
}
