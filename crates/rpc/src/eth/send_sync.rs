//! Transactions that users send, and whose receipts they wait for
//! ([EIP-7966](https://eips.ethereum.org/EIPS/eip-7966)).
//!
//! Nobody who waits holds a thread: the call is woken when a block with its transaction becomes canonical, and looks then.

use std::{pin::pin, sync::Arc, time::Duration};

use alloy_consensus::Transaction as _;
use alloy_primitives::{B256, Bytes, U64};
use serde::Deserialize;
use tokio::time::{Instant, timeout_at};

use super::{receipt::receipt_of, send::submit};
use crate::{
    Context, Dispatcher, Methods, Params, RpcError,
    methods::{Answer, to_json},
};

pub(crate) fn register(methods: &mut Methods) {
    methods.add_waiting("eth_sendRawTransactionSync", 2, |dispatcher, params, bytes_max| {
        Box::pin(send_and_wait(dispatcher, params, bytes_max))
    });
}

/// A number as Ethereum writes it, or as JSON does: the EIP's own example has the latter.
#[derive(Deserialize)]
#[serde(untagged)]
enum Milliseconds {
    Number(u64),
    Quantity(U64),
}

async fn send_and_wait(dispatcher: Arc<Dispatcher>, mut params: Params, bytes_max: usize) -> Answer {
    let bytes: Bytes = params.required("transaction")?;
    let patience = patience(dispatcher.context(), params.optional("timeout")?);
    let _place = dispatcher.receipt_wait()?;
    let hash = dispatcher.in_turn(move |context| submit_ready(context, &bytes)).await?;
    let deadline = Instant::now() + patience;
    loop {
        let inclusion = dispatcher.context().watchers.inclusions.of(hash);
        // From here on nothing is missed, so that a block that comes while we look wakes us too.
        let mut included = pin!(inclusion.notified());
        included.as_mut().enable();
        if let Some(receipt) = dispatcher.in_turn(move |context| receipt_of(context, &hash)).await? {
            return to_json(&receipt, bytes_max);
        }
        if timeout_at(deadline, included).await.is_err() {
            let message = format!("the transaction was added to the pool but is in no block after {patience:?}");
            return Err(RpcError::new(RpcError::NO_RECEIPT_IN_TIME, message).with_data(hash.to_string()));
        }
    }
}

/// How long to wait: what is asked for if it is allowed, or else what the operator chose.
fn patience(context: &Context, asked: Option<Milliseconds>) -> Duration {
    let asked = asked.map(|asked| match asked {
        Milliseconds::Number(number) => Duration::from_millis(number),
        Milliseconds::Quantity(number) => Duration::from_millis(number.to()),
    });
    let allowed = asked.filter(|asked| !asked.is_zero() && *asked <= context.settings.receipt_wait_max);
    allowed.unwrap_or(context.settings.receipt_wait)
}

/// Takes the transaction into the pool. One that the next block cannot take stays there, but is not waited for.
///
/// # Errors
/// 6 with the nonce that is missing, 5 if the sender cannot pay for all that comes before; the pool's own.
fn submit_ready(context: &Context, bytes: &Bytes) -> Result<B256, RpcError> {
    let admitted = submit(context, bytes)?;
    let hash = admitted.hash;
    if admitted.pending {
        return Ok(hash);
    }
    // What is not in the pool any more went into a block meanwhile, or did not last.
    let Some(transaction) = context.node.pool().get(&hash) else { return Ok(hash) };
    let next = context.node.pool().next_nonce(&transaction.sender);
    match next.filter(|next| *next < transaction.transaction.nonce()) {
        Some(next) => {
            let message = format!("the transaction was added to the pool but waits for nonce {next}");
            Err(RpcError::new(RpcError::NONCE_GAP, message).with_data(format!("{next:#x}")))
        }
        None => {
            let message = "the transaction was added to the pool but cannot run yet: its sender cannot pay for it now";
            Err(RpcError::new(RpcError::NOT_READY, message).with_data(hash.to_string()))
        }
    }
}
