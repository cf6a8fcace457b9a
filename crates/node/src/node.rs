//! What readers share.

use std::sync::Arc;

use balsa_chain::{ChainReader, ChainView};
use balsa_chainspec::ChainSpec;
use balsa_executor::Executor;
use balsa_txpool::Pool;

/// A running node, as its readers see it. Cheap to clone, and free to use on any thread.
#[derive(Clone)]
pub struct Node {
    chain: ChainReader,
    executor: Arc<Executor>,
    pool: Arc<Pool>,
}

impl Node {
    /// A node on these parts.
    pub fn new(chain: ChainReader, executor: Arc<Executor>, pool: Arc<Pool>) -> Self {
        Self { chain, executor, pool }
    }

    /// The chain as it stands now.
    pub fn view(&self) -> Arc<ChainView> {
        self.chain.view()
    }

    /// The chain's rules.
    pub fn spec(&self) -> &Arc<ChainSpec> {
        self.executor.spec()
    }

    /// What executes blocks.
    pub fn executor(&self) -> &Arc<Executor> {
        &self.executor
    }

    /// The transactions that wait.
    pub fn pool(&self) -> &Arc<Pool> {
        &self.pool
    }
}
