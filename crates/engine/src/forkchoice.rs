//! `engine_forkchoiceUpdated`, apart from building: that begins with the attributes, which the caller reads.

use crate::{BlockTree, EngineError, HeadRefused, PayloadStatus};
use alloy_primitives::B256;
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

/// Follows the consensus client's choice.
///
/// # Errors
/// Safe or finalized blocks that are no ancestors of the head, a head too far back, own trouble.
pub fn forkchoice_updated(tree: &mut impl BlockTree, state: &ForkchoiceState) -> Result<PayloadStatus, EngineError> {
    let named = |hash: B256| (!hash.is_zero()).then_some(hash);
    let head = state.head_block_hash;
    match tree.set_head(head, named(state.safe_block_hash), named(state.finalized_block_hash)) {
        Ok(()) => Ok(PayloadStatus::valid(head)),
        Err(HeadRefused::Unknown) => Ok(PayloadStatus::syncing()),
        Err(HeadRefused::Error(error)) => Err(error),
    }
}
