//! Requests of callers who mean harm: each is answered with an error, soon, and within bounds.

use std::time::{Duration, Instant};

use alloy_primitives::U64;
use balsa_executor::Parent;
use balsa_simulate::{
    Base, CallError, Limits, Question, SimulateRequest, call, create_access_list, estimate_gas, simulate_blocks,
};
use proptest::{
    prelude::{Just, any, prop},
    prop_assert, prop_oneof,
    test_runner::{Config, TestRunner},
};
use serde_json::{Value, json};

use crate::support::{TestChain, vectors};

/// JUMPDEST PUSH1 0 JUMP.
const ENDLESS_LOOP: &str = "0x5b600056";
/// Calls itself with all the gas it has: PUSH1 0 (five times) ADDRESS GAS CALL.
const ENDLESS_RECURSION: &str = "0x60006000600060006000305af1";
const CONTRACT: &str = "0x00000000000000000000000000000000000c0de0";

struct Asked {
    test: TestChain,
    head: Parent,
}

impl Asked {
    fn new() -> Self {
        // Under Amsterdam's rules a call has 2^24 gas to run with, whatever it asks for; here it may have more.
        let test = TestChain::open(&vectors());
        let head = test.chain.view().parent(&test.blocks.last().unwrap().hash).unwrap();
        Self { test, head }
    }

    fn base(&self) -> Base<'_> {
        Base { block: &self.head, spec: self.test.chain.view().spec() }
    }

    fn simulate(&self, request: Value, limits: &Limits) -> Result<usize, i32> {
        let request: SimulateRequest = serde_json::from_value(request).unwrap();
        simulate_blocks(self.base(), request, limits).map(|blocks| blocks.len()).map_err(|error| error.code())
    }
}

fn question(request: Value, state: Value, block: Value) -> Question {
    let [request, state, block] = [request, state, block];
    Question {
        request: serde_json::from_value(request).unwrap(),
        state: serde_json::from_value(state).unwrap(),
        block: serde_json::from_value(block).unwrap(),
    }
}

#[test]
fn what_never_ends_is_ended() {
    let asked = Asked::new();
    let limits = Limits { gas_cap: 0, timeout: Duration::from_millis(200), ..Limits::default() };
    for code in [ENDLESS_LOOP, ENDLESS_RECURSION] {
        let overrides = json!({ CONTRACT: { "code": code } });
        let question = question(json!({ "to": CONTRACT }), overrides.clone(), json!({}));
        let begun = Instant::now();
        if code == ENDLESS_LOOP {
            assert!(matches!(call(asked.base(), &question, &limits), Err(CallError::TimedOut(_))));
            assert!(matches!(create_access_list(asked.base(), &question, &limits), Err(CallError::TimedOut(_))));
            let block = json!({ "stateOverrides": overrides, "calls": [{ "to": CONTRACT, "gas": "0xfffffffffffff" }],
                "blockOverrides": { "gasLimit": "0xffffffffffffffff" } });
            assert_eq!(asked.simulate(json!({ "blockStateCalls": [block] }), &limits), Err(-32016));
        } else {
            // 1024 frames deep, or as deep as gas goes: an answer either way.
            let _ = call(asked.base(), &question, &limits);
            let _ = estimate_gas(asked.base(), &question, &limits);
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    }
}

#[test]
fn gas_is_capped() {
    let asked = Asked::new();
    let overrides = json!({ CONTRACT: { "code": ENDLESS_LOOP } });
    let question = question(json!({ "to": CONTRACT, "gas": "0xffffffffffffffff" }), overrides.clone(), json!({}));
    let error = call(asked.base(), &question, &Limits::default()).unwrap_err();
    assert_eq!(error.to_string(), "out of gas");
    let error = estimate_gas(asked.base(), &question, &Limits::default()).unwrap_err();
    assert_eq!(error.to_string(), "gas required exceeds allowance (16777216)");
    // All calls of a request have one cap together: the second has nothing left to begin with.
    let calls = [json!({ "to": CONTRACT }), json!({ "to": CONTRACT })];
    let block =
        json!({ "stateOverrides": overrides, "calls": calls, "blockOverrides": { "gasLimit": "0xffffffffffff" } });
    assert_eq!(asked.simulate(json!({ "blockStateCalls": [block] }), &Limits::default()), Err(-38013));
}

#[test]
fn numbers_that_no_block_has_are_refused() {
    let asked = Asked::new();
    let max = format!("0x{}", "f".repeat(64));
    for field in ["number", "baseFeePerGas", "blobBaseFee"] {
        let question = question(json!({ "to": CONTRACT }), json!({}), json!({ field: max }));
        assert_eq!(call(asked.base(), &question, &Limits::default()).unwrap_err().code(), -32000, "{field}");
    }
    for field in ["beaconRoot", "withdrawals"] {
        let value = if field == "beaconRoot" { json!(max) } else { json!([]) };
        let question = question(json!({ "to": CONTRACT }), json!({}), json!({ field: value }));
        assert_eq!(estimate_gas(asked.base(), &question, &Limits::default()).unwrap_err().code(), -32000, "{field}");
    }
    // The last number and the last second that there are, and every hash asked for from there.
    let far = json!({ "number": "0xffffffffffffffff", "time": "0xffffffffffffffff", "difficulty": max });
    // PUSH2 256, NUMBER, SUB, BLOCKHASH, PUSH1 0, MSTORE, PUSH1 32, PUSH1 0, RETURN.
    let overrides = json!({ CONTRACT: { "code": "0x61010043034060005260206000f3" } });
    let question = question(json!({ "to": CONTRACT }), overrides, far);
    assert_eq!(call(asked.base(), &question, &Limits::default()).unwrap()[..], [0; 32]);
}

#[test]
fn too_much_is_refused_before_it_is_begun() {
    let asked = Asked::new();
    let limits = Limits::default();
    let blocks = |count: usize, calls: usize| {
        let block = json!({ "calls": vec![json!({ "to": CONTRACT }); calls] });
        json!({ "blockStateCalls": vec![block; count] })
    };
    assert_eq!(asked.simulate(blocks(0, 0), &limits), Err(-32602));
    assert_eq!(asked.simulate(blocks(257, 0), &limits), Err(-38026));
    assert_eq!(asked.simulate(blocks(1, 5_001), &limits), Err(-38026));
    assert_eq!(asked.simulate(blocks(3, 4_000), &limits), Err(-38026));
    assert_eq!(asked.simulate(blocks(256, 0), &limits), Ok(256));
    let far = json!({ "blockStateCalls": [{ "blockOverrides": { "number": format!("0x{}", "f".repeat(64)) } }] });
    assert_eq!(asked.simulate(far, &limits), Err(-38026));
    let late = json!({ "blockStateCalls": [{ "blockOverrides": { "time": "0xffffffffffffffff" } }, {}] });
    assert_eq!(asked.simulate(late, &limits), Err(-38020));
}

#[test]
fn overrides_may_be_many_and_contradict_each_other() {
    let asked = Asked::new();
    let word = |number: usize| format!("0x{number:064x}");
    let slots: serde_json::Map<String, Value> = (0..20_000).map(|at| (word(at), json!(word(at + 1)))).collect();
    // PUSH2 0x4e1f SLOAD PUSH1 0 MSTORE PUSH1 32 PUSH1 0 RETURN: the last slot.
    let code = "0x614e1f5460005260206000f3";
    for field in ["state", "stateDiff"] {
        let overrides = json!({ CONTRACT: { "code": code, field: slots } });
        let question = question(json!({ "to": CONTRACT }), overrides, json!({}));
        assert_eq!(call(asked.base(), &question, &Limits::default()).unwrap()[30..], [0x4e, 0x20]);
    }
    let check = |overrides: Value, message: &str| {
        let question = question(json!({ "to": CONTRACT }), overrides, json!({}));
        let error = call(asked.base(), &question, &Limits::default()).unwrap_err();
        assert!(error.to_string().ends_with(message), "{error}");
    };
    let [one, two] = ["0x0000000000000000000000000000000000000001", "0x0000000000000000000000000000000000000002"];
    check(json!({ CONTRACT: { "state": {}, "stateDiff": {} } }), "has both 'state' and 'stateDiff'");
    check(json!({ CONTRACT: { "movePrecompileToAddress": one } }), "is not a precompile");
    check(json!({ one: { "movePrecompileToAddress": one } }), "is to be moved to itself");
    check(json!({ one: { "movePrecompileToAddress": two }, two: {} }), "is already overridden");
    let itself = json!({ "blockStateCalls": [{ "stateOverrides": { one: { "movePrecompileToAddress": one } } }] });
    assert_eq!(asked.simulate(itself, &Limits::default()), Err(-38022));
}

#[test]
fn requests_that_are_no_transactions_are_refused() {
    let asked = Asked::new();
    let check = |request: Value, message: &str| {
        let question = question(request, json!({}), json!({}));
        let error = call(asked.base(), &question, &Limits::default()).unwrap_err();
        assert!(error.to_string().contains(message), "{error}");
    };
    check(json!({ "gasPrice": "0x1", "maxFeePerGas": "0x1" }), "both gasPrice and");
    check(json!({ "chainId": "0x1" }), "chainId does not match");
    check(json!({ "input": "0x01", "data": "0x02" }), "not equal");
    check(json!({ "blobVersionedHashes": [] }), "missing \"to\"");
    check(json!({ "blobVersionedHashes": [], "to": CONTRACT }), "without blobs");
    check(json!({ "authorizationList": [] }), "missing");
    check(json!({ "authorizationList": [], "to": CONTRACT }), "without authorizations");
    check(json!({ "to": CONTRACT, "maxFeePerGas": "0x1", "maxPriorityFeePerGas": "0x2" }), "higher than max fee");
    check(json!({ "to": CONTRACT, "maxFeePerGas": "0x1" }), "less than block base fee");
    check(json!({ "to": CONTRACT, "value": format!("0x{}", "f".repeat(64)) }), "insufficient funds");
    check(json!({ "to": CONTRACT, "gasPrice": format!("0x{}", "f".repeat(32)), "gas": "0xffffffff" }), "");
    check(json!({ "to": CONTRACT, "gas": "0x1" }), "intrinsic gas too low");
}

#[test]
fn blocks_that_no_miner_would_make_follow_each_other() {
    let asked = Asked::new();
    let (least, most) = ("0x0", "0xffffffffffffffff");
    for (gas_limit, base_fee) in [(least, least), ("0x1", most), ("0x2", "0x1"), (most, most)] {
        let first = json!({ "blockOverrides": { "gasLimit": gas_limit, "baseFeePerGas": base_fee } });
        for validation in [false, true] {
            let request = json!({ "blockStateCalls": [first, {}, {}], "validation": validation });
            assert_eq!(asked.simulate(request, &Limits::default()), Ok(3), "{gas_limit} {base_fee} {validation}");
        }
    }
}

/// BLOBBASEFEE is the block's, and nothing only for blobs that nothing is paid for.
#[test]
fn blob_base_fee_is_the_blocks_or_what_is_asked_for() {
    let asked = Asked::new();
    // BLOBBASEFEE PUSH1 0 MSTORE PUSH1 32 PUSH1 0 RETURN.
    let overrides = json!({ CONTRACT: { "code": "0x4a60005260206000f3" } });
    let check = |request: Value, block: Value, expected: u8| {
        let question = question(request, overrides.clone(), block);
        assert_eq!(call(asked.base(), &question, &Limits::default()).unwrap()[31], expected);
    };
    let hash = format!("0x01{}", "0".repeat(62));
    check(json!({ "to": CONTRACT }), json!({}), 1);
    check(json!({ "to": CONTRACT }), json!({ "blobBaseFee": "0x7" }), 7);
    check(json!({ "to": CONTRACT, "blobVersionedHashes": [hash] }), json!({}), 0);
}

/// Whatever code is brought, and wherever it comes to lie, there is an answer.
#[test]
fn any_code_has_an_answer() {
    let asked = Asked::new();
    let mut runner = TestRunner::new(Config { cases: 200, failure_persistence: None, ..Config::default() });
    let limits = Limits { gas_cap: 1_000_000, timeout: Duration::from_secs(10), blocks_max: 3 };
    let code = prop::collection::vec(any::<u8>(), 0..200);
    let numbers = (any::<u64>(), any::<u64>(), prop_oneof![Just(1_u8), Just(4), Just(9), Just(0x77)]);
    let property = |(code, (number, gas_limit, at)): (Vec<u8>, (u64, u64, u8))| {
        let address = format!("0x{at:040x}");
        let overrides = json!({ address.clone(): { "code": alloy_primitives::Bytes::from(code), "balance": "0x64" } });
        let fields = json!({ "number": U64::from(number), "gasLimit": U64::from(gas_limit) });
        let request = json!({ "to": address, "value": "0x0", "input": "0x00112233" });
        let question = question(request.clone(), overrides.clone(), fields);
        let _ = call(asked.base(), &question, &limits);
        let _ = estimate_gas(asked.base(), &question, &limits);
        let _ = create_access_list(asked.base(), &question, &limits);
        let block = json!({ "stateOverrides": overrides, "calls": [request.clone(), request] });
        let blocks = json!({ "blockStateCalls": [block, {}], "traceTransfers": true });
        // One million gas is one call's: the second may be refused, the block never for another reason.
        prop_assert!(matches!(asked.simulate(blocks, &limits), Ok(2) | Err(-38013 | -38026)));
        Ok(())
    };
    runner.run(&(code, numbers), property).unwrap();
}
