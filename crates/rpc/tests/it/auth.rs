//! The authenticated door.

use std::time::{SystemTime, UNIX_EPOCH};

use balsa_rpc::{JwtSecret, Limits};
use serde_json::json;
use tungstenite::{client::IntoClientRequest, http::HeaderValue};

use crate::support::{SECRET, answer_of, http, http_with, open_doors, request, small_chain};

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

#[test]
fn every_request_must_be_signed() {
    let node = open_doors(small_chain(), Limits::public());
    let body = request(1, "eth_chainId", json!([]));
    let status = |bearer: &str| http_with(node.auth(), &[("authorization", bearer)], &body).status;
    let secret = JwtSecret::new(SECRET);
    assert_eq!(status(&format!("Bearer {}", secret.token(now()))), 200);
    assert_eq!(http(node.auth(), &body).status, 401);
    assert_eq!(status(&secret.token(now())), 401);
    assert_eq!(status(&format!("Bearer {}", secret.token(now() - 120))), 401);
    assert_eq!(status(&format!("Bearer {}", secret.token(now() + 120))), 401);
    assert_eq!(status(&format!("Bearer {}", JwtSecret::new([1; 32]).token(now()))), 401);
    // {"alg":"none"}, {"iat":<now>}
    let none = secret.token(now()).split('.').nth(1).map(|claims| format!("Bearer eyJhbGciOiJub25lIn0.{claims}."));
    assert_eq!(status(&none.unwrap()), 401);
}

#[test]
fn only_what_the_specification_names_is_offered() {
    let node = open_doors(small_chain(), Limits::public());
    let bearer = format!("Bearer {}", JwtSecret::new(SECRET).token(now()));
    let call = |method: &str| {
        let answer = http_with(node.auth(), &[("authorization", &bearer)], &request(1, method, json!([])));
        answer_of(&answer.body)
    };
    assert_eq!(call("eth_chainId"), Ok(json!("0x539")));
    assert_eq!(call("net_version"), Err(-32601));
    assert_eq!(call("eth_gasPrice"), Err(-32601));
}

#[test]
fn a_websocket_is_signed_once() {
    let node = open_doors(small_chain(), Limits::public());
    let connect = |bearer: Option<String>| {
        let mut request = format!("ws://{}", node.auth()).into_client_request().unwrap();
        if let Some(bearer) = bearer {
            request.headers_mut().insert("authorization", HeaderValue::from_str(&bearer).unwrap());
        }
        tungstenite::client(request, std::net::TcpStream::connect(node.auth()).unwrap()).ok()
    };
    assert!(connect(None).is_none());
    assert!(connect(Some("Bearer a.b.c".into())).is_none());
    let (mut socket, _) = connect(Some(format!("Bearer {}", JwtSecret::new(SECRET).token(now())))).unwrap();
    for _ in 0..2 {
        socket.send(request(1, "eth_chainId", json!([])).into()).unwrap();
        assert_eq!(answer_of(socket.read().unwrap().to_text().unwrap()), Ok(json!("0x539")));
    }
}
