//! Transactions that users send.

use alloy_consensus::Transaction as _;
use alloy_primitives::{B256, Bytes};
use balsa_evm::Transaction;
use balsa_txpool::{Admitted, PoolError, decode};

use crate::{Context, Methods, Params, RpcError};

pub(crate) fn register(methods: &mut Methods) {
    methods.add("eth_sendRawTransaction", 1, send_raw_transaction);
}

impl From<PoolError> for RpcError {
    fn from(error: PoolError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

fn send_raw_transaction(context: &Context, mut params: Params) -> Result<B256, RpcError> {
    Ok(submit(context, &params.required("transaction")?)?.hash)
}

/// Takes a transaction of a user into the pool.
pub(crate) fn submit(context: &Context, bytes: &Bytes) -> Result<Admitted, RpcError> {
    check(context, &decode(bytes)?.transaction)?;
    Ok(context.node.send_raw_transaction(bytes)?)
}

/// Whether a transaction may come from a user: the pool itself is less strict, since blocks and peers may have others.
fn check(context: &Context, transaction: &Transaction) -> Result<(), RpcError> {
    let protected = transaction.chain_id().is_some();
    if !protected && !context.settings.allow_unprotected_transactions {
        return Err(PoolError::NotReplayProtected.into());
    }
    let cap = context.settings.transaction_fee_cap;
    let fee = transaction.max_fee_per_gas().saturating_mul(transaction.gas_limit().into());
    if cap != 0 && fee > cap {
        let message = format!("tx fee ({fee} wei) exceeds the configured cap ({cap} wei)");
        return Err(RpcError::new(RpcError::SERVER_ERROR, message));
    }
    Ok(())
}
