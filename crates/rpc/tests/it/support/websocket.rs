//! A client over WebSocket.

use std::{net::TcpStream, time::Duration};

use serde_json::Value;
use tungstenite::WebSocket;

use super::{TestNode, answer_of, request};

pub(crate) fn connect(node: &TestNode) -> WebSocket<TcpStream> {
    let stream = TcpStream::connect(node.ws()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    tungstenite::client(format!("ws://{}", node.ws()), stream).unwrap().0
}

/// Calls a method; what comes next must be the answer.
pub(crate) fn say(socket: &mut WebSocket<TcpStream>, method: &str, params: Value) -> Result<Value, i64> {
    socket.send(request(1, method, params).into()).unwrap();
    answer_of(socket.read().unwrap().to_text().unwrap())
}
