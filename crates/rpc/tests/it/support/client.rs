//! An HTTP client of a few lines: one request a connection.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use balsa_rpc::JwtSecret;
use serde_json::{Value, json};

use super::{SECRET, TestNode};

/// How long a test waits for an answer.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(60);

/// An answer over HTTP.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

/// Sends bytes as they are, and reads until the server closes.
pub(crate) fn raw_http(address: SocketAddr, bytes: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(ANSWER_TIME_MAX)).unwrap();
    // A server that refuses by the head alone may close before all is sent.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let text = String::from_utf8_lossy(&answer);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
    Answer { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
}

/// Posts a body with further header lines.
pub(crate) fn http_with(address: SocketAddr, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut request = format!("POST / HTTP/1.1\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
    let defaults = [("host", "localhost"), ("content-type", "application/json")];
    let missing = defaults.iter().filter(|(name, _)| !headers.iter().any(|(given, _)| given == name));
    for (name, value) in headers.iter().chain(missing) {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    raw_http(address, (request + "\r\n" + body).as_bytes())
}

/// Posts a body.
pub(crate) fn http(address: SocketAddr, body: &str) -> Answer {
    http_with(address, &[], body)
}

/// A request.
pub(crate) fn request(id: u64, method: &str, params: Value) -> String {
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).to_string()
}

/// Result or error of a call over HTTP.
pub(crate) fn call(address: SocketAddr, method: &str, params: Value) -> Result<Value, i64> {
    answer_of(&http(address, &request(1, method, params)).body)
}

/// Result of a call of the Engine API.
pub(crate) fn engine(node: &TestNode, method: &str, params: Value) -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let bearer = format!("Bearer {}", JwtSecret::new(SECRET).token(now));
    let answer = http_with(node.auth(), &[("authorization", &bearer)], &request(1, method, params));
    answer_of(&answer.body).unwrap_or_else(|code| panic!("{method}: {code}: {}", answer.body))
}

/// Result or error in an answer.
pub(crate) fn answer_of(text: &str) -> Result<Value, i64> {
    let answer: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text:?}"));
    assert_eq!(answer["jsonrpc"], "2.0", "{text}");
    match answer.get("error") {
        Some(error) => Err(error["code"].as_i64().unwrap()),
        None => Ok(answer["result"].clone()),
    }
}
