//! What the Engine API changes: a tree of blocks and its head.

use crate::EngineError;
use alloy_primitives::{B256, Bytes};
use balsa_chain::{Chain, ForkChoiceError, ImportOutcome};
use balsa_chainspec::ChainSpec;
use balsa_executor::SealedBlock;
use std::sync::Arc;

/// A tree of executed blocks: the chain over its store, and the runner of official vectors in memory.
pub trait BlockTree {
    /// The chain's rules.
    fn spec(&self) -> Arc<ChainSpec>;

    /// Brings a block with its access list. It does not become the head.
    ///
    /// # Errors
    /// This node's own trouble, never a verdict.
    fn import(&mut self, block: SealedBlock, list: Option<Bytes>) -> Result<ImportOutcome, EngineError>;

    /// Makes a block of the tree the head.
    ///
    /// # Errors
    /// [`HeadRefused`]; nothing is changed then.
    fn set_head(&mut self, head: B256, safe: Option<B256>, finalized: Option<B256>) -> Result<(), HeadRefused>;
}

/// Why a block cannot be the head.
#[derive(Debug)]
pub enum HeadRefused {
    /// It is not in the tree.
    Unknown,
    /// The call is answered with an error.
    Error(EngineError),
}

impl BlockTree for Chain {
    fn spec(&self) -> Arc<ChainSpec> {
        self.executor().spec().clone()
    }

    fn import(&mut self, block: SealedBlock, list: Option<Bytes>) -> Result<ImportOutcome, EngineError> {
        Self::import(self, block, list).map_err(|error| EngineError::Internal(error.to_string()))
    }

    fn set_head(&mut self, head: B256, safe: Option<B256>, finalized: Option<B256>) -> Result<(), HeadRefused> {
        match Self::set_head(self, head, safe, finalized) {
            Ok(_) => Ok(()),
            Err(ForkChoiceError::UnknownHead(_)) => Err(HeadRefused::Unknown),
            Err(error) => Err(HeadRefused::Error(match &error {
                ForkChoiceError::NotAncestor { .. } => EngineError::InvalidForkchoiceState(error.to_string()),
                ForkChoiceError::TooDeep { .. } => EngineError::TooDeepReorg(error.to_string()),
                _ => EngineError::Internal(error.to_string()),
            })),
        }
    }
}
