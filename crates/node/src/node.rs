//! What readers share.

use std::sync::{Arc, Mutex, PoisonError};

use balsa_chain::{BadBlock, ChainReader, ChainView};
use balsa_chainspec::ChainSpec;
use balsa_executor::Executor;
use balsa_txindex::DirectoryIndex;
use balsa_txpool::{Pool, PoolTransaction};
use crossbeam_channel::{Sender, bounded};

use balsa_engine::EngineError;

use crate::{HeadEvent, Listener, Message, NodeSettings, broadcast::Broadcast, jobs::PayloadJobs, syncing::SyncState};

/// A running node, as its readers see it. Cheap to clone, and free to use on any thread.
#[derive(Clone)]
pub struct Node(pub(crate) Arc<Shared>);

/// Events that a listener may have before it: reorganisations are single events, and blocks come seconds apart.
const HEAD_EVENTS_MAX: usize = 256;
/// The same of transactions.
const TRANSACTION_EVENTS_MAX: usize = 4096;

/// What all readers hold together.
pub(crate) struct Shared {
    pub(crate) chain: ChainReader,
    pub(crate) executor: Arc<Executor>,
    pub(crate) pool: Arc<Pool>,
    pub(crate) index: Option<Arc<DirectoryIndex>>,
    pub(crate) settings: NodeSettings,
    pub(crate) messages: Sender<Message>,
    pub(crate) heads: Arc<Broadcast<HeadEvent>>,
    pub(crate) transactions: Broadcast<Arc<PoolTransaction>>,
    pub(crate) jobs: PayloadJobs,
    pub(crate) sync: SyncState,
    pub(crate) bad_blocks: Arc<Mutex<Vec<Arc<BadBlock>>>>,
}

impl Shared {
    pub(crate) fn new(chain: ChainReader, executor: Arc<Executor>, pool: Arc<Pool>, messages: Sender<Message>) -> Self {
        Self {
            chain,
            executor,
            pool,
            index: None,
            settings: NodeSettings::default(),
            messages,
            heads: Arc::new(Broadcast::new(HEAD_EVENTS_MAX)),
            transactions: Broadcast::new(TRANSACTION_EVENTS_MAX),
            jobs: PayloadJobs::default(),
            sync: SyncState::default(),
            bad_blocks: Arc::default(),
        }
    }
}

impl Node {
    /// A node without a writer, on a chain that somebody else changes: what would change it is refused.
    pub fn new(chain: ChainReader, executor: Arc<Executor>, pool: Arc<Pool>) -> Self {
        let (messages, _) = bounded(1);
        Self(Arc::new(Shared::new(chain, executor, pool, messages)))
    }

    /// The chain as it stands now.
    pub fn view(&self) -> Arc<ChainView> {
        self.0.chain.view()
    }

    /// The chain's rules.
    pub fn spec(&self) -> &Arc<ChainSpec> {
        self.0.executor.spec()
    }

    /// What executes blocks.
    pub fn executor(&self) -> &Arc<Executor> {
        &self.0.executor
    }

    /// The transactions that wait. Those that users send go through
    /// [`send_raw_transaction`](Self::send_raw_transaction), so that listeners hear of them.
    pub fn pool(&self) -> &Arc<Pool> {
        &self.0.pool
    }

    /// What the owner chose.
    pub fn settings(&self) -> &NodeSettings {
        &self.0.settings
    }

    /// The last invalid blocks that were executed, newest last.
    pub fn bad_blocks(&self) -> Vec<Arc<BadBlock>> {
        self.0.bad_blocks.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Hears of every change of the canonical chain from now on.
    pub fn heads(&self) -> Listener<HeadEvent> {
        self.0.heads.subscribe()
    }

    /// Hears of every transaction that is let into the pool from now on.
    pub fn transactions(&self) -> Listener<Arc<PoolTransaction>> {
        self.0.transactions.subscribe()
    }

    /// Sends a message to the writer and waits for what it answers.
    pub(crate) fn ask<T>(
        &self,
        message: impl FnOnce(Sender<Result<T, EngineError>>) -> Message,
    ) -> Result<T, EngineError> {
        let gone = || EngineError::Internal("the node is shutting down".to_owned());
        let (reply, answer) = bounded(1);
        self.0.messages.send(message(reply)).map_err(|_| gone())?;
        answer.recv().unwrap_or_else(|_| Err(gone()))
    }
}
