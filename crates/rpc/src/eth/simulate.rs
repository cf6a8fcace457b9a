//! eth_simulateV1.

use alloy_consensus::{Transaction as _, transaction::Recovered};
use alloy_primitives::U64;
use alloy_rpc_types_eth::{
    Block, BlockTransactions, Log, Transaction,
    simulate::{SimCallResult, SimulateError as CallErrorObject},
};
use balsa_evm::{CallLog, Fault};
use balsa_simulate::{
    CallFailure, CallOutcome, SimulateRequest, SimulatedBlock, SimulatedTransaction, fault_text, revert_message,
    simulate_blocks,
};
use serde_json::{Value, json};

use super::{
    block::{RpcBlock, rpc_header},
    call::{base, limits, state_of},
    transaction::RpcTransaction,
};
use crate::{Context, Methods, Params, RpcError};

/// A call that failed of itself, in a simulated block.
const EXECUTION_FAILED: i32 = -32015;
/// A call that reverted.
const REVERTED: i32 = 3;

pub(crate) fn register(methods: &mut Methods) {
    methods.add("eth_simulateV1", 2, simulate);
}

fn simulate(context: &Context, mut params: Params) -> Result<Vec<Value>, RpcError> {
    let request: SimulateRequest = params.required("payload")?;
    let block = state_of(context, params.optional("block")?)?;
    let full = request.return_full_transactions;
    let blocks = simulate_blocks(base(context, &block), request, &limits(context))?;
    blocks.into_iter().map(|block| block_json(block, full)).collect()
}

fn block_json(block: SimulatedBlock, full: bool) -> Result<Value, RpcError> {
    let calls: Vec<_> = block.calls.iter().enumerate().map(|(index, call)| call_result(&block, index, call)).collect();
    let mut json = serde_json::to_value(rpc_block(&block, full)).map_err(RpcError::internal)?;
    if full {
        unsign(&mut json["transactions"], &block.transactions);
    }
    json["calls"] = serde_json::to_value(calls).map_err(RpcError::internal)?;
    Ok(json)
}

fn rpc_block(block: &SimulatedBlock, full: bool) -> RpcBlock {
    let transactions = block.transactions.iter();
    let transactions = match full {
        true => {
            let full = transactions.enumerate().map(|(index, transaction)| rpc_transaction(block, index, transaction));
            BlockTransactions::Full(full.collect())
        }
        false => BlockTransactions::Hashes(transactions.map(|transaction| transaction.hash).collect()),
    };
    Block {
        header: rpc_header(block.hash, block.header.clone(), block.rlp_len),
        uncles: Vec::new(),
        transactions,
        withdrawals: block.withdrawals.clone(),
    }
}

fn rpc_transaction(block: &SimulatedBlock, index: usize, simulated: &SimulatedTransaction) -> RpcTransaction {
    let transaction = &simulated.transaction;
    Transaction {
        inner: Recovered::new_unchecked(transaction.clone(), simulated.sender),
        block_hash: Some(block.hash),
        block_number: Some(block.header.number),
        transaction_index: Some(index as u64),
        effective_gas_price: Some(transaction.effective_gas_price(block.header.base_fee_per_gas)),
        block_timestamp: Some(block.header.timestamp),
    }
}

/// A legacy transaction that nobody signed has no v; the types know only those that somebody signed.
fn unsign(json: &mut Value, transactions: &[SimulatedTransaction]) {
    let Some(objects) = json.as_array_mut() else { return };
    for (object, simulated) in objects.iter_mut().zip(transactions) {
        if simulated.transaction.is_legacy() {
            object["v"] = json!(U64::ZERO);
        }
    }
}

fn call_result(block: &SimulatedBlock, index: usize, call: &CallOutcome) -> SimCallResult {
    SimCallResult {
        return_data: call.output.clone(),
        logs: call.logs.iter().map(|log| rpc_log(block, index, log)).collect(),
        gas_used: call.gas_used,
        max_used_gas: Some(call.max_used_gas),
        status: call.failure.is_none(),
        error: call.failure.as_ref().map(error_object),
    }
}

fn rpc_log(block: &SimulatedBlock, index: usize, log: &CallLog) -> Log {
    Log {
        inner: log.log.clone(),
        block_hash: Some(block.hash),
        block_number: Some(block.header.number),
        block_timestamp: Some(block.header.timestamp),
        transaction_hash: block.transactions.get(index).map(|transaction| transaction.hash),
        transaction_index: Some(index as u64),
        log_index: Some(log.index),
        removed: false,
    }
}

fn error_object(failure: &CallFailure) -> CallErrorObject {
    if failure.fault == Fault::Reverted {
        let (message, data) = (revert_message(&failure.revert_data), Some(failure.revert_data.clone()));
        return CallErrorObject { code: REVERTED, message, data };
    }
    let mut message = fault_text(failure.fault).to_owned();
    if failure.gas_capped {
        message += " (gas limit was capped by the RPC server's global gas cap)";
    }
    CallErrorObject { code: EXECUTION_FAILED, message, data: None }
}
