//! Which chain is the canonical one.

use std::sync::Arc;

use alloy_primitives::B256;
use balsa_storage::{BlockPointer, FlushBatch, Pointers};

use crate::{Chain, ChainError, ChainView, ForkChoiceError, KeptBlock, LookupError};

/// How the canonical chain changed.
#[derive(Clone, Debug)]
pub struct HeadChange {
    /// The head before.
    pub old: BlockPointer,
    /// The head now.
    pub new: BlockPointer,
    /// Blocks that are not canonical any more, newest first.
    pub reverted: Vec<Arc<KeptBlock>>,
    /// Blocks that became canonical, oldest first.
    pub applied: Vec<Arc<KeptBlock>>,
}

/// Whether a chain that ends in `new` goes before one that ends in `head`: more total difficulty, or as much and longer
/// where difficulties are all zero. Among equals the first seen stays.
pub(crate) fn is_heavier(new: &KeptBlock, head: &KeptBlock) -> bool {
    let longer = new.block.header.difficulty.is_zero() && new.number() > head.number();
    new.total_difficulty > head.total_difficulty || new.total_difficulty == head.total_difficulty && longer
}

impl Chain {
    /// Follows a consensus client: `head` becomes the head, and `safe` and `finalized`, if given, are remembered.
    ///
    /// `None` if `head` is the head already. Whether to go back to an ancestor of the head, which the Engine API allows
    /// to be skipped, is the caller's decision.
    ///
    /// # Errors
    /// Unknown blocks, a head below the kept states, safe or finalized blocks off the chain; nothing is changed then.
    pub fn set_head(
        &mut self,
        head: B256,
        safe: Option<B256>,
        finalized: Option<B256>,
    ) -> Result<Option<HeadChange>, ForkChoiceError> {
        self.take_over_flushed()?;
        let Some(kept) = self.view.kept(&head).cloned() else { return Err(unreachable_head(&self.view, head)?) };
        let safe = ancestor(&self.view, "safe", safe, &kept)?;
        let finalized = ancestor(&self.view, "finalized", finalized, &kept)?;
        self.update(|view| {
            view.safe = safe.or(view.safe);
            view.finalized = finalized.or(view.finalized);
        });
        let pointers = Pointers { tip: Some(kept.pointer()), safe, finalized };
        let change = self.move_head_with(&head, pointers)?;
        Ok(change)
    }

    /// Makes a block of the tree the head.
    pub(crate) fn move_head(&mut self, hash: &B256) -> Result<Option<HeadChange>, ChainError> {
        let tip = self.view.kept(hash).map(|kept| kept.pointer());
        self.move_head_with(hash, Pointers { tip, ..Pointers::default() })
    }

    fn move_head_with(&mut self, hash: &B256, pointers: Pointers) -> Result<Option<HeadChange>, ChainError> {
        self.persister.persist(FlushBatch { pointers, ..FlushBatch::default() })?;
        let Some(branches) = self.view.tree.branches_to(hash) else { return Ok(None) };
        if branches.applied.is_empty() && branches.reverted.is_empty() {
            return Ok(None);
        }
        let old = self.view.head().pointer();
        self.update(|view| view.tree.follow(&branches));
        let new = self.view.head().pointer();
        self.keep_to_budget(hash)?;
        Ok(Some(HeadChange { old, new, reverted: branches.reverted, applied: branches.applied }))
    }
}

/// Why a block cannot be the head.
fn unreachable_head(view: &ChainView, hash: B256) -> Result<ForkChoiceError, LookupError> {
    Ok(match view.pointer(&hash)? {
        Some(BlockPointer { number, hash }) => ForkChoiceError::TooDeep { number, hash, root: view.root().number() },
        None => ForkChoiceError::UnknownHead(hash),
    })
}

/// The block that a fork choice names, if it is the head or one of its ancestors.
fn ancestor(
    view: &ChainView,
    name: &'static str,
    hash: Option<B256>,
    head: &KeptBlock,
) -> Result<Option<BlockPointer>, ForkChoiceError> {
    let Some(hash) = hash else { return Ok(None) };
    let not_ancestor = ForkChoiceError::NotAncestor { name, hash, head: head.hash() };
    let Some(block) = view.pointer(&hash)? else { return Err(not_ancestor) };
    if block.number > head.number() {
        return Err(not_ancestor);
    }
    // Down the head's branch as far as the tree goes; below it everything is canonical.
    let (mut at, mut parent) = (head.pointer(), head.parent_hash());
    while at.number > block.number {
        at = BlockPointer { number: at.number - 1, hash: parent };
        match view.kept(&parent) {
            Some(kept) => parent = kept.parent_hash(),
            None => return if view.is_canonical(&block)? { Ok(Some(block)) } else { Err(not_ancestor) },
        }
    }
    if at == block { Ok(Some(block)) } else { Err(not_ancestor) }
}
