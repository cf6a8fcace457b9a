//! Traces against those of go-ethereum.
//!
//! `eip3155/*.jsonl` is what `evm statetest --trace` of go-ethereum 1.17.10 writes to standard error for the test of the
//! same name, whose contracts fail in most of the ways there are. The tests' expected roots are zero: it is the
//! trace, closed by the state root, that is compared.
#![allow(missing_docs, reason = "a test has no users")]

use balsa_vectors::fixture::Kind;
use balsa_vectors::{Options, TraceOutput, session};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/eip3155")
}

fn trace(test: &Path) -> String {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let options = Options { trace: Some(TraceOutput::new(lines.clone())), jobs: 1, ..Options::default() };
    let report = session::run(&[Kind::State], &[test.to_owned()], &options);
    assert!(report.faults.is_empty(), "{:?}", report.faults);
    String::from_utf8(std::mem::take(&mut *lines.lock().unwrap())).unwrap()
}

/// Instructions whose price depends on the state.
const PRICED_BY_STATE: [&str; 5] = ["SSTORE", "CALL", "CREATE", "SELFDESTRUCT", "EXP"];

/// What such an instruction costs that runs out of gas is the one thing that may differ.
fn without_price_of_failure(line: &str) -> String {
    let depends = PRICED_BY_STATE.iter().any(|name| line.contains(name) && !line.contains("CALLDATA"));
    let may_differ = depends && line.contains("out of gas");
    let Some((before, after)) = line.split_once(r#""gasCost":""#).filter(|_| may_differ) else {
        return line.to_owned();
    };
    format!("{before}{}", after.split_once('"').unwrap().1)
}

fn check(fork: &str) {
    let golden = std::fs::read_to_string(folder().join(format!("{fork}.jsonl"))).unwrap();
    let ours = trace(&folder().join(format!("{fork}.json")));
    for (number, (ours, golden)) in ours.lines().zip(golden.lines()).enumerate() {
        let (ours, golden) = (without_price_of_failure(ours), without_price_of_failure(golden));
        assert_eq!(ours, golden, "{fork}, line {}", number + 1);
    }
    assert_eq!(ours.lines().count(), golden.lines().count(), "{fork}");
}

#[test]
fn frontier() {
    check("frontier");
}

#[test]
fn byzantium() {
    check("byzantium");
}

#[test]
fn berlin() {
    check("berlin");
}

#[test]
fn prague() {
    check("prague");
}

#[test]
fn osaka() {
    check("osaka");
}
