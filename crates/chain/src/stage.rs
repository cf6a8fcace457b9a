//! A valid block goes into the tree, and its bytes to the disk.

use std::sync::Arc;

use balsa_storage::FlushBatch;
use tracing::debug_span;

use crate::{Chain, ChainError, KeptBlock, block_record, verify::advance_cache};

impl Chain {
    /// Puts an executed block into the tree and hands its record to the persister: its state may be lost in a crash,
    /// the block itself is executed again then.
    pub(crate) fn stage(&mut self, kept: Arc<KeptBlock>) -> Result<(), ChainError> {
        self.keep(&kept);
        let blocks = vec![Arc::new(block_record::record(&kept))];
        let _span = debug_span!(target: "balsa::stage", "hand_over").entered();
        Ok(self.persister.persist(FlushBatch { blocks, ..FlushBatch::default() })?)
    }

    /// Puts an executed block into the tree.
    pub(crate) fn keep(&mut self, kept: &Arc<KeptBlock>) {
        let _span = debug_span!(target: "balsa::stage", "stage").entered();
        if self.cache_at == kept.parent_hash() {
            advance_cache(self, kept);
        }
        self.update(|view| view.tree.insert(kept.clone()));
    }
}
