//! A node with its threads: started, and shut down.

use std::{
    io,
    sync::Arc,
    thread::{self, JoinHandle},
};

use balsa_chain::Chain;
use balsa_txindex::{DirectoryIndex, IndexError};
use balsa_txpool::Pool;
use crossbeam_channel::bounded;
use thiserror::Error;
use tracing::error;

use crate::{
    Message, Node, NodeSettings, Observer, TransactionLookupError, index_feed::IndexFeed, message::MESSAGES_MAX,
    node::Shared, writer::Writer,
};

/// A node that runs, and the right to end it.
pub struct Running {
    node: Node,
    writer: Option<JoinHandle<()>>,
}

/// A node that cannot run.
#[derive(Debug, Error)]
pub enum StartError {
    /// The system gives no thread.
    #[error("starting the writer: {0}")]
    Thread(#[from] io::Error),
    /// The transaction index does not take up the chain.
    #[error("transaction index: {0}")]
    Index(#[from] IndexError),
    /// The chain cannot be read for the transaction index.
    #[error("transaction index: {0}")]
    Lookup(#[from] TransactionLookupError),
}

impl Running {
    /// Starts the writer. An index that is behind the chain is brought up to it first.
    ///
    /// # Errors
    /// See [`StartError`].
    pub fn start(
        chain: Chain,
        pool: Arc<Pool>,
        index: Option<DirectoryIndex>,
        settings: NodeSettings,
        observer: Observer,
    ) -> Result<Self, StartError> {
        let index = index.map(Arc::new);
        let feed = index.clone().map(|index| IndexFeed::catch_up(index, chain.view())).transpose()?;
        let (messages, inbox) = bounded(MESSAGES_MAX);
        let shared =
            Shared { index, settings, ..Shared::new(chain.reader(), chain.executor().clone(), pool.clone(), messages) };
        let (heads, bad_blocks, sync) = (shared.heads.clone(), shared.bad_blocks.clone(), shared.sync.clone());
        let node = Node(Arc::new(shared));
        let writer = Writer { chain, pool, pool_rules: None, heads, index: feed, bad_blocks, sync, observer };
        let writer = thread::Builder::new().name("writer".to_owned()).spawn(move || writer.run(&inbox))?;
        Ok(Self { node, writer: Some(writer) })
    }

    /// What readers hold.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// Ends the node: everything that was sent before is done, and what is to be kept is written. `false` if the writer had
    /// ended before, with a panic.
    pub fn shut_down(mut self) -> bool {
        self.end()
    }

    fn end(&mut self) -> bool {
        let shared = &self.node.0;
        shared.jobs.stop();
        shared.transactions.close();
        let _ = shared.messages.send(Message::ShutDown);
        let Some(writer) = self.writer.take() else { return true };
        let ended_well = writer.join().is_ok();
        if !ended_well {
            error!("the writer ended with a panic");
        }
        ended_well
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}
