//! What an independent consensus driver sent to an independent client, sent to this one: 140 payloads from Prague to
//! Amsterdam with the fork choices between them. Every answer must be the recorded one.

use crate::process::{NodeProcess, vectors};
use serde_json::Value;
use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
};
use tempfile::TempDir;

/// One recorded call.
pub(crate) struct Recorded {
    pub(crate) method: String,
    pub(crate) params: Value,
    result: Value,
}

impl Recorded {
    /// The hash of the payload that the call brings.
    pub(crate) fn payload_hash(&self) -> Option<&Value> {
        self.params[0].get("blockHash")
    }
}

pub(crate) fn recorded(folder: &Path) -> Vec<Recorded> {
    let file = File::open(folder.join("engine.jsonl.zst")).expect("the recording");
    let mut decoder = zstd::Decoder::new(file).expect("zstd");
    decoder.window_log_max(27).expect("a large window");
    let read = |line: std::io::Result<String>| {
        let mut value: Value = serde_json::from_str(&line.expect("a line")).expect("JSON");
        let method = value["method"].as_str().expect("a method").to_owned();
        Recorded { method, params: value["params"].take(), result: value["result"].take() }
    };
    BufReader::new(decoder).lines().map(read).collect()
}

/// Sends a call and compares the verdicts; identifiers of payloads are each client's own.
pub(crate) fn replay(node: &NodeProcess, recorded: &Recorded, position: usize) {
    let Recorded { method, params, result } = recorded;
    let answer = node.engine(method, params);
    let (found, expected) = (&answer["result"], result);
    let place = format!("call {position}, {method}: {answer}");
    if expected.get("payloadStatus").is_none() {
        assert_eq!(found["status"], expected["status"], "{place}");
        assert_eq!(found["latestValidHash"], expected["latestValidHash"], "{place}");
        return;
    }
    assert_eq!(found["payloadStatus"]["status"], expected["payloadStatus"]["status"], "{place}");
    assert_eq!(found["payloadStatus"]["latestValidHash"], expected["payloadStatus"]["latestValidHash"], "{place}");
    assert_eq!(found["payloadId"].is_null(), expected["payloadId"].is_null(), "{place}");
}

pub(crate) fn start(datadir: &Path, folder: &Path) -> NodeProcess {
    let genesis = folder.join("genesis.json");
    NodeProcess::start(datadir, &["--network", genesis.to_str().expect("a path")])
}

fn head_of(recorded: &[Recorded]) -> &Value {
    let choices = recorded.iter().rev().filter(|call| call.method.starts_with("engine_forkchoiceUpdated"));
    choices.map(|call| &call.params[0]["headBlockHash"]).next().expect("a fork choice")
}

/// Calls before a kill whose blocks may not be on disk: those that waited for the persister.
const LOST_CALLS_MAX: usize = 60;

#[test]
fn every_recorded_call_is_answered_as_it_was() {
    let Some(folder) = vectors("amsterdam-devnet") else { return };
    let recorded = recorded(&folder);
    assert_eq!(recorded.len(), 420);
    let datadir = TempDir::new().expect("a directory");
    let node = start(datadir.path(), &folder);
    for (position, call) in recorded.iter().enumerate() {
        replay(&node, call, position);
    }
    let number = node.engine("eth_blockNumber", &serde_json::json!([]));
    assert_eq!(number["result"], "0x8c", "{number}");
    assert!(node.terminate().success());
}

#[test]
fn a_killed_node_finds_its_head_again() {
    let Some(folder) = vectors("amsterdam-devnet") else { return };
    let recorded = recorded(&folder);
    let datadir = TempDir::new().expect("a directory");
    let (first, second) = recorded.split_at(recorded.len() / 2);
    let node = start(datadir.path(), &folder);
    for (position, call) in first.iter().enumerate() {
        replay(&node, call, position);
    }
    node.kill();

    // The head is the same or an ancestor of it: the consensus client sends what the node may have lost, and goes on.
    let node = start(datadir.path(), &folder);
    let again = first.len() - LOST_CALLS_MAX;
    for (position, call) in first.iter().enumerate().skip(again) {
        if call.method.starts_with("engine_newPayload") {
            replay(&node, call, position);
        }
    }
    let choice = serde_json::json!([{
        "headBlockHash": head_of(first),
        "safeBlockHash": "0x0000000000000000000000000000000000000000000000000000000000000000",
        "finalizedBlockHash": "0x0000000000000000000000000000000000000000000000000000000000000000",
    }, null]);
    let answer = node.engine("engine_forkchoiceUpdatedV4", &choice);
    assert_eq!(answer["result"]["payloadStatus"]["status"], "VALID", "{answer}");
    for (position, call) in second.iter().enumerate() {
        replay(&node, call, first.len() + position);
    }
    assert!(node.terminate().success());
}
