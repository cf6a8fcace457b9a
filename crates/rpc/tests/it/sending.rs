//! Transactions whose senders wait for the receipt (EIP-7966).

use std::{thread, time::Duration};

use alloy_primitives::{B256, Bytes, keccak256};
use balsa_node::Heard;
use balsa_rpc::Limits;
use serde_json::{Value, json};

use crate::support::{TestNode, build, call, dev_node, dev_node_with, http, make_head, request, transfer};

const METHOD: &str = "eth_sendRawTransactionSync";

/// Code and data of the error that a call ends with.
fn refusal(node: &TestNode, params: Value) -> (i64, Value) {
    let answer: Value = serde_json::from_str(&http(node.http(), &request(1, METHOD, params)).body).unwrap();
    let error = &answer["error"];
    (error["code"].as_i64().unwrap_or_else(|| panic!("{answer}")), error["data"].clone())
}

fn hash(transaction: &Bytes) -> B256 {
    keccak256(transaction)
}

#[test]
fn a_receipt_is_waited_for() {
    let server = dev_node();
    let node = server.running.node();
    let transactions = node.transactions();
    let address = server.http();
    let mut waiting = Vec::new();
    for nonce in 0..2 {
        waiting.push(thread::spawn(move || call(address, METHOD, json!([transfer(nonce), 60_000]))));
        // The next one would be refused if it came before.
        assert!(matches!(transactions.hear(Duration::from_secs(60)), Heard::Event(_)));
    }
    make_head(&server, &build(&server, node.view().head().hash(), 1, None));
    for (nonce, waited) in waiting.into_iter().enumerate() {
        let receipt = waited.join().unwrap().unwrap();
        let known = call(address, "eth_getTransactionReceipt", json!([hash(&transfer(nonce as u64))])).unwrap();
        assert_eq!(receipt, known);
        assert_eq!((&receipt["status"], &receipt["blockNumber"]), (&json!("0x1"), &json!("0x1")));
    }
    // As eth_sendRawTransaction has it: what stands in the chain cannot be sent again.
    assert_eq!(call(address, METHOD, json!([transfer(0)])), Err(-32000));
    assert_eq!(call(address, METHOD, json!(["0x00"])), Err(-32000));
    assert_eq!(call(address, METHOD, json!([])), Err(-32602));
    assert_eq!(call(address, METHOD, json!([transfer(2), "soon"])), Err(-32602));
}

#[test]
fn who_waits_in_vain_is_told_why() {
    let server = dev_node();
    // Nobody makes a block.
    for (nonce, timeout) in [(0, json!(20)), (1, json!("0x14"))] {
        let told = refusal(&server, json!([transfer(nonce), timeout]));
        assert_eq!(told, (4, json!(hash(&transfer(nonce)))));
    }
    // It waits for number 2, and stays in the pool.
    assert_eq!(refusal(&server, json!([transfer(3)])), (6, json!("0x2")));
    assert_eq!(call(server.http(), "txpool_status", json!([])), Ok(json!({ "pending": "0x2", "queued": "0x1" })));
}

#[test]
fn those_who_wait_are_bounded() {
    let server = dev_node_with(Limits { receipt_waits_max: 1, ..Limits::public() });
    let node = server.running.node();
    let (transactions, address) = (node.transactions(), server.http());
    let first = thread::spawn(move || call(address, METHOD, json!([transfer(0), 60_000])));
    assert!(matches!(transactions.hear(Duration::from_secs(60)), Heard::Event(_)));
    assert_eq!(call(address, METHOD, json!([transfer(1)])), Err(-32005));
    // Who was refused has not sent anything; others are served meanwhile.
    assert_eq!(call(address, "eth_sendRawTransaction", json!([transfer(1)])), Ok(json!(hash(&transfer(1)))));
    make_head(&server, &build(&server, node.view().head().hash(), 1, None));
    assert!(first.join().unwrap().is_ok());
}
