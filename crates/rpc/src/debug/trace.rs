//! Traces ([execution-apis](https://github.com/ethereum/execution-apis/tree/main/src/debug), go-ethereum's `debug_` methods).
//!
//! A block that has its access list is traced on several threads at once, and a transaction of it without those before
//! it. Time and memory of an answer are bounded; `timeout` may shorten the time, not lengthen it.

use std::{sync::Arc, time::Duration};

use alloy_eips::{BlockId, BlockNumberOrTag};
use alloy_primitives::{B256, Bytes};
use alloy_rpc_types_trace::geth::{GethDebugTracingOptions, GethTrace, TraceResult};
use balsa_chain::ChainView;
use balsa_executor::{Parent, SealedBlock};
use balsa_simulate::{
    Base, BlockOverrides, Limits, Question, StateOverrides, TraceBlockError, TraceLimits, TracedBlock, trace_block,
    trace_call, trace_transaction,
};
use serde::Deserialize;

use super::go_duration::GoDuration;
use crate::{
    Context, Methods, Params, RpcError,
    eth::block_id::{hash_of, hash_of_number},
};

pub(crate) fn register(methods: &mut Methods) {
    methods.add("debug_traceTransaction", 2, transaction);
    methods.add("debug_traceBlock", 2, block_in_rlp);
    methods.add("debug_traceBlockByNumber", 2, block_by_number);
    methods.add("debug_traceBlockByHash", 2, block_by_hash);
    methods.add("debug_traceCall", 3, call);
}

fn transaction(context: &Context, mut params: Params) -> Result<GethTrace, RpcError> {
    let hash: B256 = params.required("transaction hash")?;
    let asked = Asked::read(context, &mut params)?;
    let found = context.node.transaction(&hash).map_err(RpcError::internal)?;
    let found = found.ok_or_else(|| refused("transaction not found"))?;
    let view = context.node.view();
    let block = block_of(&view, Some(found.block.hash), "its hash")?;
    let parent = parent_of(&view, &block)?;
    let traced = traced(context, &view, &block, &parent)?;
    Ok(trace_transaction(&traced, found.index, &asked.options, &asked.limits)?)
}

fn block_by_number(context: &Context, mut params: Params) -> Result<Vec<TraceResult>, RpcError> {
    let number: BlockNumberOrTag = params.required("block number")?;
    let asked = Asked::read(context, &mut params)?;
    let view = context.node.view();
    let block = block_of(&view, hash_of_number(&view, number)?, &number.to_string())?;
    whole_block(context, &view, &block, &asked)
}

fn block_by_hash(context: &Context, mut params: Params) -> Result<Vec<TraceResult>, RpcError> {
    let hash: B256 = params.required("block hash")?;
    let asked = Asked::read(context, &mut params)?;
    let view = context.node.view();
    let block = block_of(&view, Some(hash), &hash.to_string())?;
    whole_block(context, &view, &block, &asked)
}

/// A block that need not be the chain's, only a child of one of its blocks. No list of it is known.
fn block_in_rlp(context: &Context, mut params: Params) -> Result<Vec<TraceResult>, RpcError> {
    let bytes: Bytes = params.required("block RLP")?;
    let asked = Asked::read(context, &mut params)?;
    let block = SealedBlock::decode(&bytes).map_err(|error| RpcError::invalid_params(error.to_string()))?;
    let parent = parent_of(&context.node.view(), &block)?;
    // A body is not what its header commits to just because it comes with it: the stored list may be another block's.
    let traced = TracedBlock { executor: context.node.executor(), block: &block, parent: &parent, list: None };
    Ok(trace_block(&traced, &asked.options, &asked.limits)?)
}

fn whole_block(
    context: &Context,
    view: &Arc<ChainView>,
    block: &SealedBlock,
    asked: &Asked,
) -> Result<Vec<TraceResult>, RpcError> {
    let parent = parent_of(view, block)?;
    Ok(trace_block(&traced(context, view, block, &parent)?, &asked.options, &asked.limits)?)
}

fn call(context: &Context, mut params: Params) -> Result<GethTrace, RpcError> {
    let request = params.required("transaction")?;
    let id: Option<BlockId> = params.optional("block")?;
    let config = params.raw().map(|raw| raw.get().to_owned()).filter(|text| text != "null");
    let config = config.as_deref().unwrap_or("{}");
    let invalid = |error: serde_json::Error| RpcError::invalid_params(format!("invalid argument config: {error}"));
    // One object says how to trace and what is to be otherwise.
    let asked = Asked::new(context, serde_json::from_str(config).map_err(invalid)?)?;
    let Overrides { state_overrides, block_overrides } = serde_json::from_str(config).map_err(invalid)?;
    let view = context.node.view();
    let missing = || refused("header not found");
    let hash = hash_of(&view, id.unwrap_or_default())?.ok_or_else(missing)?;
    let block = view.parent(&hash).ok_or_else(|| refused("required historical state unavailable"))?;
    let question =
        Question { request, state: state_overrides.unwrap_or_default(), block: block_overrides.unwrap_or_default() };
    let base = Base { block: &block, spec: context.node.spec() };
    Ok(trace_call(base, &question, &asked.options, &asked.limits)?)
}

/// What `debug_traceCall` takes beside the options of a trace.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Overrides {
    state_overrides: Option<StateOverrides>,
    block_overrides: Option<BlockOverrides>,
}

/// How to trace, and what it may cost.
struct Asked {
    options: GethDebugTracingOptions,
    limits: TraceLimits,
}

impl Asked {
    fn read(context: &Context, params: &mut Params) -> Result<Self, RpcError> {
        Self::new(context, params.optional("config")?.unwrap_or_default())
    }

    fn new(context: &Context, options: GethDebugTracingOptions) -> Result<Self, RpcError> {
        let settings = &context.settings;
        let asked = options.timeout.as_deref().map(str::parse::<GoDuration>).transpose();
        let asked = asked.map_err(|error| RpcError::invalid_params(format!("invalid argument timeout: {error}")))?;
        let timeout = match asked.map(|GoDuration(timeout)| timeout) {
            // No time is no limit elsewhere; here it is no time.
            Some(timeout) if settings.evm_time_max.is_zero() => timeout.max(Duration::from_nanos(1)),
            Some(timeout) => timeout.clamp(Duration::from_nanos(1), settings.evm_time_max),
            None => settings.evm_time_max,
        };
        let calls = Limits { gas_cap: settings.gas_cap, timeout, ..Limits::default() };
        Ok(Self { options, limits: TraceLimits { calls, ..TraceLimits::default() } })
    }
}

fn traced<'a>(
    context: &'a Context,
    view: &ChainView,
    block: &'a SealedBlock,
    parent: &'a Parent,
) -> Result<TracedBlock<'a>, RpcError> {
    // Only blocks that were found valid are stored, and their lists with them.
    let list = match block.header.block_access_list_hash {
        Some(_) => view.list(&block.hash)?,
        None => None,
    };
    Ok(TracedBlock { executor: context.node.executor(), block, parent, list })
}

fn block_of(view: &ChainView, hash: Option<B256>, name: &str) -> Result<Arc<SealedBlock>, RpcError> {
    let block = hash.map(|hash| view.block(&hash)).transpose()?.flatten();
    block.ok_or_else(|| refused(format!("block {name} not found")))
}

/// The parent with the state after it.
fn parent_of(view: &Arc<ChainView>, block: &SealedBlock) -> Result<Parent, RpcError> {
    if block.header.number == 0 {
        return Err(refused("genesis is not traceable"));
    }
    view.parent(&block.header.parent_hash).ok_or_else(|| refused("required historical state unavailable"))
}

fn refused(message: impl Into<String>) -> RpcError {
    RpcError::new(RpcError::SERVER_ERROR, message)
}

impl From<TraceBlockError> for RpcError {
    fn from(error: TraceBlockError) -> Self {
        match &error {
            TraceBlockError::Call(call) => Self::new(call.code(), error.to_string()),
            _ => Self::new(Self::SERVER_ERROR, error.to_string()),
        }
    }
}
