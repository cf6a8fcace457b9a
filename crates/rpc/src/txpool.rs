//! The `txpool_` namespace: the transactions that wait.

use std::{collections::BTreeMap, sync::Arc};

use alloy_consensus::Transaction as _;
use alloy_primitives::{Address, U64};
use balsa_txpool::{PoolTransaction, SenderTransactions};
use serde::Serialize;

use crate::{
    Context, Methods, Params, RpcError,
    eth::transaction::{RpcTransaction, pending},
};

/// Something of the transactions that can run, and of those that wait for others.
#[derive(Default, Serialize)]
struct Both<T> {
    pending: T,
    queued: T,
}

/// By sender, checksummed ([EIP-55](https://eips.ethereum.org/EIPS/eip-55)), and by nonce, in decimal.
type BySender<T> = BTreeMap<String, ByNonce<T>>;

type ByNonce<T> = BTreeMap<u64, T>;

pub(crate) fn register(methods: &mut Methods) {
    methods.add("txpool_content", 0, content);
    methods.add("txpool_contentFrom", 1, content_from);
    methods.add("txpool_inspect", 0, inspect);
    methods.add("txpool_status", 0, status);
}

fn status(context: &Context, _: Params) -> Result<Both<U64>, RpcError> {
    let status = context.node.pool().status();
    Ok(Both { pending: U64::from(status.pending), queued: U64::from(status.queued) })
}

fn content(context: &Context, _: Params) -> Result<Both<BySender<RpcTransaction>>, RpcError> {
    Ok(by_sender(context.node.pool().content(), pending))
}

fn content_from(context: &Context, mut params: Params) -> Result<Both<ByNonce<RpcTransaction>>, RpcError> {
    let sender: Address = params.required("address")?;
    let SenderTransactions { pending: can_run, queued, .. } = context.node.pool().content_from(&sender);
    Ok(Both { pending: by_nonce(&can_run, pending), queued: by_nonce(&queued, pending) })
}

fn inspect(context: &Context, _: Params) -> Result<Both<BySender<String>>, RpcError> {
    Ok(by_sender(context.node.pool().content(), summary))
}

fn by_sender<T>(content: Vec<SenderTransactions>, shown: impl Fn(&PoolTransaction) -> T) -> Both<BySender<T>> {
    let mut both = Both { pending: BTreeMap::new(), queued: BTreeMap::new() };
    for SenderTransactions { sender, pending, queued } in content {
        for (into, transactions) in [(&mut both.pending, pending), (&mut both.queued, queued)] {
            if !transactions.is_empty() {
                into.insert(sender.to_checksum(None), by_nonce(&transactions, &shown));
            }
        }
    }
    both
}

fn by_nonce<T>(transactions: &[Arc<PoolTransaction>], shown: impl Fn(&PoolTransaction) -> T) -> ByNonce<T> {
    transactions.iter().map(|transaction| (transaction.nonce(), shown(transaction))).collect()
}

/// As geth words it: `to: value wei + gas limit gas × fee wei`.
fn summary(transaction: &PoolTransaction) -> String {
    let signed = &transaction.transaction;
    let to = signed.to().map_or_else(|| "contract creation".to_owned(), |to| to.to_checksum(None));
    format!("{to}: {} wei + {} gas × {} wei", signed.value(), signed.gas_limit(), signed.max_fee_per_gas())
}
