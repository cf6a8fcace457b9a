//! What came of a block that was brought to the chain.

use std::sync::Arc;

use alloy_primitives::B256;
use balsa_chainspec::OmmerError;
use balsa_executor::{InvalidBlock, Path};
use thiserror::Error;

/// What came of a block.
#[derive(Clone, Debug)]
pub enum ImportOutcome {
    /// Valid, and in the tree now.
    Imported(ImportedBlock),
    /// Valid, and in the tree or the store before.
    AlreadyKnown,
    /// Its parent is not known.
    UnknownParent,
    /// Its parent is known, but the parent's state is not kept any more: the block cannot be executed.
    ParentStateGone,
    /// Breaks a rule, or descends from a block that does.
    Invalid(Rejection),
}

/// A block that was imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImportedBlock {
    /// Its number.
    pub number: u64,
    /// Its hash.
    pub hash: B256,
    /// Whether its parent is the head; otherwise it is on a side chain.
    pub extends_head: bool,
    /// Gas used.
    pub gas_used: u64,
    /// Transactions.
    pub transactions: usize,
    /// Which executor it was.
    pub path: Path,
}

/// A block that was refused.
#[derive(Clone, Debug)]
pub struct Rejection {
    /// Why.
    pub reason: Arc<InvalidReason>,
    /// The last valid block that it descends from.
    pub latest_valid: B256,
}

/// Why a block is invalid.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InvalidReason {
    /// The block breaks a rule.
    #[error(transparent)]
    Block(#[from] InvalidBlock),
    /// An ommer breaks a rule (Yellow Paper, section 11.1).
    #[error("ommers: {0}")]
    Ommers(#[from] OmmerError),
    /// It descends from an invalid block.
    #[error("descends from invalid block {ancestor}: {reason}")]
    Ancestor {
        /// The first invalid block.
        ancestor: B256,
        /// What that one breaks.
        reason: Arc<InvalidReason>,
    },
}
