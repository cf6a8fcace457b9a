//! What the two sides tell each other of themselves.

use balsa_engine::{ClientVersion, TransitionConfiguration};

use crate::{Context, Methods, Params, RpcError};

pub(crate) fn register(methods: &mut Methods) {
    methods.add("engine_exchangeCapabilities", 1, exchange_capabilities);
    methods.add("engine_getClientVersionV1", 1, client_version);
    methods.add("engine_exchangeTransitionConfigurationV1", 1, exchange_transition_configuration);
}

fn exchange_capabilities(context: &Context, mut params: Params) -> Result<&'static [&'static str], RpcError> {
    let _: Vec<String> = params.required("methods")?;
    Ok(context.node.capabilities())
}

fn client_version(context: &Context, mut params: Params) -> Result<Vec<ClientVersion>, RpcError> {
    let client: Option<ClientVersion> = params.optional("clientVersion")?;
    if let Some(client) = client {
        tracing::debug!(code = client.code, name = client.name, version = client.version, "consensus client");
    }
    Ok(vec![context.node.client_version().clone()])
}

fn exchange_transition_configuration(
    context: &Context,
    mut params: Params,
) -> Result<TransitionConfiguration, RpcError> {
    let theirs: TransitionConfiguration = params.required("transitionConfiguration")?;
    let ours = context.node.transition_configuration();
    if theirs.terminal_total_difficulty != ours.terminal_total_difficulty {
        tracing::error!(%theirs.terminal_total_difficulty, %ours.terminal_total_difficulty, "the consensus client merges at another difficulty");
    }
    Ok(ours)
}
