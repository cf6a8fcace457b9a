//! The `net_` namespace.

use alloy_primitives::U64;

use crate::{Context, Methods, Params, RpcError};

pub(crate) fn register(methods: &mut Methods) {
    methods.add("net_listening", 0, listening);
    methods.add("net_peerCount", 0, peer_count);
    methods.add("net_version", 0, version);
}

/// `false`: this node takes no peers yet.
fn listening(_: &Context, _: Params) -> Result<bool, RpcError> {
    Ok(false)
}

/// None: this node takes no peers yet.
fn peer_count(_: &Context, _: Params) -> Result<U64, RpcError> {
    Ok(U64::ZERO)
}

/// The network's id, in decimal.
fn version(context: &Context, _: Params) -> Result<String, RpcError> {
    Ok(context.settings.network_id.to_string())
}
