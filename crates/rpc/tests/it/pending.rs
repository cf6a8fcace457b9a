//! What is asked of a node in the middle of things: a block that is being built, blocks that are missing.

use alloy_primitives::{Address, B256, keccak256};
use balsa_engine::{ForkchoiceParams, ForkchoiceState, ForkchoiceVersion, PayloadBlock, PayloadStatusKind};
use serde_json::{Value, json};

use crate::support::{TestNode, attributes, build, call, connect, dev_node, make_head, say, transfer};

const RECEIVER: Address = Address::repeat_byte(0xbb);

fn choose(server: &TestNode, head: B256, ask: bool) -> PayloadStatusKind {
    let node = server.running.node();
    let state =
        ForkchoiceState { head_block_hash: head, safe_block_hash: B256::ZERO, finalized_block_hash: B256::ZERO };
    let header = node.view().head().block.header.clone();
    let attributes = ask.then(|| Ok(attributes(header.number, header.timestamp, 7)));
    let params = ForkchoiceParams { state, attributes, custody_columns: None };
    let answer = node.forkchoice_updated(ForkchoiceVersion::V4, params).unwrap();
    if let Some(id) = answer.payload_id {
        // The version with transactions is there then.
        node.built_payload(id).unwrap();
    }
    answer.payload_status.status
}

#[test]
fn pending_is_what_is_being_built_or_else_the_head() {
    let server = dev_node();
    let ask = |method: &str, params: Value| call(server.http(), method, params).unwrap();
    let latest = ask("eth_getBlockByNumber", json!(["latest", true]));
    assert_eq!(ask("eth_getBlockByNumber", json!(["pending", true])), latest);
    assert_eq!(ask("eth_getBalance", json!([RECEIVER, "pending"])), "0x0");
    // NUMBER PUSH0 MSTORE PUSH1 32 PUSH0 RETURN.
    let number = json!({ RECEIVER.to_string(): { "code": "0x435f5260205ff3" } });
    let call_at = |block: &str| ask("eth_call", json!([{ "to": RECEIVER }, block, number]));
    assert_eq!(call_at("pending"), call_at("latest"));

    server.running.node().send_raw_transaction(&transfer(0)).unwrap();
    choose(&server, server.running.node().view().head().hash(), true);
    let pending = ask("eth_getBlockByNumber", json!(["pending", true]));
    assert_eq!((&pending["number"], &pending["parentHash"]), (&json!("0x1"), &latest["hash"]));
    for field in ["hash", "nonce", "miner"] {
        assert!(pending[field].is_null(), "{field}: {pending}");
    }
    assert_eq!(pending["transactions"][0]["hash"], json!(keccak256(transfer(0))));
    assert_eq!(ask("eth_getBlockTransactionCountByNumber", json!(["pending"])), "0x1");
    assert_eq!(ask("eth_getBalance", json!([RECEIVER, "pending"])), "0x1");
    assert_eq!(ask("eth_getBalance", json!([RECEIVER, "latest"])), "0x0");
    assert_eq!((call_at("pending"), call_at("latest")), (json!(B256::with_last_byte(1)), json!(B256::ZERO)));
    assert_eq!(ask("eth_blockNumber", json!([])), "0x0");
}

#[test]
fn the_coinbase_is_whom_the_consensus_client_names() {
    let server = dev_node();
    assert_eq!(call(server.http(), "eth_coinbase", json!([])), Err(-32000));
    choose(&server, server.running.node().view().head().hash(), true);
    assert_eq!(call(server.http(), "eth_coinbase", json!([])), Ok(json!(Address::with_last_byte(7))));
}

#[test]
fn a_node_that_lacks_blocks_is_syncing() {
    // Another node has the blocks.
    let (server, other) = (dev_node(), dev_node());
    let one = build(&other, other.running.node().view().head().hash(), 1, Some(Vec::new()));
    make_head(&other, &one);
    let two = build(&other, one.block.hash, 2, Some(Vec::new()));
    let mut socket = connect(&server);
    let subscription = say(&mut socket, "eth_subscribe", json!(["syncing"])).unwrap();
    let mut told = || {
        let notification: Value = serde_json::from_str(socket.read().unwrap().to_text().unwrap()).unwrap();
        assert_eq!(notification["params"]["subscription"], subscription);
        notification["params"]["result"].clone()
    };
    let syncing = || call(server.http(), "eth_syncing", json!([])).unwrap();
    assert_eq!(syncing(), false);
    let payload = PayloadBlock { block: two.block.clone(), list: two.list.clone() };
    assert_eq!(server.running.node().import(payload).unwrap().status.status, PayloadStatusKind::Syncing);
    let behind = json!({ "startingBlock": "0x0", "currentBlock": "0x0", "highestBlock": "0x2" });
    assert_eq!(syncing(), behind);
    assert_eq!(told(), json!({ "syncing": true, "status": behind }));
    assert_eq!(choose(&server, two.block.hash, false), PayloadStatusKind::Syncing);
    assert_eq!(syncing(), behind);
    make_head(&server, &one);
    assert_eq!(syncing(), false, "what was chosen is there");
    assert_eq!(told(), false);
    make_head(&server, &two);
    assert_eq!(syncing(), false);
}
