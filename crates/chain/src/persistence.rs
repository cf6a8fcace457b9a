//! From memory to disk: which blocks leave the tree, and when the tree comes to rest on them.
//!
//! # Invariant
//! The store's head is never above the tree's root, and always an ancestor of it or the root itself. So every state of
//! the tree is the store's state under its layers, whenever the store moves: no layer of a block that the store lacks is
//! dropped before the store has it.

use std::sync::Arc;

use alloy_primitives::B256;
use balsa_storage::{CanonicalBlock, FlushBatch};
use tracing::debug_span;

use crate::{Chain, ChainError, ChainSettings, ChainView, KeptBlock, state_budget::blocks_bytes_max};

impl Chain {
    /// Waits until everything handed over is on disk.
    ///
    /// # Errors
    /// If any of it is not.
    pub fn ping(&mut self) -> Result<(), ChainError> {
        self.persister.ping()?;
        self.take_over_flushed()
    }

    /// Brings the state of the head to the disk and waits for it. Reorganisations below the head are over with that.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn flush_to_head(&mut self) -> Result<(), ChainError> {
        let count = self.view.head().number() - self.view.root().number();
        self.hand_over(count)?;
        self.ping()
    }

    /// Brings the state of a canonical block to the disk and waits for it; what lies above it stays as it is.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn flush_to(&mut self, number: u64) -> Result<(), ChainError> {
        let number = number.min(self.view.head().number());
        self.hand_over(number.saturating_sub(self.view.root().number()))?;
        self.ping()
    }

    /// Brings the state of the head to the disk, and everything from the journals into the tables: the database is as
    /// small and as quick to open as it gets. For a database that others will be forked from.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn settle(&mut self) -> Result<(), ChainError> {
        self.flush_to_head()?;
        Ok(self.store.settle()?)
    }

    /// Waits for what was handed over, and ends. States above it are not written; their blocks are.
    ///
    /// # Errors
    /// If anything was not written.
    pub fn close(self) -> Result<(), ChainError> {
        Ok(self.persister.close()?)
    }

    /// Hands blocks over when there are more than the settings keep, or more bytes of them. `newest` descends from the root
    /// afterwards too.
    pub(crate) fn hand_over_old(&mut self, newest: &B256) -> Result<(), ChainError> {
        let common = self.view.tree.common_number(newest);
        loop {
            let above_root = common - self.view.root().number();
            let count = blocks_too_many(&self.view, &self.settings).min(above_root);
            if count == 0 {
                return Ok(());
            }
            self.hand_over(count)?;
        }
    }

    /// Hands the oldest `count` canonical blocks of the tree over, in one batch.
    pub(crate) fn hand_over(&mut self, count: u64) -> Result<(), ChainError> {
        if count == 0 {
            return Ok(());
        }
        let _span = debug_span!(target: "balsa::stage", "hand_over").entered();
        let mut leaving = Vec::new();
        self.update(|view| leaving = view.tree.raise_root(count as usize));
        Ok(self.persister.persist(batch(&leaving))?)
    }

    /// Moves the tree onto what the persister has written meanwhile.
    ///
    /// # Errors
    /// If a flush has failed.
    pub(crate) fn take_over_flushed(&mut self) -> Result<(), ChainError> {
        self.persister.check()?;
        let (flushed, known) = (self.persister.flushed_head(), self.view.flushed());
        if flushed.is_none_or(|head| Some(head.pointer()) == known) {
            return Ok(());
        }
        let snapshot = Arc::new(self.store.snapshot()?);
        let number = snapshot.head().map_or(0, |head| head.number);
        self.update(|view| {
            view.tree.rest_on(number);
            view.store = snapshot;
        });
        Ok(())
    }
}

/// How many of the oldest canonical blocks should leave the tree now.
fn blocks_too_many(view: &ChainView, settings: &ChainSettings) -> u64 {
    let above_root = view.head().number() - view.root().number();
    let kept = settings.kept_blocks.max(ChainSettings::KEPT_BLOCKS_MIN);
    if above_root >= kept + settings.flush_blocks.max(1) {
        return above_root - kept;
    }
    if view.tree.blocks_bytes() > blocks_bytes_max(settings) {
        return above_root.saturating_sub(ChainSettings::KEPT_BLOCKS_MIN).min(above_root.div_ceil(2));
    }
    0
}

/// The flush of these blocks, consecutive and oldest first. Their records were handed over when they were staged.
fn batch(blocks: &[Arc<KeptBlock>]) -> FlushBatch {
    let canonical =
        |kept: &Arc<KeptBlock>| CanonicalBlock { block: kept.pointer(), transactions: kept.transaction_hashes.clone() };
    FlushBatch {
        canonical: blocks.iter().map(canonical).collect(),
        changes: blocks.iter().map(|kept| kept.change.clone()).collect(),
        head: blocks.last().map(|kept| kept.head()),
        ..FlushBatch::default()
    }
}
