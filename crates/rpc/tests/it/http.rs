//! JSON-RPC over HTTP.

use std::{io::Write, net::TcpStream, time::Duration};

use balsa_rpc::Limits;
use serde_json::{Value, json};

use crate::support::{TestNode, answer_of, call, http, http_with, open_doors, raw_http, request, small_chain};

fn node() -> TestNode {
    open_doors(small_chain(), Limits::public())
}

#[test]
fn a_call_is_answered_under_its_id() {
    let node = node();
    let answer = http(node.http(), r#"{"jsonrpc":"2.0","id":"x\u0041","method":"eth_chainId"}"#);
    assert_eq!(answer.status, 200);
    assert!(answer.head.contains("content-type: application/json"), "{}", answer.head);
    assert_eq!(answer.body, r#"{"jsonrpc":"2.0","id":"x\u0041","result":"0x539"}"#);
    assert_eq!(call(node.http(), "net_version", json!([])), Ok(json!("1337")));
    assert_eq!(node.running.node().view().head().number(), 0);
    assert_eq!(call(node.http(), "eth_blockNumber", json!([])), Ok(json!("0x0")));
}

#[test]
fn faults_have_their_codes() {
    let node = node();
    let code = |body: &str| answer_of(&http(node.http(), body).body).unwrap_err();
    assert_eq!(code("{"), -32700);
    assert_eq!(code(""), -32700);
    assert_eq!(code("[]"), -32600);
    assert_eq!(code("1"), -32600);
    assert_eq!(code(&request(1, "eth_noSuchThing", json!([]))), -32601);
    assert_eq!(code(&request(1, "engine_newPayloadV1", json!([]))), -32601);
    assert_eq!(code(&request(1, "eth_chainId", json!([1]))), -32602);
    assert_eq!(code(&request(1, "eth_chainId", json!({}))), -32602);
    assert_eq!(code(&request(1, "web3_sha3", json!([]))), -32602);
    assert_eq!(code(&request(1, "eth_subscribe", json!(["newHeads"]))), -32601);
    assert_eq!(code(&"[".repeat(1_000_000)), -32700);
}

#[test]
fn a_batch_is_answered_in_order_and_without_its_notifications() {
    let node = node();
    let batch = format!(
        r#"[{}, 1, {{"jsonrpc":"2.0","method":"eth_chainId"}}, {}]"#,
        request(1, "eth_chainId", json!([])),
        request(2, "eth_noSuchThing", json!([]))
    );
    let answers: Vec<Value> = serde_json::from_str(&http(node.http(), &batch).body).unwrap();
    let ids: Vec<&Value> = answers.iter().map(|answer| &answer["id"]).collect();
    assert_eq!(ids, [&json!(1), &Value::Null, &json!(2)]);
    assert_eq!(answers[1]["error"]["code"], -32600);

    let silent = http(node.http(), r#"[{"jsonrpc":"2.0","method":"eth_chainId"}]"#);
    assert_eq!((silent.status, silent.body.as_str()), (200, ""));

    let many = |count: usize| format!("[{}]", vec![request(1, "eth_chainId", json!([])); count].join(","));
    let answers: Vec<Value> = serde_json::from_str(&http(node.http(), &many(1000)).body).unwrap();
    assert_eq!(answers.len(), 1000);
    assert_eq!(answer_of(&http(node.http(), &many(1001)).body), Err(-32600));
}

#[test]
fn answers_are_bounded_one_by_one_and_together() {
    let limits = Limits { response_bytes_max: 70, batch_response_bytes_max: 200, ..Limits::public() };
    let node = open_doors(small_chain(), limits);
    assert!(call(node.http(), "web3_sha3", json!(["0x"])).is_ok());
    let batch = vec![request(1, "web3_sha3", json!(["0x"])); 5].join(",");
    let answers: Vec<Value> = serde_json::from_str(&http(node.http(), &format!("[{batch}]")).body).unwrap();
    assert_eq!(answers.len(), 5);
    assert!(answers[0]["result"].is_string());
    assert_eq!(answers[4]["error"]["code"], -32003);
}

#[test]
fn what_is_no_call_gets_a_status() {
    let node = node();
    let status = |headers: &[(&str, &str)], body: &str| http_with(node.http(), headers, body).status;
    assert_eq!(status(&[("content-type", "text/plain")], "{}"), 415);
    assert_eq!(status(&[("content-type", "application/json; charset=utf-8")], "{}"), 200);
    assert_eq!(status(&[("host", "evil.example")], "{}"), 403);
    assert_eq!(status(&[("host", "127.0.0.1:1")], "{}"), 200);
    let get = raw_http(node.http(), b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    assert_eq!(get.status, 200);
    let put = raw_http(node.http(), b"PUT / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    assert_eq!(put.status, 405);
    let huge = b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: 99999999999\r\n\r\n";
    assert_eq!(raw_http(node.http(), huge).status, 413);
}

#[test]
fn a_body_without_a_length_is_bounded() {
    let limits = Limits { request_bytes_max: 1000, ..Limits::public() };
    let node = open_doors(small_chain(), limits);
    let mut request = b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    for _ in 0..200 {
        request.extend_from_slice(b"a\r\n          \r\n");
    }
    assert_eq!(raw_http(node.http(), &request).status, 413);
}

#[test]
fn pages_are_told_whether_they_may() {
    let node = node();
    let body = request(1, "eth_chainId", json!([]));
    let allowed = http_with(node.http(), &[("origin", "http://wallet.example")], &body);
    assert!(allowed.head.contains("access-control-allow-origin: http://wallet.example"), "{}", allowed.head);
    let refused = http_with(node.http(), &[("origin", "http://evil.example")], &body);
    assert!(!refused.head.contains("access-control"), "{}", refused.head);
    let preflight = raw_http(
        node.http(),
        b"OPTIONS / HTTP/1.1\r\nhost: localhost\r\norigin: http://wallet.example\r\naccess-control-request-method: POST\r\nconnection: close\r\n\r\n",
    );
    assert_eq!(preflight.status, 200);
    assert!(preflight.head.contains("access-control-allow-headers: content-type"), "{}", preflight.head);
}

#[test]
fn more_connections_than_may_be_are_closed() {
    let node = open_doors(small_chain(), Limits { connections_max: 2, ..Limits::public() });
    // Each holds its place with half a request; an answer to a first one proves that it was taken.
    let idle: Vec<TcpStream> = (0..2)
        .map(|_| {
            let mut stream = TcpStream::connect(node.http()).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
            stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\nGET").unwrap();
            assert!(std::io::Read::read(&mut stream, &mut [0; 16]).unwrap() > 0);
            stream
        })
        .collect();
    assert_eq!(http(node.http(), &request(1, "eth_chainId", json!([]))).status, 0);
    drop(idle);
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    while http(node.http(), &request(1, "eth_chainId", json!([]))).status != 200 {
        assert!(std::time::Instant::now() < deadline, "places were not given back");
    }
}

#[test]
fn doors_shut() {
    let node = node();
    let (address, path) = (node.http(), node.ipc());
    node.server.stop();
    assert!(TcpStream::connect(address).is_err());
    assert!(!path.exists());
}
