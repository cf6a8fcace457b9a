//! eth_fillTransaction: what a request leaves out, for whoever signs it.

use alloy_consensus::TypedTransaction;
use alloy_primitives::{Bytes, TxKind};
use alloy_rpc_types_eth::TransactionRequest;
use balsa_chainspec::Fork;
use balsa_simulate::{Question, SimulatedTransaction};
use balsa_txpool::Head;
use serde::Serialize;

use super::{
    call::{base, limits, state_of},
    fees::{next_block, suggested_tip},
    state::account,
};
use crate::{Context, Methods, Params, RpcError};

pub(crate) fn register(methods: &mut Methods) {
    methods.add("eth_fillTransaction", 1, fill);
}

/// The answer to `eth_fillTransaction`.
#[derive(Serialize)]
struct Filled {
    /// As it would be sent, with a signature of zeros.
    raw: Bytes,
    tx: TypedTransaction,
}

fn fill(context: &Context, mut params: Params) -> Result<Filled, RpcError> {
    let mut request: TransactionRequest = params.required("transaction")?;
    check(context, &request)?;
    let next = next_block(context)?;
    request.to.get_or_insert(TxKind::Create);
    request.chain_id = Some(context.node.spec().chain_id);
    fill_fees(context, &mut request, &next)?;
    if request.nonce.is_none() {
        request.nonce = Some(next_nonce(context, &request)?);
    }
    if request.gas.is_none() {
        let block = state_of(context, None)?;
        let question = Question { request: request.clone(), ..Question::default() };
        request.gas = Some(balsa_simulate::estimate_gas(base(context, &block), &question, &limits(context))?);
    }
    let filled = SimulatedTransaction::of_filled(&request, next.rules.has(Fork::London))?;
    // A legacy transaction is to be signed for this chain too (EIP-155).
    let fields =
        TransactionRequest { chain_id: request.chain_id, ..TransactionRequest::from_transaction(filled.transaction) };
    let tx = fields.build_typed_tx().map_err(|_| RpcError::invalid_params("the fields make no transaction"))?;
    Ok(Filled { raw: filled.encoded, tx })
}

fn check(context: &Context, request: &TransactionRequest) -> Result<(), RpcError> {
    let want = context.node.spec().chain_id;
    if let Some(have) = request.chain_id.filter(|have| *have != want) {
        return Err(balsa_simulate::RequestError::ChainId { have, want }.into());
    }
    let creates = !matches!(request.to, Some(TxKind::Call(_)));
    if creates && request.input.input().is_none_or(|input| input.is_empty()) {
        return Err(RpcError::new(RpcError::SERVER_ERROR, "contract creation without any data provided"));
    }
    Ok(())
}

/// Fees that leave room for the base fees to double, where the request names none.
fn fill_fees(context: &Context, request: &mut TransactionRequest, next: &Head) -> Result<(), RpcError> {
    if request.blob_versioned_hashes.is_some() && request.max_fee_per_blob_gas.is_none() {
        request.max_fee_per_blob_gas = Some(next.blob_base_fee.saturating_mul(2));
    }
    if request.gas_price.is_some() {
        return Ok(());
    }
    let tip = match request.max_priority_fee_per_gas {
        Some(tip) => tip,
        None => suggested_tip(&context.node.view())?,
    };
    if !next.rules.has(Fork::London) {
        request.gas_price = Some(tip);
        return Ok(());
    }
    let max_fee = request.max_fee_per_gas.unwrap_or_else(|| tip.saturating_add(u128::from(next.base_fee) * 2));
    if max_fee < tip {
        let message = format!("maxFeePerGas ({max_fee}) < maxPriorityFeePerGas ({tip})");
        return Err(RpcError::new(RpcError::SERVER_ERROR, message));
    }
    (request.max_fee_per_gas, request.max_priority_fee_per_gas) = (Some(max_fee), Some(tip));
    Ok(())
}

/// The sender's next nonce, transactions that wait counted.
fn next_nonce(context: &Context, request: &TransactionRequest) -> Result<u64, RpcError> {
    let sender = request.from.unwrap_or_default();
    match context.node.pool().next_nonce(&sender) {
        Some(nonce) => Ok(nonce),
        None => Ok(account(&state_of(context, None)?.state, &sender)?.nonce),
    }
}
