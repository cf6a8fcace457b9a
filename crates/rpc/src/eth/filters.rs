//! Filters, which are asked what they have caught, and subscriptions, which tell by themselves.

use alloy_primitives::{B256, U128};
use alloy_rpc_types_eth::{Filter, Log};
use serde_json::value::RawValue;

use super::logs::{checked, matching_logs};
use crate::{Context, Methods, Params, RpcError, watch::Topic};

/// Addresses, and alternatives of one topic, that something kept may name.
const KEPT_ALTERNATIVES_MAX: usize = 100;

pub(crate) fn register(methods: &mut Methods) {
    methods.add("eth_newFilter", 1, |context, params| context.watchers.add_filter(logs_topic(params)?));
    methods.add("eth_newBlockFilter", 0, |context, _| context.watchers.add_filter(Topic::BlockHashes));
    methods.add("eth_newPendingTransactionFilter", 1, new_pending_filter);
    methods.add("eth_getFilterChanges", 1, changes);
    methods.add("eth_getFilterLogs", 1, logs);
    methods.add("eth_uninstallFilter", 1, uninstall);
    // Over a connection that stays open the session answers them.
    methods.add("eth_subscribe", 2, no_notifications);
    methods.add("eth_unsubscribe", 1, no_notifications);
}

fn no_notifications(_: &Context, _: Params) -> Result<B256, RpcError> {
    Err(RpcError::new(RpcError::METHOD_NOT_FOUND, "notifications not supported"))
}

fn new_pending_filter(context: &Context, params: Params) -> Result<U128, RpcError> {
    context.watchers.add_filter(pending_topic(params)?)
}

fn changes(context: &Context, mut params: Params) -> Result<Vec<Box<RawValue>>, RpcError> {
    context.watchers.changes(&params.required("id")?).ok_or_else(not_found)
}

/// All logs that the filter asks for, of blocks before it was made too.
fn logs(context: &Context, mut params: Params) -> Result<Vec<Log>, RpcError> {
    match context.watchers.filter_topic(&params.required("id")?) {
        Some(Topic::Logs(filter)) => matching_logs(context, &filter),
        _ => Err(not_found()),
    }
}

fn uninstall(context: &Context, mut params: Params) -> Result<bool, RpcError> {
    Ok(context.watchers.remove_filter(&params.required("id")?))
}

fn not_found() -> RpcError {
    RpcError::new(RpcError::SERVER_ERROR, "filter not found")
}

/// What a call of `eth_subscribe` asks for.
///
/// # Errors
/// -32602: there is no such subscription, or what comes with it is wrong.
pub(crate) fn topic(mut params: Params) -> Result<Topic, RpcError> {
    let name: String = params.required("subscription")?;
    match name.as_str() {
        "newHeads" => Ok(Topic::NewHeads),
        "logs" => logs_topic(params),
        "newPendingTransactions" => pending_topic(params),
        "syncing" => Ok(Topic::Syncing),
        _ => Err(RpcError::invalid_params(
            "no such subscription: there are newHeads, logs, newPendingTransactions, syncing",
        )),
    }
}

fn logs_topic(mut params: Params) -> Result<Topic, RpcError> {
    let filter: Filter = checked(params.optional("filter")?.unwrap_or_default())?;
    let topics_max = filter.topics.iter().map(|topic| topic.len()).max().unwrap_or(0);
    if filter.address.len().max(topics_max) > KEPT_ALTERNATIVES_MAX {
        let message = format!("exceed max addresses or topics of what is kept: limit {KEPT_ALTERNATIVES_MAX}");
        return Err(RpcError::invalid_params(message));
    }
    Ok(Topic::Logs(Box::new(filter)))
}

fn pending_topic(mut params: Params) -> Result<Topic, RpcError> {
    let full = params.optional("full")?.unwrap_or(false);
    Ok(if full { Topic::PendingTransactions } else { Topic::PendingHashes })
}
