//! What the Engine API changes: a tree of blocks and its head.

use crate::EngineError;
use alloy_primitives::{B256, Bytes};
use balsa_chain::{Chain, ForkChoiceError, HeadChange, ImportOutcome, Rejection};
use balsa_chainspec::ChainSpec;
use balsa_executor::SealedBlock;
use std::{fmt::Display, sync::Arc};

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
    fn set_head(&mut self, head: B256, safe: Option<B256>, finalized: Option<B256>) -> Result<HeadSet, HeadRefused>;
}

/// What came of a fork choice that can be followed.
#[derive(Clone, Debug)]
pub enum HeadSet {
    /// The head is the one asked for; how the canonical chain changed, if it did.
    Followed(Option<HeadChange>),
    /// The head asked for is an ancestor of the finalized block: nothing was changed, and nothing is built there.
    Passed,
}

/// Why a block cannot be the head.
#[derive(Debug)]
pub enum HeadRefused {
    /// It is not in the tree.
    Unknown,
    /// It was found invalid before.
    Invalid(Rejection),
    /// The call is answered with an error.
    Error(EngineError),
}

impl BlockTree for Chain {
    fn spec(&self) -> Arc<ChainSpec> {
        self.executor().spec().clone()
    }

    fn import(&mut self, block: SealedBlock, list: Option<Bytes>) -> Result<ImportOutcome, EngineError> {
        let outcome = Self::import(self, block, list).map_err(internal)?;
        Ok(match outcome {
            ImportOutcome::Invalid(rejection) => ImportOutcome::Invalid(as_told(self, rejection)?),
            outcome => outcome,
        })
    }

    fn set_head(&mut self, head: B256, safe: Option<B256>, finalized: Option<B256>) -> Result<HeadSet, HeadRefused> {
        if is_below_finalized(self, head).map_err(HeadRefused::Error)? {
            return Ok(HeadSet::Passed);
        }
        match Self::set_head(self, head, safe, finalized) {
            Ok(change) => Ok(HeadSet::Followed(change)),
            Err(ForkChoiceError::UnknownHead(_)) => Err(match self.rejection(&head) {
                Some(rejection) => match as_told(self, rejection) {
                    Ok(rejection) => HeadRefused::Invalid(rejection),
                    Err(error) => HeadRefused::Error(error),
                },
                None => HeadRefused::Unknown,
            }),
            Err(error) => Err(HeadRefused::Error(match &error {
                ForkChoiceError::NotAncestor { .. } => EngineError::InvalidForkchoiceState(error.to_string()),
                ForkChoiceError::TooDeep { .. } => EngineError::TooDeepReorg(error.to_string()),
                _ => internal(error),
            })),
        }
    }
}

fn is_below_finalized(chain: &Chain, head: B256) -> Result<bool, EngineError> {
    let view = chain.view();
    let Some(finalized) = view.finalized() else { return Ok(false) };
    match view.pointer(&head).map_err(internal)? {
        Some(block) if block.number < finalized.number => view.is_canonical(&block).map_err(internal),
        _ => Ok(false),
    }
}

/// A block of proof of work is never named as the last valid one: zeros stand for it.
fn as_told(chain: &Chain, rejection: Rejection) -> Result<Rejection, EngineError> {
    let header = chain.view().header(&rejection.latest_valid).map_err(internal)?;
    let is_proof_of_work = header.is_some_and(|header| !header.difficulty.is_zero());
    Ok(if is_proof_of_work { Rejection { latest_valid: B256::ZERO, ..rejection } } else { rejection })
}

fn internal(error: impl Display) -> EngineError {
    EngineError::Internal(error.to_string())
}
