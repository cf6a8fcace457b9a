//! The block that is being built on the head, as readers see it.

use alloy_primitives::Address;
use balsa_executor::{Parent, SealedBlock};

use crate::Node;

/// The best version so far of the block that is being built on the head.
pub struct PendingBlock {
    /// The block. Another version may take its place at any time.
    pub block: SealedBlock,
    /// The state after it, as a child would see it.
    pub state: Parent,
}

impl Node {
    /// What is being built on the head; `None` if the consensus client has asked for nothing there.
    pub fn pending(&self) -> Option<PendingBlock> {
        let view = self.view();
        let version = self.0.jobs.pending(&view.head().hash())?;
        let block = version.payload.block.clone();
        let state = view.as_parent(&block, version.changed.clone(), version.trie.clone())?;
        Some(PendingBlock { block, state })
    }

    /// Who is paid by the blocks that are built here: whom the consensus client named last, or else the operator.
    pub fn fee_recipient(&self) -> Option<Address> {
        self.0.jobs.fee_recipient().or(self.settings().fee_recipient)
    }
}
