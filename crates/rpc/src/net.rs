//! The `net_` namespace.

use crate::{Context, Methods, Params, RpcError};

pub(crate) fn register(methods: &mut Methods) {
    methods.add("net_version", 0, version);
}

/// The network's id, in decimal.
fn version(context: &Context, _: Params) -> Result<String, RpcError> {
    Ok(context.settings.network_id.to_string())
}
