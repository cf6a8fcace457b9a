//! The `web3_` namespace.

use alloy_primitives::{B256, Bytes, keccak256};

use crate::{Context, Methods, Params, RpcError};

pub(crate) fn register(methods: &mut Methods) {
    methods.add("web3_clientVersion", 0, client_version);
    methods.add("web3_sha3", 1, sha3);
}

fn client_version(context: &Context, _: Params) -> Result<String, RpcError> {
    Ok(context.settings.client_version.clone())
}

fn sha3(_: &Context, mut params: Params) -> Result<B256, RpcError> {
    Ok(keccak256(params.required::<Bytes>("data")?))
}
