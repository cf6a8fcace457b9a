//! `engine_newPayload`.

use crate::{BlockTree, EngineError, NewPayloadParams, NewPayloadVersion, PayloadBlock, PayloadStatus};
use alloy_primitives::{B256, Bytes, U256};
use balsa_chain::{ImportOutcome, InvalidReason};
use std::sync::Arc;
use thiserror::Error;

/// The answer to a payload: what is sent, and the reason in a form that can be judged.
#[derive(Clone, Debug)]
pub struct NewPayload {
    /// What is sent.
    pub status: PayloadStatus,
    /// Why the payload is invalid, if it is.
    pub reason: Option<InvalidPayload>,
}

/// Why a payload is invalid.
#[derive(Clone, Debug, Error)]
pub enum InvalidPayload {
    /// The block that it makes has another hash.
    #[error("block hash is {computed}, the payload says {payload}")]
    BlockHash {
        /// Of the block that the payload makes.
        computed: B256,
        /// In the payload.
        payload: B256,
    },
    /// The base fee is wider than any block's can be.
    #[error("base fee {0} does not fit a header")]
    BaseFee(U256),
    /// A transaction does not decode.
    #[error("transaction {index}: {error}")]
    Transaction {
        /// Position in the payload.
        index: usize,
        /// Why.
        error: String,
        /// The transaction's bytes.
        bytes: Bytes,
    },
    /// The consensus client saw other blobs than the transactions carry.
    #[error("blob versioned hashes are not those of the transactions")]
    VersionedHashes,
    /// The block breaks a rule, or descends from one that does.
    #[error("{0}")]
    Block(Arc<InvalidReason>),
}

/// Judges a payload and brings it into the tree.
///
/// # Errors
/// The call itself is refused: wrong version for the fork, parameters that are not the version's, own trouble.
pub fn new_payload(
    tree: &mut impl BlockTree,
    version: NewPayloadVersion,
    params: NewPayloadParams,
) -> Result<NewPayload, EngineError> {
    let rules = tree.spec().rules_at(params.payload.block_number.to(), params.payload.timestamp.to(), true);
    params.check(version, &rules)?;
    version.check(&rules)?;
    let PayloadBlock { block, list } = match PayloadBlock::new(params) {
        Ok(block) => block,
        Err(reason) => return Ok(NewPayload::invalid(None, reason)),
    };
    let hash = block.hash;
    Ok(match tree.import(block, list)? {
        ImportOutcome::Imported(_) | ImportOutcome::AlreadyKnown => {
            NewPayload { status: PayloadStatus::valid(hash), reason: None }
        }
        ImportOutcome::UnknownParent | ImportOutcome::ParentStateGone => {
            NewPayload { status: PayloadStatus::syncing(), reason: None }
        }
        ImportOutcome::Invalid(rejection) => {
            NewPayload::invalid(Some(rejection.latest_valid), InvalidPayload::Block(rejection.reason))
        }
    })
}

impl NewPayload {
    fn invalid(latest_valid: Option<B256>, reason: InvalidPayload) -> Self {
        Self { status: PayloadStatus::invalid(latest_valid, reason.to_string()), reason: Some(reason) }
    }
}
