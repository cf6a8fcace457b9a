//! The request and response files of execution-apis, asked of this crate alone.

use std::time::Duration;

use alloy_primitives::{Bytes, U64};
use balsa_executor::Parent;
use balsa_simulate::{
    Base, CallError, CallOutcome, Limits, Question, SimulateRequest, SimulatedBlock, call, create_access_list,
    estimate_gas, fault_text, revert_message, simulate_blocks,
};
use serde_json::{Value, json};

use crate::support::{TestChain, vectors};

struct Fixture(TestChain);

impl Fixture {
    fn block(&self, block: Option<&Value>) -> Option<Parent> {
        let view = self.0.chain.view();
        let hash = match block.and_then(Value::as_str) {
            None | Some("latest") => view.head().hash(),
            Some(number) => {
                let number: U64 = serde_json::from_value(json!(number)).ok()?;
                view.canonical_hash(number.to()).unwrap()?
            }
        };
        view.parent(&hash)
    }

    /// The answer as far as this crate gives it; `None` for blocks that are not there.
    fn answer(&self, method: &str, params: &[Value]) -> Option<Value> {
        let block = self.block(params.get(1))?;
        let base = Base { block: &block, spec: self.0.chain.view().spec() };
        let limits = Limits { timeout: Duration::ZERO, ..Limits::default() };
        if method == "eth_simulateV1" {
            let request: SimulateRequest = serde_json::from_value(params[0].clone()).unwrap();
            return Some(match simulate_blocks(base, request, &limits) {
                Ok(blocks) => json!({ "result": blocks.iter().map(block_json).collect::<Vec<_>>() }),
                Err(error) => error_json(error.code(), error.to_string(), error.data()),
            });
        }
        let question = Question { request: serde_json::from_value(params[0].clone()).unwrap(), ..Question::default() };
        let answer = match method {
            "eth_call" => call(base, &question, &limits).map(|output| json!(output)),
            "eth_estimateGas" => estimate_gas(base, &question, &limits).map(|gas| json!(U64::from(gas))),
            "eth_createAccessList" => create_access_list(base, &question, &limits).map(|made| {
                let mut result = json!({ "accessList": made.access_list, "gasUsed": U64::from(made.gas_used) });
                if let Some(error) = made.error {
                    result["error"] = json!(error);
                }
                result
            }),
            other => panic!("{other}"),
        };
        Some(answer.map_or_else(call_error_json, |result| json!({ "result": result })))
    }
}

fn call_error_json(error: CallError) -> Value {
    error_json(error.code(), error.to_string(), error.data())
}

fn error_json(code: i32, message: String, data: Option<&Bytes>) -> Value {
    let mut error = json!({ "code": code, "message": message });
    if let Some(data) = data {
        error["data"] = json!(data);
    }
    json!({ "error": error })
}

/// What decides a simulated block: its hash covers all of its header.
fn block_json(block: &SimulatedBlock) -> Value {
    json!({
        "hash": block.hash,
        "size": U64::from(block.rlp_len),
        "transactions": block.transactions.iter().map(|transaction| transaction.hash).collect::<Vec<_>>(),
        "calls": block.calls.iter().enumerate().map(|(index, call)| call_json(block, index, call)).collect::<Vec<_>>(),
    })
}

fn call_json(block: &SimulatedBlock, index: usize, call: &CallOutcome) -> Value {
    let log = |log: &balsa_evm::CallLog| {
        json!({
            "address": log.log.address, "topics": log.log.topics(), "data": log.log.data.data,
            "blockNumber": U64::from(block.header.number), "blockHash": block.hash,
            "blockTimestamp": U64::from(block.header.timestamp),
            "transactionHash": block.transactions[index].hash, "transactionIndex": U64::from(index),
            "logIndex": U64::from(log.index), "removed": false,
        })
    };
    let mut json = json!({
        "returnData": call.output,
        "logs": call.logs.iter().map(log).collect::<Vec<_>>(),
        "gasUsed": U64::from(call.gas_used),
        "maxUsedGas": U64::from(call.max_used_gas),
        "status": U64::from(u64::from(call.failure.is_none())),
    });
    if let Some(failure) = &call.failure {
        json["error"] = match failure.fault {
            balsa_evm::Fault::Reverted => {
                json!({ "code": 3, "message": revert_message(&failure.revert_data), "data": failure.revert_data })
            }
            fault => json!({ "code": -32015, "message": fault_text(fault) }),
        };
    }
    json
}

/// The expected answer, reduced to what [`block_json`] gives.
fn reduced(method: &str, mut answer: Value) -> Value {
    let Some(object) = answer.as_object_mut() else { panic!("{answer}") };
    object.retain(|key, _| key == "result" || key == "error");
    if let (true, Some(blocks)) = (method == "eth_simulateV1", answer.get_mut("result").and_then(Value::as_array_mut)) {
        for block in blocks {
            let hash = |transaction: &Value| transaction.get("hash").unwrap_or(transaction).clone();
            let hashes: Vec<_> = block["transactions"].as_array().unwrap().iter().map(hash).collect();
            block["transactions"] = json!(hashes);
            block.as_object_mut().unwrap().retain(|key, _| ["hash", "size", "transactions", "calls"].contains(&&**key));
        }
    }
    answer
}

fn same_form(answer: &Value, expected: &Value) -> bool {
    answer.get("result").is_some() == expected.get("result").is_some()
        && answer.get("error").map(|error| &error["code"]) == expected.get("error").map(|error| &error["code"])
}

#[test]
fn answers_are_those_of_the_specification() {
    let fixture = Fixture(TestChain::open(&vectors()));
    let (mut asked, mut wrong) = (0, Vec::new());
    for method in ["eth_call", "eth_estimateGas", "eth_createAccessList", "eth_simulateV1"] {
        let mut files: Vec<_> =
            std::fs::read_dir(vectors().join(method)).unwrap().map(|file| file.unwrap().path()).collect();
        files.sort();
        for file in files {
            let text = std::fs::read_to_string(&file).unwrap();
            let lines = |start: &str| text.lines().filter_map(|line| line.strip_prefix(start)).collect::<Vec<_>>();
            for (request, expected) in lines(">> ").into_iter().zip(lines("<< ")) {
                let request: Value = serde_json::from_str(request).unwrap();
                let expected = reduced(method, serde_json::from_str(expected).unwrap());
                asked += 1;
                let name = file.file_stem().unwrap().to_string_lossy().into_owned();
                match fixture.answer(method, request["params"].as_array().unwrap()) {
                    Some(answer) if answer == expected => {}
                    None if expected["error"]["message"] == "header not found" => {}
                    // Only the form is given there.
                    Some(answer) if text.contains("speconly") && same_form(&answer, &expected) => {}
                    answer => wrong.push(format!("{name}\n  have {}\n  want {expected}", answer.unwrap_or_default())),
                }
            }
        }
    }
    let shown: String = wrong.join("\n").chars().take(20_000).collect();
    assert!(wrong.is_empty(), "{} of {asked} are wrong:\n{shown}", wrong.len());
    assert!(asked >= 108, "{asked} asked");
}
