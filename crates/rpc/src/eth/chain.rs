//! What the chain is and where it stands.

use alloy_primitives::{Address, B256, U64};
use balsa_node::Node;
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

/// Who is paid by the block that was asked for last; an error as long as nobody has been named.
fn coinbase(context: &Context, _: Params) -> Result<Address, RpcError> {
    let nobody = || RpcError::new(RpcError::SERVER_ERROR, "no coinbase: no consensus client has named a fee recipient");
    context.node.fee_recipient().ok_or_else(nobody)
}

/// `false`, or how far behind the node is: as long as blocks are missing that the consensus client has told of.
fn syncing(context: &Context, _: Params) -> Result<SyncStatus, RpcError> {
    Ok(SyncStatus::of(&context.node))
}

/// `false` or an object, as callers of `eth_syncing` know it.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum SyncStatus {
    Done(bool),
    #[serde(rename_all = "camelCase")]
    Behind {
        starting_block: U64,
        current_block: U64,
        highest_block: U64,
    },
}

impl SyncStatus {
    pub(crate) fn of(node: &Node) -> Self {
        match node.syncing() {
            None => Self::Done(false),
            Some(syncing) => Self::Behind {
                starting_block: U64::from(syncing.starting_block),
                current_block: U64::from(node.view().head().number()),
                highest_block: U64::from(syncing.highest_block),
            },
        }
    }
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
