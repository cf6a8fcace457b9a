//! What the chain is and where it stands.

use alloy_primitives::U64;

use crate::{Context, Methods, Params, RpcError};

pub(crate) fn register(methods: &mut Methods) {
    methods.add("eth_blockNumber", 0, block_number);
    methods.add("eth_chainId", 0, chain_id);
}

fn block_number(context: &Context, _: Params) -> Result<U64, RpcError> {
    Ok(U64::from(context.node.view().head().number()))
}

fn chain_id(context: &Context, _: Params) -> Result<U64, RpcError> {
    Ok(U64::from(context.node.spec().chain_id))
}
