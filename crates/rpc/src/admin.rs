//! The `admin_` namespace: this node and its peers.

use alloy_primitives::{B256, U256};
use serde::Serialize;
use serde_json::Value;

use crate::{Context, Methods, Params, RpcError};

/// What this node is.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NodeInfo {
    name: String,
    /// Who it is; port 0 while it takes no peers.
    enode: String,
    protocols: Protocols,
}

#[derive(Serialize)]
struct Protocols {
    eth: EthProtocol,
}

#[derive(Serialize)]
struct EthProtocol {
    network: u64,
    difficulty: U256,
    genesis: B256,
    head: B256,
}

pub(crate) fn register(methods: &mut Methods) {
    methods.add("admin_addPeer", 1, add_peer);
    methods.add("admin_nodeInfo", 0, node_info);
    methods.add("admin_peers", 0, peers);
}

fn node_info(context: &Context, _: Params) -> Result<NodeInfo, RpcError> {
    let view = context.node.view();
    let head = view.head();
    let genesis = view.canonical_hash(0)?.ok_or_else(|| RpcError::internal("the genesis block is missing"))?;
    let eth = EthProtocol {
        network: context.settings.network_id,
        difficulty: head.total_difficulty,
        genesis,
        head: head.hash(),
    };
    Ok(NodeInfo {
        name: context.settings.client_version.clone(),
        enode: context.settings.enode.clone().unwrap_or_default(),
        protocols: Protocols { eth },
    })
}

/// None: this node talks to its consensus client only.
fn peers(_: &Context, _: Params) -> Result<[Value; 0], RpcError> {
    Ok([])
}

fn add_peer(_: &Context, mut params: Params) -> Result<bool, RpcError> {
    params.required::<String>("enode")?;
    Err(RpcError::new(RpcError::SERVER_ERROR, "this node has no peer-to-peer network yet"))
}
