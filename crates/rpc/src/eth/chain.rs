//! What the chain is and where it stands.

use alloy_primitives::{Address, B256, U64};
use serde::Serialize;

use crate::{Context, Methods, Params, RpcError};

pub(crate) fn register(methods: &mut Methods) {
    methods.add("eth_accounts", 0, accounts);
    methods.add("eth_blockNumber", 0, block_number);
    methods.add("eth_capabilities", 0, capabilities);
    methods.add("eth_chainId", 0, chain_id);
    methods.add("eth_coinbase", 0, coinbase);
    methods.add("eth_syncing", 0, syncing);
}

/// None: this node holds no keys.
fn accounts(_: &Context, _: Params) -> Result<[Address; 0], RpcError> {
    Ok([])
}

fn block_number(context: &Context, _: Params) -> Result<U64, RpcError> {
    Ok(U64::from(context.node.view().head().number()))
}

fn chain_id(context: &Context, _: Params) -> Result<U64, RpcError> {
    Ok(U64::from(context.node.spec().chain_id))
}

/// There is none: with each block that it asks for, the consensus client names who is paid.
fn coinbase(_: &Context, _: Params) -> Result<Address, RpcError> {
    Err(RpcError::new(
        RpcError::SERVER_ERROR,
        "this node has no coinbase: the consensus client names the fee recipient",
    ))
}

/// Always `false`: blocks come from the consensus client one by one, and this node has no sync of its own to tell of.
fn syncing(_: &Context, _: Params) -> Result<bool, RpcError> {
    Ok(false)
}

/// What can be asked of this node, from which block on.
#[derive(Serialize)]
struct Capabilities {
    head: Head,
    state: Resource,
    tx: Resource,
    logs: Resource,
    receipts: Resource,
    blocks: Resource,
    stateproofs: Resource,
}

#[derive(Serialize)]
struct Head {
    number: U64,
    hash: B256,
}

#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
struct Resource {
    disabled: bool,
    oldest_block: U64,
    #[serde(skip_serializing_if = "Option::is_none")]
    delete_strategy: Option<Window>,
}

#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
struct Window {
    r#type: &'static str,
    retention_blocks: U64,
}

fn capabilities(context: &Context, _: Params) -> Result<Capabilities, RpcError> {
    let view = context.node.view();
    let all = Resource { disabled: false, oldest_block: U64::ZERO, delete_strategy: None };
    let (head, root) = (view.head().number(), view.root().number());
    let window = Window { r#type: "window", retention_blocks: U64::from(head - root + 1) };
    let recent = Resource { oldest_block: U64::from(root), delete_strategy: Some(window), ..all };
    Ok(Capabilities {
        head: Head { number: U64::from(head), hash: view.head().hash() },
        state: recent,
        tx: all,
        logs: all,
        receipts: all,
        blocks: all,
        stateproofs: recent,
    })
}
