//! Bodies of payloads that the consensus client does not keep.

use alloy_primitives::{B256, U64};
use balsa_engine::PayloadBody;

use super::refused;
use crate::{Context, Methods, Params, RpcError};

type Bodies = Result<Vec<Option<PayloadBody>>, RpcError>;

pub(crate) fn register(methods: &mut Methods) {
    methods.add("engine_getPayloadBodiesByHashV1", 1, |context, params| by_hash(context, params, false));
    methods.add("engine_getPayloadBodiesByHashV2", 1, |context, params| by_hash(context, params, true));
    methods.add("engine_getPayloadBodiesByRangeV1", 2, |context, params| by_range(context, params, false));
    methods.add("engine_getPayloadBodiesByRangeV2", 2, |context, params| by_range(context, params, true));
}

fn by_hash(context: &Context, mut params: Params, with_lists: bool) -> Bodies {
    let hashes: Vec<B256> = params.required("blockHashes")?;
    context.node.bodies_by_hash(&hashes, with_lists).map_err(refused)
}

fn by_range(context: &Context, mut params: Params, with_lists: bool) -> Bodies {
    let start: U64 = params.required("start")?;
    let count: U64 = params.required("count")?;
    context.node.bodies_by_range(start.to(), count.to(), with_lists).map_err(refused)
}
