//! `engine_forkchoiceUpdated`, apart from building: that begins with the attributes (`attributes.rs`).

use crate::{BlockTree, EngineError, HeadRefused, HeadSet, PayloadStatus};
use alloy_primitives::B256;
use balsa_chain::HeadChange;
use serde::{Deserialize, Serialize};

/// `ForkchoiceStateV1`. A hash of zeros names no block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are those of the specification")]
pub struct ForkchoiceState {
    pub head_block_hash: B256,
    pub safe_block_hash: B256,
    pub finalized_block_hash: B256,
}

/// What came of a fork choice.
#[derive(Clone, Debug)]
pub struct Followed {
    /// What is answered.
    pub status: PayloadStatus,
    /// How the canonical chain changed, if it did.
    pub change: Option<HeadChange>,
    /// Whether a block may be built on the head now.
    pub may_build: bool,
}

/// Follows the consensus client's choice.
///
/// # Errors
/// Safe or finalized blocks that are no ancestors of the head, a head too far back, own trouble.
pub fn forkchoice_updated(tree: &mut impl BlockTree, state: &ForkchoiceState) -> Result<Followed, EngineError> {
    let named = |hash: B256| (!hash.is_zero()).then_some(hash);
    let head = state.head_block_hash;
    let unchanged = |status| Followed { status, change: None, may_build: false };
    match tree.set_head(head, named(state.safe_block_hash), named(state.finalized_block_hash)) {
        Ok(HeadSet::Followed(change)) => Ok(Followed { status: PayloadStatus::valid(head), change, may_build: true }),
        Ok(HeadSet::Passed) => Ok(unchanged(PayloadStatus::valid(head))),
        Err(HeadRefused::Unknown) => Ok(unchanged(PayloadStatus::syncing())),
        Err(HeadRefused::Invalid(rejection)) => {
            Ok(unchanged(PayloadStatus::invalid(Some(rejection.latest_valid), rejection.reason.to_string())))
        }
        Err(HeadRefused::Error(error)) => Err(error),
    }
}
