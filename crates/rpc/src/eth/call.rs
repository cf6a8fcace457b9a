//! Calls: eth_call, eth_estimateGas, eth_createAccessList.

use alloy_eips::{BlockId, eip2930::AccessList};
use alloy_primitives::{Bytes, U64};
use balsa_executor::Parent;
use balsa_simulate::{Base, CallError, Limits, Question, RequestError, SimulateError};
use serde::Serialize;
use serde_json::json;

use super::block_id::{kept_block, pending};
use crate::{Context, Methods, Params, RpcError};

pub(crate) fn register(methods: &mut Methods) {
    methods.add("eth_call", 4, call);
    methods.add("eth_estimateGas", 4, estimate_gas);
    methods.add("eth_createAccessList", 4, create_access_list);
}

fn call(context: &Context, mut params: Params) -> Result<Bytes, RpcError> {
    let Asked { block, question } = asked(context, &mut params)?;
    Ok(balsa_simulate::call(base(context, &block), &question, &limits(context))?)
}

fn estimate_gas(context: &Context, mut params: Params) -> Result<U64, RpcError> {
    let Asked { block, question } = asked(context, &mut params)?;
    let gas = balsa_simulate::estimate_gas(base(context, &block), &question, &limits(context))?;
    Ok(U64::from(gas))
}

fn create_access_list(context: &Context, mut params: Params) -> Result<AccessListResult, RpcError> {
    let Asked { block, question } = asked(context, &mut params)?;
    let made = balsa_simulate::create_access_list(base(context, &block), &question, &limits(context))?;
    Ok(AccessListResult { access_list: made.access_list, gas_used: U64::from(made.gas_used), error: made.error })
}

/// The answer to `eth_createAccessList`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AccessListResult {
    access_list: AccessList,
    gas_used: U64,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// The parameters that all calls have: the call, the block, state overrides, block overrides.
struct Asked {
    block: Parent,
    question: Question,
}

fn asked(context: &Context, params: &mut Params) -> Result<Asked, RpcError> {
    let request = params.required("transaction")?;
    let block = state_of(context, params.optional("block")?)?;
    let state = params.optional("state overrides")?.unwrap_or_default();
    let overrides = params.optional("block overrides")?.unwrap_or_default();
    Ok(Asked { block, question: Question { request, state, block: overrides } })
}

/// The block that is asked about, with its state.
///
/// # Errors
/// -32000: there is no such block, or its state is not kept.
pub(crate) fn state_of(context: &Context, id: Option<BlockId>) -> Result<Parent, RpcError> {
    if let Some(pending) = pending(context, id) {
        return Ok(pending.state);
    }
    let missing = |message: &str| RpcError::new(RpcError::SERVER_ERROR, message);
    // Whoever calls is told so under another code than whoever reads.
    let (view, block) = kept_block(context, id).map_err(|error| match error.code {
        RpcError::RESOURCE_NOT_FOUND => missing(&error.message),
        _ => error,
    })?;
    view.parent(&block.hash()).ok_or_else(|| missing("state is not available"))
}

pub(crate) fn base<'a>(context: &'a Context, block: &'a Parent) -> Base<'a> {
    Base { block, spec: context.node.spec() }
}

pub(crate) fn limits(context: &Context) -> Limits {
    let settings = &context.settings;
    let blocks_max = usize::try_from(settings.simulated_blocks_max).unwrap_or(usize::MAX);
    Limits { gas_cap: settings.gas_cap, timeout: settings.evm_time_max, blocks_max }
}

impl From<RequestError> for RpcError {
    fn from(error: RequestError) -> Self {
        CallError::from(error).into()
    }
}

impl From<CallError> for RpcError {
    fn from(error: CallError) -> Self {
        error_object(error.code(), error.to_string(), error.data())
    }
}

impl From<SimulateError> for RpcError {
    fn from(error: SimulateError) -> Self {
        error_object(error.code(), error.to_string(), error.data())
    }
}

fn error_object(code: i32, message: String, data: Option<&Bytes>) -> RpcError {
    if code == RpcError::INTERNAL {
        tracing::error!(%message, "a call failed");
    }
    let error = RpcError::new(code, message);
    match data {
        Some(data) => error.with_data(json!(data)),
        None => error,
    }
}
