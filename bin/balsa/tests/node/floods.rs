//! Floods on loopback: each gets its errors, memory stays within bounds, and a consensus client goes on proposing blocks.

use crate::{
    dev::{number, transfer},
    process::{NodeProcess, exchange},
    proposer::{AMSTERDAM, Proposer},
};
use serde_json::{Value, json};
use std::{
    io::Write,
    net::TcpStream,
    ops::Range,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};
use tempfile::TempDir;

/// What the node may take more than before, in bytes: the pool's own limits, and buffers.
const MORE_MEMORY_MAX: u64 = 512 << 20;

/// Threads that knock at once.
const KNOCKERS: usize = 4;

pub(crate) fn post(body: &str) -> String {
    format!(
        "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

pub(crate) fn body_of(answer: &str) -> Value {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{answer}"));
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {head}\n{body}"))
}

/// Runs a flood while a consensus client proposes blocks through the node: each must be made, and be valid. The number of
/// those that were made from the flood's beginning to its end.
fn proposing_meanwhile(node: &NodeProcess, flood: impl FnOnce()) -> u64 {
    let before = node.peak_bytes();
    let over = AtomicBool::new(false);
    let proposed = thread::scope(|scope| {
        let proposing = scope.spawn(|| {
            let mut proposer = Proposer::new(node, AMSTERDAM);
            let mut count = 0;
            while !over.load(Ordering::Relaxed) {
                proposer.propose();
                count += 1;
            }
            count
        });
        flood();
        over.store(true, Ordering::Relaxed);
        proposing.join().expect("every proposal succeeds")
    });
    let more = node.peak_bytes().saturating_sub(before);
    assert!(more < MORE_MEMORY_MAX, "{more} bytes more than before");
    // The last of them may have been begun during the flood and finished after it.
    let head = number(node);
    assert_eq!(head, proposed, "every block that was proposed is on the chain");
    head.saturating_sub(1)
}

#[test]
fn ten_thousand_calls_without_the_secret_are_all_refused() {
    let datadir = TempDir::new().expect("a directory");
    let node = NodeProcess::start(datadir.path(), &["--network", "dev"]);
    let (door, request) = (node.door("engine"), post(r#"{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}"#));
    let proposed = proposing_meanwhile(&node, || {
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
    });
    assert!(proposed >= 10, "{proposed} blocks during the flood");
    assert_eq!(node.engine("eth_chainId", &json!([]))["result"], "0x539");
}

#[test]
fn what_is_no_request_gets_its_error_and_slow_clients_hold_nobody_up() {
    let datadir = TempDir::new().expect("a directory");
    let node = NodeProcess::start(datadir.path(), &["--network", "dev"]);
    let door = node.door("http");
    // Each has begun a request and says no more.
    let slow: Vec<TcpStream> = (0..200)
        .map(|_| {
            let mut stream = TcpStream::connect(door).expect("the door is open");
            stream.write_all(b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-le").expect("some bytes are taken");
            stream
        })
        .collect();
    let proposed = proposing_meanwhile(&node, || {
        for _ in 0..20 {
            malformed(&node);
            batches(&node);
        }
    });
    assert!(proposed >= 10, "{proposed} blocks during the flood");
    let sent = node.call("eth_sendRawTransaction", &json!([transfer(0)]));
    assert!(sent["result"].is_string(), "{sent}");
    drop(slow);
}

fn malformed(node: &NodeProcess) {
    let door = node.door("http");
    for (body, code) in [("{", -32700), ("\"", -32700), ("\u{0}", -32700), ("7", -32600), ("[]", -32600)] {
        let answer = body_of(&exchange(door, &post(body)));
        assert_eq!(answer["error"]["code"], code, "{}: {answer}", &body[..body.len().min(20)]);
    }
    // A batch, whose one member is no request, however deep it is.
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let answer = body_of(&exchange(door, &post(&deep)));
    assert_eq!(answer[0]["error"]["code"], -32600, "{answer}");
}

fn batches(node: &NodeProcess) {
    let batch = |calls: usize| {
        let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": [] });
        body_of(&exchange(node.door("http"), &post(&Value::from(vec![call; calls]).to_string())))
    };
    assert_eq!(batch(1000).as_array().map(Vec::len), Some(1000));
    let refused = batch(1001);
    assert!(refused["error"]["code"].is_number(), "{refused}");
}

#[test]
fn a_sender_of_a_hundred_thousand_transactions_does_not_fill_the_node() {
    let datadir = TempDir::new().expect("a directory");
    let node = NodeProcess::start(datadir.path(), &["--network", "dev"]);
    let (mut taken, mut refused) = (0_usize, 0_usize);
    let proposed = proposing_meanwhile(&node, || {
        // The second half first: nothing of it can be executed before the first half is there.
        for start in (50_000..100_000).step_by(500).chain((0..50_000).step_by(500)) {
            for answer in send_transfers(&node, start..start + 500) {
                let is_taken = answer["result"].is_string();
                assert!(is_taken || answer["error"]["code"].is_number(), "{answer}");
                taken += usize::from(is_taken);
                refused += usize::from(!is_taken);
            }
        }
    });
    assert_eq!(taken + refused, 100_000);
    assert!(refused > 10_000, "{refused} refused: a sender has a limit");
    assert!(proposed >= 10, "{proposed} blocks during the flood");
    let head = node.call("eth_getTransactionCount", &json!([SENDER, "latest"]));
    assert_ne!(head["result"], "0x0", "none of the transactions came into a block");
}

/// The account that sends transfers.
const SENDER: &str = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266";

fn send_transfers(node: &NodeProcess, nonces: Range<u64>) -> Vec<Value> {
    let call = |nonce| json!({ "jsonrpc": "2.0", "id": nonce, "method": "eth_sendRawTransaction", "params": [transfer(nonce)] });
    let calls: Vec<Value> = nonces.map(call).collect();
    let mut answers = body_of(&exchange(node.door("http"), &post(&Value::from(calls).to_string())));
    std::mem::take(answers.as_array_mut().unwrap_or_else(|| panic!("no answers")))
}
