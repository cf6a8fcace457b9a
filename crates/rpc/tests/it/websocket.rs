//! JSON-RPC over WebSocket.

use std::net::TcpStream;

use balsa_rpc::Limits;
use serde_json::json;
use tungstenite::{Message, WebSocket, client::IntoClientRequest, http::HeaderValue};

use crate::support::{TestNode, answer_of, open_doors, request, small_chain};

fn connect(node: &TestNode, origin: Option<&'static str>) -> Option<WebSocket<TcpStream>> {
    let mut request = format!("ws://{}", node.ws()).into_client_request().unwrap();
    if let Some(origin) = origin {
        request.headers_mut().insert("origin", HeaderValue::from_static(origin));
    }
    tungstenite::client(request, TcpStream::connect(node.ws()).unwrap()).ok().map(|(socket, _)| socket)
}

#[test]
fn calls_are_answered_and_faults_end_nothing() {
    let node = open_doors(small_chain(), Limits::public());
    let mut socket = connect(&node, None).unwrap();
    let mut say = |text: &str| {
        socket.send(Message::text(text)).unwrap();
        answer_of(socket.read().unwrap().to_text().unwrap())
    };
    assert_eq!(say("{"), Err(-32700));
    assert_eq!(say(&"[".repeat(100_000)), Err(-32700));
    assert_eq!(say("[]"), Err(-32600));
    assert_eq!(say(&request(1, "eth_chainId", json!([]))), Ok(json!("0x539")));
    socket.send(Message::binary(request(1, "eth_chainId", json!([])))).unwrap();
    assert_eq!(answer_of(socket.read().unwrap().to_text().unwrap()), Ok(json!("0x539")));
}

#[test]
fn more_calls_than_run_at_once_are_all_answered() {
    let node = open_doors(small_chain(), Limits { messages_in_flight_max: 2, ..Limits::public() });
    let mut socket = connect(&node, None).unwrap();
    for id in 0..100 {
        socket.send(Message::text(request(id, "eth_chainId", json!([])))).unwrap();
    }
    let mut ids: Vec<u64> = (0..100)
        .map(|_| {
            let answer: serde_json::Value = serde_json::from_str(socket.read().unwrap().to_text().unwrap()).unwrap();
            answer["id"].as_u64().unwrap()
        })
        .collect();
    ids.sort_unstable();
    assert!(ids.iter().copied().eq(0..100));
}

#[test]
fn pages_of_other_origins_are_refused() {
    let node = open_doors(small_chain(), Limits::public());
    assert!(connect(&node, Some("http://evil.example")).is_none());
    assert!(connect(&node, Some("http://wallet.example")).is_some());
}

#[test]
fn a_message_that_is_too_long_ends_the_connection_only() {
    let node = open_doors(small_chain(), Limits { request_bytes_max: 1000, ..Limits::public() });
    let mut socket = connect(&node, None).unwrap();
    socket.send(Message::text(" ".repeat(1001))).unwrap();
    assert!(socket.read().is_err() || socket.read().is_err());
    let mut socket = connect(&node, None).unwrap();
    socket.send(Message::text(request(1, "eth_chainId", json!([])))).unwrap();
    assert_eq!(answer_of(socket.read().unwrap().to_text().unwrap()), Ok(json!("0x539")));
}

#[test]
fn large_messages_share_the_room_of_all_doors() {
    let limits = Limits { reading_bytes_max: 1 << 20, ..Limits::public() };
    let node = open_doors(small_chain(), limits);
    // A call with so many bytes of blanks.
    let call = |bytes: usize| Message::text(request(1, "eth_chainId", json!([])) + &" ".repeat(bytes));
    let mut socket = connect(&node, None).unwrap();
    for _ in 0..3 {
        // Its room is given back with the answer.
        socket.send(call(700 << 10)).unwrap();
        assert_eq!(answer_of(socket.read().unwrap().to_text().unwrap()), Ok(json!("0x539")));
    }
    // The server may be gone before all is sent.
    let _ = socket.send(call(2 << 20));
    assert!(socket.read().is_err(), "there is no room for it");
    let mut another = connect(&node, None).unwrap();
    another.send(call(700 << 10)).unwrap();
    assert_eq!(answer_of(another.read().unwrap().to_text().unwrap()), Ok(json!("0x539")));
}
