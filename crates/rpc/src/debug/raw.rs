//! What the chain is made of, encoded.

use std::sync::Arc;

use alloy_eips::{BlockId, eip2718::Encodable2718};
use alloy_primitives::Bytes;
use balsa_chain::ChainView;
use balsa_executor::SealedBlock;

use crate::{
    Context, Methods, Params, RpcError,
    eth::{access_list::raw_list, block_id::hash_of, transaction::raw_by_hash},
};

pub(crate) fn register(methods: &mut Methods) {
    methods.add("debug_getRawBlock", 1, block);
    methods.add("debug_getRawBlockAccessList", 1, |context, mut params: Params| {
        raw_list(context, params.required("block")?)
    });
    methods.add("debug_getRawHeader", 1, header);
    methods.add("debug_getRawReceipts", 1, receipts);
    methods.add("debug_getRawTransaction", 1, raw_by_hash);
}

fn block(context: &Context, params: Params) -> Result<Bytes, RpcError> {
    Ok(wanted(context, params)?.1.encode())
}

fn header(context: &Context, params: Params) -> Result<Bytes, RpcError> {
    Ok(alloy_rlp::encode(&wanted(context, params)?.1.header).into())
}

fn receipts(context: &Context, params: Params) -> Result<Vec<Bytes>, RpcError> {
    let (view, block) = wanted(context, params)?;
    let receipts = view.receipts(&block.hash)?.ok_or_else(not_found)?;
    Ok(receipts.iter().map(|receipt| receipt.encoded_2718().into()).collect())
}

fn wanted(context: &Context, mut params: Params) -> Result<(Arc<ChainView>, Arc<SealedBlock>), RpcError> {
    let id: BlockId = params.required("block")?;
    let view = context.node.view();
    let hash = hash_of(&view, id)?.ok_or_else(not_found)?;
    let block = view.block(&hash)?.ok_or_else(not_found)?;
    Ok((view, block))
}

fn not_found() -> RpcError {
    RpcError::new(RpcError::RESOURCE_NOT_FOUND, "block not found")
}
