//! What is said to the writer, and what the writer says.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use balsa_chain::{BadBlock, Chain, ChainView, HeadChange, ImportedBlock, KeptBlock};
use balsa_engine::{EngineError, ForkchoiceState, NewPayload, PayloadBlock, PayloadStatus};
use crossbeam_channel::Sender;

/// Messages that wait for the writer; beyond that whoever sends one waits.
pub(crate) const MESSAGES_MAX: usize = 64;

/// Everything that changes the chain. Closed: what is not here is not done to it.
#[derive(Debug)]
pub enum Message {
    /// A block is to be judged and brought into the tree. It does not become the head.
    NewPayload {
        /// The block with its list.
        payload: Box<PayloadBlock>,
        /// Where the verdict goes.
        reply: Sender<Result<NewPayload, EngineError>>,
    },
    /// The head is to be another.
    ForkchoiceUpdated {
        /// The choice.
        state: ForkchoiceState,
        /// The timestamp of the block that is to be built on it, if one is.
        next_timestamp: Option<u64>,
        /// Where the answer goes.
        reply: Sender<Result<Chosen, EngineError>>,
    },
    /// The node ends: what is to be kept is written.
    ShutDown,
}

/// What came of a fork choice.
#[derive(Clone)]
pub struct Chosen {
    /// What is answered.
    pub(crate) status: PayloadStatus,
    /// Whether a block may be built on the head now.
    pub(crate) may_build: bool,
    /// The chain right after it.
    pub(crate) view: Arc<ChainView>,
}

impl std::fmt::Debug for Chosen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chosen").field("status", &self.status).finish_non_exhaustive()
    }
}

/// The canonical chain is another one.
#[derive(Clone)]
pub struct HeadEvent {
    /// What left it and what joined it.
    pub change: Arc<HeadChange>,
    /// The chain right after it.
    pub view: Arc<ChainView>,
}

/// What the writer has done, for logs and metrics.
pub enum Report<'a> {
    /// A block was executed and is valid.
    Imported {
        /// In numbers.
        block: ImportedBlock,
        /// Itself.
        kept: &'a KeptBlock,
        /// When the message came.
        began: Instant,
        /// From then to the verdict.
        elapsed: Duration,
    },
    /// A block was executed and is not valid.
    Invalid {
        /// Itself.
        bad: &'a BadBlock,
    },
    /// The head is another.
    Head {
        /// What changed.
        change: &'a HeadChange,
        /// From the message to the answer.
        elapsed: Duration,
    },
}

/// Is told of everything that the writer has done, on the writer's thread, after the answer was sent.
pub type Observer = Box<dyn FnMut(&Chain, Report<'_>) + Send>;
