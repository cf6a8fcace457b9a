//! Which block a caller means ([EIP-1898](https://eips.ethereum.org/EIPS/eip-1898)).

use std::sync::Arc;

use alloy_eips::{BlockId, BlockNumberOrTag, RpcBlockHash};
use alloy_primitives::B256;
use balsa_chain::{ChainView, KeptBlock};
use balsa_node::PendingBlock;

use crate::{Context, RpcError};

/// The hash of the block that is meant; `None` if there is none such. `pending` means the head here: a block that is still
/// being made has no hash, and those who can show it ask for it first ([`pending`]).
pub(crate) fn hash_of(view: &ChainView, id: BlockId) -> Result<Option<B256>, RpcError> {
    match id {
        BlockId::Number(number) => hash_of_number(view, number),
        BlockId::Hash(RpcBlockHash { block_hash, require_canonical }) => {
            let Some(block) = view.pointer(&block_hash)? else { return Ok(None) };
            if require_canonical == Some(true) && !view.is_canonical(&block)? {
                return Err(RpcError::new(RpcError::SERVER_ERROR, "hash is not currently canonical"));
            }
            Ok(Some(block_hash))
        }
    }
}

/// The block that is being built on the head, if that is meant and there is one. If there is none, `pending` is the head.
pub(crate) fn pending(context: &Context, id: Option<BlockId>) -> Option<PendingBlock> {
    id.filter(BlockId::is_pending).and_then(|_| context.node.pending())
}

/// The hash of the canonical block that is meant.
pub(crate) fn hash_of_number(view: &ChainView, number: BlockNumberOrTag) -> Result<Option<B256>, RpcError> {
    Ok(match number {
        BlockNumberOrTag::Latest | BlockNumberOrTag::Pending => Some(view.head().hash()),
        BlockNumberOrTag::Safe => view.safe().map(|block| block.hash),
        BlockNumberOrTag::Finalized => view.finalized().map(|block| block.hash),
        BlockNumberOrTag::Earliest => view.canonical_hash(0)?,
        BlockNumberOrTag::Number(number) => view.canonical_hash(number)?,
    })
}

/// The number that is meant, whether there is such a block or not; `None` for a tag that names none yet.
pub(crate) fn number_of(view: &ChainView, number: BlockNumberOrTag) -> Option<u64> {
    match number {
        BlockNumberOrTag::Latest | BlockNumberOrTag::Pending => Some(view.head().number()),
        BlockNumberOrTag::Safe => view.safe().map(|block| block.number),
        BlockNumberOrTag::Finalized => view.finalized().map(|block| block.number),
        BlockNumberOrTag::Earliest => Some(0),
        BlockNumberOrTag::Number(number) => Some(number),
    }
}

/// The block whose state is asked for, with the view that holds it. Without an id it is the head.
///
/// # Errors
/// -32001 if there is no such block, -32000 if its state is not kept any more.
pub(crate) fn kept_block(context: &Context, id: Option<BlockId>) -> Result<(Arc<ChainView>, Arc<KeptBlock>), RpcError> {
    let view = context.node.view();
    let Some(hash) = hash_of(&view, id.unwrap_or_default())? else {
        return Err(RpcError::new(RpcError::RESOURCE_NOT_FOUND, "header not found"));
    };
    let Some(kept) = view.kept(&hash).cloned() else {
        let message =
            format!("state of block {hash} is not available: states are kept from block {} on", view.root().number());
        return Err(RpcError::new(RpcError::SERVER_ERROR, message));
    };
    Ok((view, kept))
}
