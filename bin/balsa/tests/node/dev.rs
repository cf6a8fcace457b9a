//! `--dev`: blocks without a consensus client.

use crate::process::{NodeProcess, PATIENCE};
use alloy_consensus::{EthereumTxEnvelope, SignableTransaction, Signed, TxEip1559, TxEip4844};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B256, Signature, TxKind, U256, b256, hex};
use secp256k1::{Message, SECP256K1, SecretKey};
use serde_json::{Value, json};
use std::{thread, time::Instant};
use tempfile::TempDir;

/// The first account of the phrase that everybody knows.
const KEY: B256 = b256!("0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80");

/// A transaction of that account.
pub(crate) fn signed<T: SignableTransaction<Signature>>(transaction: T) -> EthereumTxEnvelope<TxEip4844>
where
    Signed<T>: Into<EthereumTxEnvelope<TxEip4844>>,
{
    signed_by(&SecretKey::from_byte_array(KEY.0).expect("a key"), transaction)
}

pub(crate) fn signed_by<T: SignableTransaction<Signature>>(
    key: &SecretKey,
    transaction: T,
) -> EthereumTxEnvelope<TxEip4844>
where
    Signed<T>: Into<EthereumTxEnvelope<TxEip4844>>,
{
    let message = Message::from_digest(transaction.signature_hash().0);
    let (recovery, bytes) = SECP256K1.sign_ecdsa_recoverable(message, key).serialize_compact();
    let (r, s) = (U256::from_be_slice(&bytes[..32]), U256::from_be_slice(&bytes[32..]));
    transaction.into_signed(Signature::new(r, s, i32::from(recovery) == 1)).into()
}

pub(crate) fn transfer(nonce: u64) -> String {
    let transaction = TxEip1559 {
        chain_id: 1337,
        nonce,
        gas_limit: 500_000,
        max_fee_per_gas: 100_000_000_000,
        max_priority_fee_per_gas: 2_000_000_000,
        to: TxKind::Call(Address::repeat_byte(0xbb)),
        value: U256::from(1),
        ..TxEip1559::default()
    };
    hex::encode_prefixed(signed(transaction).encoded_2718())
}

pub(crate) fn number(node: &NodeProcess) -> u64 {
    let answer = node.call("eth_blockNumber", &json!([]));
    let text = answer["result"].as_str().unwrap_or_else(|| panic!("{answer}"));
    u64::from_str_radix(text.trim_start_matches("0x"), 16).expect("a number")
}

/// Asks until the answer is there.
pub(crate) fn wait_for(what: &str, mut found: impl FnMut() -> Option<Value>) -> Value {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = found() {
            return value;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        thread::yield_now();
    }
}

#[test]
fn a_transaction_makes_a_block() {
    let datadir = TempDir::new().expect("a directory");
    let node = NodeProcess::start(datadir.path(), &["--dev"]);
    assert_eq!(number(&node), 0, "no block without a transaction");
    for nonce in 0..3 {
        let sent = node.call("eth_sendRawTransaction", &json!([transfer(nonce)]));
        assert!(sent["result"].is_string(), "{sent}");
        let receipt = wait_for("the receipt", || {
            let mut answer = node.call("eth_getTransactionReceipt", &json!([sent["result"]]));
            Some(answer["result"].take()).filter(|result| result.is_object())
        });
        assert_eq!(receipt["status"], "0x1", "{receipt}");
    }
    let receipt = node.call("eth_sendRawTransactionSync", &json!([transfer(3)]));
    assert_eq!(receipt["result"]["status"], "0x1", "{receipt}");
    let head = number(&node);
    assert!((2..=4).contains(&head), "{head}");
    assert!(node.terminate().success());

    // What was sealed is there after a restart.
    let node = NodeProcess::start(datadir.path(), &["--dev"]);
    assert_eq!(number(&node), head);
}

#[test]
fn blocks_come_by_the_clock() {
    let datadir = TempDir::new().expect("a directory");
    let node = NodeProcess::start(datadir.path(), &["--dev", "--dev.period", "100ms"]);
    wait_for("three blocks", || (number(&node) >= 3).then_some(Value::Null));
}
