//! A reorganisation over the Engine API, as those hear of it who watch logs.

use std::net::TcpStream;

use alloy_primitives::B256;
use serde_json::{Value, json};
use tungstenite::WebSocket;

use crate::support::{TestNode, attributes, call, connect, dev_node, engine, say, transfer};

/// Lets the node build a payload on the head, and fetches it; `variant` tells siblings apart.
fn payload(server: &TestNode, variant: u8) -> Value {
    let head = server.running.node().view().head().clone();
    let attributes = attributes(head.number(), head.block.header.timestamp, variant);
    let answer = engine(server, "engine_forkchoiceUpdatedV4", json!([state(head.hash()), attributes, null]));
    engine(server, "engine_getPayloadV6", json!([answer["payloadId"]]))["executionPayload"].take()
}

fn state(head: B256) -> Value {
    json!({ "headBlockHash": head, "safeBlockHash": B256::ZERO, "finalizedBlockHash": B256::ZERO })
}

/// Brings a payload, and makes it the head.
fn make_head(server: &TestNode, payload: &Value) {
    let status = engine(server, "engine_newPayloadV5", json!([payload, [], B256::ZERO, []]));
    assert_eq!(status["status"], "VALID", "{status}");
    let head: B256 = serde_json::from_value(payload["blockHash"].clone()).unwrap();
    let chosen = engine(server, "engine_forkchoiceUpdatedV4", json!([state(head), null, null]));
    assert_eq!(chosen["payloadStatus"]["status"], "VALID", "{chosen}");
}

/// The next notifications of a subscription, and what they say.
fn told(socket: &mut WebSocket<TcpStream>, subscription: &Value, count: usize) -> Vec<Value> {
    let mut next = || {
        let mut notification: Value = serde_json::from_str(socket.read().unwrap().to_text().unwrap()).unwrap();
        assert_eq!(&notification["params"]["subscription"], subscription, "{notification}");
        notification["params"]["result"].take()
    };
    (0..count).map(|_| next()).collect()
}

fn logs_of(server: &TestNode, payload: &Value) -> Vec<Value> {
    let logs = call(server.http(), "eth_getLogs", json!([{ "blockHash": payload["blockHash"] }])).unwrap();
    logs.as_array().unwrap().clone()
}

#[test]
fn logs_of_blocks_that_leave_are_told_again_as_removed() {
    let server = dev_node();
    for nonce in 0..2 {
        server.running.node().send_raw_transaction(&transfer(nonce)).unwrap();
    }
    let (one, rival) = (payload(&server, 1), payload(&server, 2));
    let mut socket = connect(&server);
    let subscription = say(&mut socket, "eth_subscribe", json!(["logs", {}])).unwrap();
    let filter = call(server.http(), "eth_newFilter", json!([{}])).unwrap();
    let changes = || call(server.http(), "eth_getFilterChanges", json!([filter])).unwrap();

    make_head(&server, &one);
    let come = logs_of(&server, &one);
    assert_eq!(come.len(), 2, "a transfer leaves a log");
    assert!(come.iter().all(|log| log["removed"] == false));
    assert_eq!(told(&mut socket, &subscription, 2), come);
    assert_eq!(changes().as_array(), Some(&come));

    make_head(&server, &rival);
    let mut gone = come;
    gone.iter_mut().for_each(|log| log["removed"] = json!(true));
    let expected = [gone, logs_of(&server, &rival)].concat();
    assert_eq!(expected.len(), 4);
    assert_eq!(told(&mut socket, &subscription, 4), expected);
    assert_eq!(changes().as_array(), Some(&expected));

    // And back.
    make_head(&server, &one);
    let told = told(&mut socket, &subscription, 4);
    assert_eq!(told.iter().map(|log| log["removed"] == true).collect::<Vec<_>>(), [true, true, false, false]);
    assert_eq!(told[2..], logs_of(&server, &one));
}
