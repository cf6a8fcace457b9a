//! Blobs that the pool holds.

use alloy_primitives::{B128, B256};

use super::refused;
use crate::{Methods, Params, RpcError};

pub(crate) fn register(methods: &mut Methods) {
    methods.add("engine_getBlobsV1", 1, |context, mut params| {
        context.node.blobs_v1(&hashes(&mut params)?).map_err(refused)
    });
    methods.add("engine_getBlobsV2", 1, |context, mut params| {
        context.node.blobs_v2(&hashes(&mut params)?).map_err(refused)
    });
    methods.add("engine_getBlobsV3", 1, |context, mut params| {
        context.node.blobs_v3(&hashes(&mut params)?).map_err(refused)
    });
    methods.add("engine_getBlobsV4", 2, |context, mut params| {
        let hashes = hashes(&mut params)?;
        let indices: B128 = params.required("indicesBitarray")?;
        context.node.blobs_v4(&hashes, indices).map_err(refused)
    });
}

fn hashes(params: &mut Params) -> Result<Vec<B256>, RpcError> {
    params.required("versionedHashes")
}
