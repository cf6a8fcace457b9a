//! Floods on loopback: each gets its errors, memory stays within bounds, and the node goes on making blocks.

use crate::{
    dev::{number, transfer, wait_for},
    process::{NodeProcess, exchange},
};
use serde_json::{Value, json};
use std::{io::Write, net::TcpStream, thread};
use tempfile::TempDir;

/// What the node may take more than before, in bytes: the pool's own limits, and buffers.
const MORE_MEMORY_MAX: u64 = 512 << 20;

/// Threads that knock at once.
const KNOCKERS: usize = 4;

fn post(body: &str) -> String {
    format!(
        "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

fn body_of(answer: &str) -> Value {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{answer}"));
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {head}\n{body}"))
}

#[test]
fn ten_thousand_calls_without_the_secret_are_all_refused() {
    let datadir = TempDir::new().expect("a directory");
    let node = NodeProcess::start(datadir.path(), &["--network", "dev"]);
    let before = node.resident_bytes();
    let (door, request) = (node.door("engine"), post(r#"{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}"#));
    thread::scope(|scope| {
        for _ in 0..KNOCKERS {
            scope.spawn(|| {
                for _ in 0..10_000 / KNOCKERS {
                    let answer = exchange(door, &request);
                    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
                }
            });
        }
    });
    assert_eq!(node.engine("eth_chainId", &json!([]))["result"], "0x539");
    assert!(node.resident_bytes() < before + MORE_MEMORY_MAX);
}

#[test]
fn what_is_no_request_gets_its_error_and_slow_clients_hold_nobody_up() {
    let datadir = TempDir::new().expect("a directory");
    let node = NodeProcess::start(datadir.path(), &["--dev"]);
    let door = node.door("http");
    // Each has begun a request and says no more.
    let slow: Vec<TcpStream> = (0..200)
        .map(|_| {
            let mut stream = TcpStream::connect(door).expect("the door is open");
            stream.write_all(b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-le").expect("some bytes are taken");
            stream
        })
        .collect();
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for (body, code) in [("{", -32700), ("\"", -32700), ("\u{0}", -32700), ("7", -32600), ("[]", -32600)] {
        let answer = body_of(&exchange(door, &post(body)));
        assert_eq!(answer["error"]["code"], code, "{}: {answer}", &body[..body.len().min(20)]);
    }
    // A batch, whose one member is no request, however deep it is.
    let answer = body_of(&exchange(door, &post(&deep)));
    assert_eq!(answer[0]["error"]["code"], -32600, "{answer}");
    let batch = |calls: usize| {
        let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": [] });
        body_of(&exchange(door, &post(&Value::from(vec![call; calls]).to_string())))
    };
    assert_eq!(batch(1000).as_array().map(Vec::len), Some(1000));
    let refused = batch(1001);
    assert!(refused["error"]["code"].is_number(), "{refused}");
    let sent = node.call("eth_sendRawTransaction", &json!([transfer(0)]));
    assert!(sent["result"].is_string(), "{sent}");
    wait_for("a block", || (number(&node) >= 1).then_some(Value::Null));
    drop(slow);
}

#[test]
fn a_sender_of_a_hundred_thousand_transactions_does_not_fill_the_node() {
    let datadir = TempDir::new().expect("a directory");
    let node = NodeProcess::start(datadir.path(), &["--dev", "--dev.period", "200ms"]);
    let (before, door) = (node.resident_bytes(), node.door("http"));
    let (mut taken, mut refused) = (0_usize, 0_usize);
    // The second half first: nothing of it can be executed before the first half is there.
    for start in (50_000..100_000).step_by(500).chain((0..50_000).step_by(500)) {
        let calls: Vec<Value> = (start..start + 500)
            .map(|nonce| json!({ "jsonrpc": "2.0", "id": nonce, "method": "eth_sendRawTransaction", "params": [transfer(nonce)] }))
            .collect();
        let answers = body_of(&exchange(door, &post(&Value::from(calls).to_string())));
        for answer in answers.as_array().unwrap_or_else(|| panic!("{answers}")) {
            let is_taken = answer["result"].is_string();
            assert!(is_taken || answer["error"]["code"].is_number(), "{answer}");
            taken += usize::from(is_taken);
            refused += usize::from(!is_taken);
        }
    }
    assert_eq!(taken + refused, 100_000);
    assert!(refused > 10_000, "{refused} refused: a sender has a limit");
    let more = node.resident_bytes().saturating_sub(before);
    assert!(more < MORE_MEMORY_MAX, "{more} bytes more than before");
    let head = number(&node);
    assert!(head > 0, "no block was made meanwhile");
    wait_for("the next block", || (number(&node) > head).then_some(Value::Null));
}
