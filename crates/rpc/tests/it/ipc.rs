//! JSON-RPC over a Unix socket.

use std::{
    io::{BufRead, BufReader, Write},
    net::Shutdown,
    os::unix::{fs::PermissionsExt, net::UnixStream},
};

use balsa_rpc::Limits;
use serde_json::json;

use crate::support::{answer_of, open_doors, request, small_chain};

#[test]
fn messages_need_no_ends_and_faults_end_nothing() {
    let node = open_doors(small_chain(), Limits::public());
    assert_eq!(std::fs::metadata(node.ipc()).unwrap().permissions().mode() & 0o777, 0o600);
    let mut stream = UnixStream::connect(node.ipc()).unwrap();
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let mut say = |text: &str| {
        stream.write_all(text.as_bytes()).unwrap();
        answer_of(&lines.next().unwrap().unwrap())
    };
    assert_eq!(say("nonsense\n"), Err(-32700));
    assert_eq!(say("[}"), Err(-32700));
    assert_eq!(say(&request(1, "eth_chainId", json!([]))), Ok(json!("0x539")));
    assert_eq!(say(&request(1, "web3_sha3", json!([1]))), Err(-32602));
}

#[test]
fn what_was_asked_before_the_end_is_answered() {
    let node = open_doors(small_chain(), Limits { messages_in_flight_max: 2, ..Limits::public() });
    let mut stream = UnixStream::connect(node.ipc()).unwrap();
    stream.write_all(request(1, "eth_chainId", json!([])).repeat(50).as_bytes()).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(BufReader::new(stream).lines().count(), 50);
}

#[test]
fn what_is_too_long_ends_the_connection() {
    let node = open_doors(small_chain(), Limits { request_bytes_max: 1000, ..Limits::public() });
    let mut stream = UnixStream::connect(node.ipc()).unwrap();
    stream.write_all("[".repeat(1001).as_bytes()).unwrap();
    let answers: Vec<String> = BufReader::new(stream).lines().map_while(Result::ok).collect();
    assert_eq!(answers.len(), 1);
    assert_eq!(answer_of(&answers[0]), Err(-32600));
}

#[test]
fn large_messages_share_the_room_of_all_doors() {
    let node = open_doors(small_chain(), Limits { reading_bytes_max: 1 << 20, ..Limits::public() });
    let call = |bytes: usize| {
        let request = request(1, "eth_chainId", json!([]));
        // Blanks inside, so that they belong to it.
        format!("{}{}{}", &request[..1], " ".repeat(bytes), &request[1..])
    };
    let answers = |text: String| -> Vec<_> {
        let mut stream = UnixStream::connect(node.ipc()).unwrap();
        // The server may be gone before all is sent.
        let _ = stream.write_all(text.as_bytes());
        let _ = stream.shutdown(Shutdown::Write);
        BufReader::new(stream).lines().map_while(Result::ok).map(|line| answer_of(&line)).collect()
    };
    assert_eq!(answers(call(700 << 10)), [Ok(json!("0x539"))]);
    assert_eq!(answers(call(2 << 20)), [Err(-32005)]);
    assert_eq!(answers(call(700 << 10)), [Ok(json!("0x539"))]);
}
