//! The one writer thread: it owns the chain and drains the messages.
//!
//! Rejected: a lock round the chain, taken by whoever brings a block. Fork choices must be followed in the order in which
//! they came, and locks have no order; a caller that goes away while it holds one leaves half of the work done. Rejected:
//! an asynchronous task. The work is the processor's, for as long as a block takes to execute, and would starve whatever
//! shares its thread. Rejected: a queue without a limit. A consensus client that does not wait for its answers is to be
//! slowed down, not to be given memory.
//!
//! Rejected too: bringing the pool up to the new head on another thread, to answer sooner. A block that is to be built on
//! the head would begin with transactions that the head has already.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use balsa_chain::{BadBlock, Chain, HeadChange};
use balsa_chainspec::Rules;
use balsa_engine::{EngineError, ForkchoiceState, NewPayload, PayloadBlock, forkchoice_updated, import_payload};
use balsa_txpool::{BlockChange, Head, Pool};
use crossbeam_channel::Receiver;
use tracing::{error, warn};

use crate::{
    HeadEvent, Message, Observer, Report, broadcast::Broadcast, index_feed::IndexFeed, message::Chosen, pool_head,
    pool_head::pool_head_at, syncing::SyncState,
};

/// All that the thread owns.
pub(crate) struct Writer {
    pub(crate) chain: Chain,
    pub(crate) pool: Arc<Pool>,
    /// The rules that the pool goes by, once they were set from here.
    pub(crate) pool_rules: Option<Rules>,
    pub(crate) heads: Arc<Broadcast<HeadEvent>>,
    pub(crate) index: Option<IndexFeed>,
    /// Shared with readers.
    pub(crate) bad_blocks: Arc<Mutex<Vec<Arc<BadBlock>>>>,
    pub(crate) sync: SyncState,
    pub(crate) observer: Observer,
}

impl Writer {
    /// Works until told to shut down, or until nobody can send a message any more.
    pub(crate) fn run(mut self, messages: &Receiver<Message>) {
        for message in messages {
            match message {
                Message::NewPayload { payload, reply } => {
                    let started = Instant::now();
                    let answer = self.new_payload(*payload);
                    let imported = answer.as_ref().ok().and_then(|answer| answer.imported);
                    // Before the answer: who is told that a block is invalid finds it shown.
                    let bad = self.show_bad();
                    // Whoever asked may have given up waiting.
                    let _ = reply.send(answer);
                    if let Some(block) = imported {
                        self.report_imported(block, started);
                    }
                    if let Some(bad) = bad {
                        (self.observer)(&self.chain, Report::Invalid { bad: &bad });
                    }
                }
                Message::ForkchoiceUpdated { state, next_timestamp, reply } => {
                    let started = Instant::now();
                    let (answer, change) = match self.forkchoice_updated(&state, next_timestamp) {
                        Ok((chosen, change)) => (Ok(chosen), change),
                        Err(error) => (Err(error), None),
                    };
                    let _ = reply.send(answer);
                    if let Some(change) = change {
                        let elapsed = started.elapsed();
                        (self.observer)(&self.chain, Report::Head { change: &change, elapsed });
                    }
                }
                Message::ShutDown => break,
            }
        }
        self.shut_down();
    }

    fn new_payload(&mut self, payload: PayloadBlock) -> Result<NewPayload, EngineError> {
        let number = payload.block.header.number;
        let answer = import_payload(&mut self.chain, payload)?;
        self.sync.new_payload(&answer.status, number, self.chain.view().head().number());
        Ok(answer)
    }

    fn forkchoice_updated(
        &mut self,
        state: &ForkchoiceState,
        next_timestamp: Option<u64>,
    ) -> Result<(Chosen, Option<Arc<HeadChange>>), EngineError> {
        let followed = forkchoice_updated(&mut self.chain, state)?;
        self.sync.forkchoice(&followed.status, self.chain.view().head().number());
        let change = followed.change.map(Arc::new);
        if let Some(change) = &change {
            self.head_changed(change);
        }
        if let Some(timestamp) = next_timestamp.filter(|_| followed.may_build) {
            self.next_block_at(timestamp);
        }
        let view = self.chain.view().clone();
        Ok((Chosen { status: followed.status, may_build: followed.may_build, view }, change))
    }

    /// Brings everything up to the new head that follows it.
    fn head_changed(&mut self, change: &Arc<HeadChange>) {
        let view = self.chain.view().clone();
        if let Some(index) = &mut self.index {
            index.follow(change);
        }
        self.set_pool_head(pool_head(&view), &block_change(change));
        self.heads.publish(&HeadEvent { change: change.clone(), view });
    }

    /// The consensus client says when the next block is: slots that were missed may have led into another fork.
    fn next_block_at(&mut self, timestamp: u64) {
        let head = pool_head_at(self.chain.view(), timestamp);
        if head.as_ref().is_none_or(|head| self.pool_rules != Some(head.rules)) {
            self.set_pool_head(head, &BlockChange::default());
        }
    }

    fn set_pool_head(&mut self, head: Option<Head>, change: &BlockChange) {
        let Some(head) = head else { return warn!("transaction pool: the head's state is gone") };
        self.pool_rules = Some(head.rules);
        if let Err(error) = self.pool.set_head(head, change) {
            error!(%error, "transaction pool: some senders are judged by their old accounts");
        }
    }

    fn report_imported(&mut self, block: balsa_chain::ImportedBlock, started: Instant) {
        let elapsed = started.elapsed();
        if let Some(kept) = self.chain.view().kept(&block.hash).cloned() {
            (self.observer)(&self.chain, Report::Imported { block, kept: &kept, began: started, elapsed });
        }
    }

    /// Shows readers the newest invalid block, and returns it, if there is one that they have not seen.
    fn show_bad(&self) -> Option<Arc<BadBlock>> {
        let found = self.chain.bad_blocks();
        let newest = found.last().cloned()?;
        let mut shown = self.bad_blocks.lock().unwrap_or_else(PoisonError::into_inner);
        if shown.last().is_some_and(|last| Arc::ptr_eq(last, &newest)) {
            return None;
        }
        *shown = found;
        Some(newest)
    }

    /// Writes what is to be kept. What is not finalized stays in the journal of blocks and is executed again at the next
    /// start, so that it can still be reorganised away then.
    fn shut_down(mut self) {
        self.heads.close();
        let finalized = self.chain.view().finalized().map_or(0, |block| block.number);
        let flushed = self.chain.flush_to(finalized);
        if let Some(index) = &mut self.index {
            index.flush();
        }
        if let Err(error) = flushed.and_then(|()| self.chain.close()) {
            error!(%error, "the chain was not written whole; it will be brought up again at the next start");
        }
    }
}

fn block_change(change: &HeadChange) -> BlockChange {
    let of = |kept: &Arc<balsa_chain::KeptBlock>| kept.block.transactions.clone();
    BlockChange {
        removed: change.reverted.iter().rev().flat_map(of).collect(),
        included: change.applied.iter().flat_map(of).collect(),
    }
}
