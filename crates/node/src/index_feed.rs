//! The transaction index in directories of its own follows the canonical chain.

use std::sync::Arc;

use balsa_chain::{ChainView, HeadChange};
use balsa_txindex::{DirectoryIndex, Mark};
use tracing::{error, info};

use crate::TransactionLookupError;

/// Blocks after which the index is made to survive loss of power; after a crash it is fed the rest again.
const FLUSH_BLOCKS: u64 = 32;

/// What feeds the index.
pub(crate) struct IndexFeed {
    index: Arc<DirectoryIndex>,
    /// The last block that it was given.
    at: Mark,
    since_flush: u64,
}

impl IndexFeed {
    /// Gives the index the blocks that it lacks: from the first on if it is new, or if it stands on a block that is not
    /// canonical.
    ///
    /// # Errors
    /// If the chain cannot be read or the index not be written.
    pub(crate) fn catch_up(index: Arc<DirectoryIndex>, view: &ChainView) -> Result<Self, TransactionLookupError> {
        let head = view.head().pointer();
        let mut number = 1;
        if let Some(mark) = index.mark()
            && view.canonical_hash(mark.number)? == Some(mark.hash)
        {
            number = mark.number + 1;
        }
        let blocks = (head.number + 1).saturating_sub(number);
        if blocks > 0 {
            info!(from = number, to = head.number, "transaction index: taking up the chain");
        }
        for number in number..=head.number {
            let Some(hash) = view.canonical_hash(number)? else { continue };
            let Some(block) = view.block(&hash)? else { continue };
            let hashes: Vec<_> = block.transactions.iter().map(|transaction| *transaction.tx_hash()).collect();
            index.add_block(number, &hashes)?;
        }
        let at = Mark { number: head.number, hash: head.hash };
        if blocks > 0 {
            index.flush(at)?;
        }
        Ok(Self { index, at, since_flush: 0 })
    }

    /// Follows a change of the head. An index that fails is left behind; the next start takes up the chain again.
    pub(crate) fn follow(&mut self, change: &HeadChange) {
        let reverted = change.reverted.iter();
        let removed = reverted.map(|kept| self.index.remove_block(kept.number(), &kept.transaction_hashes));
        let applied = change.applied.iter();
        let added = applied.map(|kept| self.index.add_block(kept.number(), &kept.transaction_hashes));
        if let Err(error) = removed.chain(added).collect::<Result<(), _>>() {
            error!(%error, "transaction index: cannot follow the chain");
            return;
        }
        self.at = Mark { number: change.new.number, hash: change.new.hash };
        self.since_flush += change.applied.len() as u64;
        if self.since_flush >= FLUSH_BLOCKS {
            self.flush();
        }
    }

    /// Makes what it was given survive loss of power.
    pub(crate) fn flush(&mut self) {
        self.since_flush = 0;
        if let Err(error) = self.index.flush(self.at) {
            error!(%error, "transaction index: not written");
        }
    }
}
