//! Traces: those that the list allows all at once are those that are made in order, and those are go-ethereum's.

use std::time::Duration;

use alloy_primitives::U64;
use alloy_rpc_types_eth::TransactionRequest;
use alloy_rpc_types_trace::geth::GethDebugTracingOptions;
use balsa_evm::TraceError;
use balsa_executor::{ExecutionMode, Executor, Parent, SealedBlock};
use balsa_simulate::{
    Base, Limits, Question, TraceBlockError, TraceLimits, TracedBlock, trace_block, trace_call, trace_transaction,
};
use serde_json::{Value, json};

use crate::support::{TestChain, vectors};

const NO_HURRY: TraceLimits =
    TraceLimits { calls: Limits { gas_cap: 0, timeout: Duration::ZERO, blocks_max: 1 }, bytes_max: 1 << 30 };

fn options(json: Value) -> GethDebugTracingOptions {
    serde_json::from_value(json).unwrap()
}

struct Traces {
    test: TestChain,
    executor: Executor,
}

impl Traces {
    fn new(test: TestChain) -> Self {
        let executor = Executor::new(test.chain.view().spec().clone(), 1, ExecutionMode::Auto).unwrap();
        Self { test, executor }
    }

    fn parent(&self, block: &SealedBlock) -> Parent {
        self.test.chain.view().parent(&block.header.parent_hash).unwrap()
    }

    fn traced<'a>(&'a self, block: &'a SealedBlock, parent: &'a Parent, with_list: bool) -> TracedBlock<'a> {
        let list = with_list.then(|| self.test.chain.view().list(&block.hash).unwrap().unwrap());
        TracedBlock { executor: &self.executor, block, parent, list }
    }

    /// What a block's traces are, as JSON.
    fn of_block(&self, block: &SealedBlock, with_list: bool, asked: &Value) -> Value {
        let parent = self.parent(block);
        let traced = self.traced(block, &parent, with_list);
        json!(trace_block(&traced, &options(asked.clone()), &NO_HURRY).unwrap())
    }
}

#[test]
fn traces_at_once_are_those_in_order() {
    let traces = Traces::new(TestChain::amsterdam());
    let forms = [
        json!({ "disableStack": true, "disableStorage": true, "limit": 2000 }),
        json!({ "enableMemory": true, "enableReturnData": true, "limit": 100 }),
        json!({ "tracer": "callTracer", "tracerConfig": { "withLog": true } }),
        json!({ "tracer": "prestateTracer" }),
        json!({ "tracer": "prestateTracer", "tracerConfig": { "diffMode": true } }),
        json!({ "tracer": "4byteTracer" }),
        json!({ "tracer": "flatCallTracer" }),
        json!({ "tracer": "noopTracer" }),
        json!({ "tracer": "muxTracer", "tracerConfig": { "callTracer": { "withLog": true }, "4byteTracer": null } }),
    ];
    let mut seen = 0;
    for (number, block) in traces.test.blocks.iter().enumerate() {
        // Each form on some of the blocks: all on all would take a minute.
        for form in forms.iter().cycle().skip(number).take(2) {
            let at_once = traces.of_block(block, true, form);
            assert_eq!(at_once, traces.of_block(block, false, form), "block {}, {form}", block.header.number);
            assert_eq!(at_once.as_array().unwrap().len(), block.transactions.len());
            seen += block.transactions.len();
        }
    }
    assert!(seen > 100, "{seen} traces");
}

#[test]
fn a_transaction_alone_is_traced_as_in_its_block() {
    let traces = Traces::new(TestChain::amsterdam());
    let block = traces.test.blocks.last().unwrap();
    let parent = traces.parent(block);
    let asked = json!({ "tracer": "callTracer" });
    let all = traces.of_block(block, true, &asked);
    for at in [0, block.transactions.len() / 2, block.transactions.len() - 1] {
        for with_list in [true, false] {
            let traced = traces.traced(block, &parent, with_list);
            let trace = trace_transaction(&traced, at, &options(asked.clone()), &NO_HURRY).unwrap();
            assert_eq!(json!(trace), all[at]["result"]);
        }
    }
    let beyond =
        trace_transaction(&traces.traced(block, &parent, true), block.transactions.len(), &options(asked), &NO_HURRY);
    assert!(matches!(beyond, Err(TraceBlockError::NoTransaction(_))));
}

#[test]
fn traces_end_where_their_limits_are() {
    let traces = Traces::new(TestChain::amsterdam());
    let block = traces.test.blocks.last().unwrap();
    let parent = traces.parent(block);
    let small = TraceLimits { bytes_max: 10_000, ..NO_HURRY };
    let calls = Limits { timeout: Duration::from_nanos(1), ..NO_HURRY.calls };
    let short = TraceLimits { calls, ..NO_HURRY };
    for with_list in [true, false] {
        let traced = traces.traced(block, &parent, with_list);
        let asked = options(json!({}));
        let error = trace_block(&traced, &asked, &small).unwrap_err();
        assert!(matches!(error, TraceBlockError::Trace(TraceError::TooLarge { bytes_max: 10_000 })), "{error}");
        let error = trace_block(&traced, &asked, &short).unwrap_err();
        assert!(matches!(error, TraceBlockError::Trace(TraceError::TimedOut)), "{error}");
    }
    let unknown = trace_block(
        &traces.traced(block, &parent, true),
        &options(json!({ "tracer": "{ result: function() { return 1 } }" })),
        &NO_HURRY,
    );
    assert!(matches!(unknown, Err(TraceBlockError::Trace(TraceError::Options(_)))));
}

#[test]
fn a_list_of_another_block_is_refused() {
    let traces = Traces::new(TestChain::amsterdam());
    let [first, second] = [&traces.test.blocks[0], &traces.test.blocks[1]];
    let parent = traces.parent(first);
    let list = traces.test.chain.view().list(&second.hash).unwrap();
    let traced = TracedBlock { list, ..traces.traced(first, &parent, true) };
    assert!(matches!(trace_block(&traced, &options(json!({})), &NO_HURRY), Err(TraceBlockError::Execute(_))));
}

#[test]
fn calls_are_traced_on_the_state_after_a_block() {
    let traces = Traces::new(TestChain::amsterdam());
    let view = traces.test.chain.view();
    let block = view.parent(&view.head().hash()).unwrap();
    let base = Base { block: &block, spec: view.spec() };
    let request: TransactionRequest =
        serde_json::from_value(json!({ "from": "0x00000000000000000000000000000000000000aa", "data": "0x5f5ffd" }))
            .unwrap();
    let question = Question { request, ..Question::default() };
    let trace = trace_call(base, &question, &options(json!({})), &TraceLimits::default()).unwrap();
    let trace = json!(trace);
    assert_eq!(trace["failed"], json!(true), "{trace}");
    let steps: Vec<_> = trace["structLogs"].as_array().unwrap().iter().map(|step| step["op"].clone()).collect();
    assert_eq!(steps, ["PUSH0", "PUSH0", "REVERT"]);
}

/// The files say that only the form of the traces counts; they are equal all the same.
#[test]
fn traces_are_those_of_the_official_files() {
    let folder = vectors();
    if !folder.exists() {
        return;
    }
    let traces = Traces::new(TestChain::open(&folder));
    let mut compared = 0;
    for method in ["debug_traceBlockByNumber", "debug_traceBlockByHash", "debug_traceTransaction"] {
        for file in std::fs::read_dir(folder.join(method)).unwrap() {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            let mut messages = text.lines().filter_map(|line| line.get(3..).filter(|_| !line.starts_with("//")));
            while let Some((request, response)) = messages.next().zip(messages.next()) {
                let request: Value = serde_json::from_str(request).unwrap();
                let response: Value = serde_json::from_str(response).unwrap();
                let Some(expected) = response.get("result") else { continue };
                let answer = answer(&traces, method, &request["params"]);
                assert!(answer == *expected, "{request}: {}", first_difference(&answer, expected));
                compared += 1;
            }
        }
    }
    assert!(compared >= 8, "{compared} traces");
}

/// Where two values differ, for people.
fn first_difference(left: &Value, right: &Value) -> String {
    match (left, right) {
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            let differs = left.iter().zip(right).find(|(left, right)| left != right);
            differs.map(|(left, right)| first_difference(left, right)).unwrap_or_default()
        }
        (Value::Object(left), Value::Object(right)) if left.keys().eq(right.keys()) => {
            let differs = left.iter().find(|(name, value)| right[*name] != **value);
            differs.map(|(name, value)| first_difference(value, &right[name])).unwrap_or_default()
        }
        _ => format!("{left}, expected {right}"),
    }
}

fn answer(traces: &Traces, method: &str, params: &Value) -> Value {
    let view = traces.test.chain.view();
    let asked = params.get(1).cloned().unwrap_or(json!({}));
    let block_of = |hash| traces.test.blocks.iter().find(|block| block.hash == hash).unwrap();
    if method == "debug_traceTransaction" {
        let hash = serde_json::from_value(params[0].clone()).unwrap();
        let found = view.transaction(&hash).unwrap().unwrap();
        let block = block_of(found.block.hash);
        let parent = traces.parent(block);
        let traced = traces.traced(block, &parent, false);
        return json!(trace_transaction(&traced, found.index, &options(asked), &NO_HURRY).unwrap());
    }
    let hash = match method {
        "debug_traceBlockByHash" => serde_json::from_value(params[0].clone()).unwrap(),
        _ => {
            let number: U64 = serde_json::from_value(params[0].clone()).unwrap();
            view.canonical_hash(number.to()).unwrap().unwrap()
        }
    };
    traces.of_block(block_of(hash), false, &asked)
}
