//! Payloads as a consensus client sees them come: soon, and better the longer it waits.

use crate::{
    dev::{signed_by, transfer},
    floods::{body_of, post},
    process::{NodeProcess, exchange},
    proposer::{AMSTERDAM, Proposer, fund, genesis},
};
use alloy_consensus::TxEip1559;
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, TxKind, U256, hex, keccak256};
use secp256k1::{SECP256K1, SecretKey};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Senders that fill the pool, and transactions of each: more than two blocks of 60 million gas.
const SENDERS: u64 = 600;
const TRANSACTIONS_EACH: u64 = 10;

/// How often a full payload is built for the figures.
const ROUNDS: usize = 9;

/// What any round may take on a busy machine. What it is to take on a quiet one is 50 ms, which is printed.
const ROUND_MAX: Duration = Duration::from_secs(2);

fn key(number: u64) -> SecretKey {
    SecretKey::from_byte_array(keccak256(number.to_be_bytes()).0).expect("a key")
}

fn address(key: &SecretKey) -> Address {
    Address::from_raw_public_key(&key.public_key(SECP256K1).serialize_uncompressed()[1..])
}

fn payment(key: &SecretKey, nonce: u64, tip: u128) -> Value {
    let transaction = TxEip1559 {
        chain_id: 1337,
        nonce,
        gas_limit: 60_000,
        max_fee_per_gas: 100_000_000_000,
        max_priority_fee_per_gas: tip,
        to: TxKind::Call(address(key)),
        value: U256::from(1),
        ..TxEip1559::default()
    };
    let bytes = hex::encode_prefixed(signed_by(key, transaction).encoded_2718());
    json!({ "jsonrpc": "2.0", "id": nonce, "method": "eth_sendRawTransaction", "params": [bytes] })
}

/// A node whose pool is full.
fn full_node(datadir: &TempDir) -> NodeProcess {
    let keys: Vec<_> = (0..SENDERS).map(key).collect();
    let genesis = genesis(datadir.path(), |genesis| fund(genesis, keys.iter().map(address)));
    let arguments = ["--http.api", "eth,txpool", "--network", genesis.to_str().expect("a path")];
    let node = NodeProcess::start(&datadir.path().join("db"), &arguments);
    for senders in keys.chunks(50) {
        let of_sender =
            |key| (0..TRANSACTIONS_EACH).map(move |nonce| payment(key, nonce, 1_000_000_000 + 7 * u128::from(nonce)));
        let batch: Vec<Value> = senders.iter().flat_map(of_sender).collect();
        let answers = body_of(&exchange(node.door("http"), &post(&Value::from(batch).to_string())));
        let refused = answers.as_array().and_then(|all| all.iter().find(|answer| !answer["result"].is_string()));
        assert!(refused.is_none(), "{refused:?}");
    }
    let status = node.call("txpool_status", &json!([]));
    assert_eq!(status["result"]["pending"], json!(format!("{:#x}", SENDERS * TRANSACTIONS_EACH)), "{status}");
    node
}

#[test]
#[expect(clippy::print_stdout, reason = "the figures")]
fn a_full_payload_is_there_at_once() {
    let datadir = TempDir::new().expect("a directory");
    let node = full_node(&datadir);
    let mut proposer = Proposer::new(&node, AMSTERDAM);
    let mut times = Vec::new();
    let mut last = Value::Null;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let id = proposer.begin();
        last = proposer.fetch(&id);
        times.push(start.elapsed());
        let transactions = last["executionPayload"]["transactions"].as_array().map_or(0, Vec::len);
        assert!(transactions > 2_000, "{transactions} transactions: the payload is not full");
    }
    times.sort_unstable();
    let (median, worst) = (times[ROUNDS / 2], times[ROUNDS - 1]);
    println!(
        "asked for, built and fetched: {} transactions, {} gas, of {} pending; median {median:?}, worst {worst:?}",
        last["executionPayload"]["transactions"].as_array().map_or(0, Vec::len),
        last["executionPayload"]["gasUsed"],
        SENDERS * TRANSACTIONS_EACH,
    );
    assert!(worst < ROUND_MAX, "{times:?}");
    proposer.bring(&last, &[]);
}

#[test]
fn a_payload_is_improved_until_it_is_fetched() {
    let datadir = TempDir::new().expect("a directory");
    let node = NodeProcess::start(datadir.path(), &["--network", "dev", "--log.level", "debug"]);
    let mut proposer = Proposer::new(&node, AMSTERDAM);
    let id = proposer.begin();
    let built = |count: u64| node.logged("built a payload", |fields| fields["transactions"] == count);
    built(0);
    for count in 1..=3 {
        let sent = node.call("eth_sendRawTransaction", &json!([transfer(count - 1)]));
        assert!(sent["result"].is_string(), "{sent}");
        assert_eq!(built(count)["id"], id);
    }
    let fetched = proposer.fetch(&id);
    assert_eq!(fetched["executionPayload"]["transactions"].as_array().map(Vec::len), Some(3));
    // What comes later is for the next payload: this one stays as it is.
    let sent = node.call("eth_sendRawTransaction", &json!([transfer(3)]));
    assert!(sent["result"].is_string(), "{sent}");
    assert_eq!(proposer.fetch(&id), fetched);
    proposer.bring(&fetched, &[]);
    assert_eq!(proposer.propose()["executionPayload"]["transactions"].as_array().map(Vec::len), Some(1));
}
