//! `engine_newPayload`.

use crate::{
    BlockTree, EngineError, NewPayloadParams, NewPayloadVersion, PayloadBlock, PayloadStatus, PayloadStatusKind,
};
use alloy_primitives::{B256, Bytes, U256};
use balsa_chain::{ImportOutcome, ImportedBlock, InvalidReason};
use balsa_chainspec::ChainSpec;
use std::sync::Arc;
use thiserror::Error;

/// The answer to a payload: what is sent, and the reason in a form that can be judged.
#[derive(Clone, Debug)]
pub struct NewPayload {
    /// What is sent.
    pub status: PayloadStatus,
    /// Why the payload is invalid, if it is.
    pub reason: Option<InvalidPayload>,
    /// What was executed, if it was not known before.
    pub imported: Option<ImportedBlock>,
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
    match read_payload(&tree.spec(), version, params)? {
        Ok(payload) => import_payload(tree, payload),
        Err(refused) => Ok(*refused),
    }
}

/// The part of [`new_payload`] that needs no tree: the version held against the fork, the payload made a block. The
/// inner error is the answer to a payload that is no block.
///
/// # Errors
/// Wrong version for the fork, parameters that are not the version's.
pub fn read_payload(
    spec: &ChainSpec,
    version: NewPayloadVersion,
    params: NewPayloadParams,
) -> Result<Result<PayloadBlock, Box<NewPayload>>, EngineError> {
    let rules = spec.rules_at(params.payload.block_number.to(), params.payload.timestamp.to(), true);
    params.check(version, &rules)?;
    version.check(&rules)?;
    Ok(PayloadBlock::new(params).map_err(|reason| {
        let mut refused = NewPayload::invalid(None, reason);
        // Paris has a status of its own for it, which Shanghai took back.
        if version == NewPayloadVersion::V1 && matches!(refused.reason, Some(InvalidPayload::BlockHash { .. })) {
            refused.status.status = PayloadStatusKind::InvalidBlockHash;
        }
        Box::new(refused)
    }))
}

/// The other part of [`new_payload`]: the tree has the last word.
///
/// # Errors
/// This node's own trouble.
pub fn import_payload(tree: &mut impl BlockTree, payload: PayloadBlock) -> Result<NewPayload, EngineError> {
    let PayloadBlock { block, list } = payload;
    let hash = block.hash;
    Ok(match tree.import(block, list)? {
        ImportOutcome::Imported(imported) => {
            NewPayload { imported: Some(imported), ..NewPayload::unobjectionable(PayloadStatus::valid(hash)) }
        }
        ImportOutcome::AlreadyKnown => NewPayload::unobjectionable(PayloadStatus::valid(hash)),
        ImportOutcome::UnknownParent => NewPayload::unobjectionable(PayloadStatus::syncing()),
        // Its ancestors are known and valid, and it does not extend the canonical chain: no state that a canonical head
        // needs is ever let go.
        ImportOutcome::ParentStateGone => NewPayload::unobjectionable(PayloadStatus::accepted()),
        ImportOutcome::Invalid(rejection) => {
            NewPayload::invalid(Some(rejection.latest_valid), InvalidPayload::Block(rejection.reason))
        }
    })
}

impl NewPayload {
    fn invalid(latest_valid: Option<B256>, reason: InvalidPayload) -> Self {
        let status = PayloadStatus::invalid(latest_valid, reason.to_string());
        Self { status, reason: Some(reason), imported: None }
    }

    fn unobjectionable(status: PayloadStatus) -> Self {
        Self { status, reason: None, imported: None }
    }
}
