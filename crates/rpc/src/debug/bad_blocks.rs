//! The last blocks that were found invalid.

use alloy_primitives::{B256, Bytes};
use alloy_rpc_types_eth::BlockTransactions;
use balsa_chain::{BadBlock, ChainView};
use serde::Serialize;

use crate::{
    Context, Methods, Params, RpcError,
    eth::{
        block::{RpcBlock, rpc_header},
        transaction::transactions_of,
    },
};

/// An invalid block, and why it is.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RpcBadBlock {
    block: RpcBlock,
    hash: B256,
    rlp: Bytes,
    /// As it came with the block.
    #[serde(skip_serializing_if = "Option::is_none")]
    block_access_list: Option<Bytes>,
    /// As execution recorded it, if the block was refused because of its list.
    #[serde(skip_serializing_if = "Option::is_none")]
    generated_block_access_list: Option<Bytes>,
    error: String,
}

pub(crate) fn register(methods: &mut Methods) {
    methods.add("debug_getBadBlocks", 0, bad_blocks);
}

fn bad_blocks(context: &Context, _: Params) -> Result<Vec<RpcBadBlock>, RpcError> {
    let view = context.node.view();
    Ok(context.node.bad_blocks().iter().map(|bad| shown(&view, bad)).collect())
}

fn shown(view: &ChainView, bad: &BadBlock) -> RpcBadBlock {
    let block = &bad.block;
    // Signatures may be what is wrong with it; the hashes are there in any case.
    let transactions = transactions_of(view.spec(), block).map_or_else(
        |_| BlockTransactions::Hashes(block.transactions.iter().map(|transaction| *transaction.tx_hash()).collect()),
        BlockTransactions::Full,
    );
    RpcBadBlock {
        block: RpcBlock {
            header: rpc_header(block.hash, block.header.clone(), block.rlp_len),
            uncles: block.ommers.iter().map(|ommer| ommer.hash_slow()).collect(),
            transactions,
            withdrawals: block.withdrawals.clone(),
        },
        hash: block.hash,
        rlp: block.encode(),
        block_access_list: bad.list.clone(),
        generated_block_access_list: bad.recorded_list.clone(),
        error: bad.reason.to_string(),
    }
}
