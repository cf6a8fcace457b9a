//! The state after a test of blocks, against what go-ethereum shows.
//!
//! `dump/blocks.json` is a test of the official suites in which a contract creates another with storage;
//! `dump/blocks.dump.json` is what `evm blocktest --dump` of go-ethereum 1.17.10 writes for it.
#![allow(missing_docs, reason = "a test has no users")]

use balsa_vectors::fixture::Kind;
use balsa_vectors::{Options, session};
use serde_json::Value;
use std::path::Path;

fn file(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dump");
    std::fs::read_to_string(folder.join(name)).unwrap()
}

/// What is reported of a file of tests.
fn reported(tests: &str) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("blocks.json");
    std::fs::write(&path, tests).unwrap();
    let options = Options { dump: true, jobs: 1, ..Options::default() };
    let report = session::run(&[Kind::Blockchain], &[path], &options);
    assert!(report.faults.is_empty(), "{:?}", report.faults);
    serde_json::to_value(&report.outcomes).unwrap()
}

fn golden() -> Value {
    serde_json::from_str(&file("blocks.dump.json")).unwrap()
}

#[test]
fn the_state_after_blocks_is_shown() {
    assert_eq!(reported(&file("blocks.json")), golden());
}

#[test]
fn the_state_after_blocks_is_shown_of_a_test_that_fails() {
    let mut tests: Value = serde_json::from_str(&file("blocks.json")).unwrap();
    let test = tests.as_object_mut().unwrap().values_mut().next().unwrap();
    test["lastblockhash"] = test["genesisBlockHeader"]["hash"].clone();
    let reported = reported(&tests.to_string());
    assert_eq!(reported[0]["pass"], false);
    assert_eq!(reported[0]["state"], golden()[0]["state"]);
}
