//! Logs that a filter asks for.

use alloy_eips::BlockNumHash;
use alloy_primitives::B256;
use alloy_rpc_types_eth::{Filter, FilterBlockOption, Log};
use balsa_chain::{ChainView, KeptBlock};
use balsa_executor::{Receipt, SealedBlock};

use super::block_id::number_of;
use crate::{Context, Methods, Params, RpcError};

/// Addresses, and alternatives of one topic, that a filter may name.
const ALTERNATIVES_MAX: usize = 1000;

/// Every block.
const ANY_BLOCK: FilterBlockOption = FilterBlockOption::Range { from_block: None, to_block: None };

pub(crate) fn register(methods: &mut Methods) {
    methods.add("eth_getLogs", 1, logs);
}

fn logs(context: &Context, mut params: Params) -> Result<Vec<Log>, RpcError> {
    let filter = checked(params.required("filter")?)?;
    matching_logs(context, &filter)
}

/// A filter that does not name more than it may.
pub(crate) fn checked(filter: Filter) -> Result<Filter, RpcError> {
    let topics_max = filter.topics.iter().map(|topic| topic.len()).max().unwrap_or(0);
    if filter.address.len().max(topics_max) > ALTERNATIVES_MAX {
        return Err(RpcError::invalid_params(format!("exceed max addresses or topics: limit {ALTERNATIVES_MAX}")));
    }
    Ok(filter)
}

/// The logs that a filter asks for, in the order of the chain.
pub(crate) fn matching_logs(context: &Context, filter: &Filter) -> Result<Vec<Log>, RpcError> {
    let view = context.node.view();
    let mut found = Vec::new();
    match filter.block_option {
        FilterBlockOption::AtBlockHash(hash) => {
            let unknown = || RpcError::new(RpcError::RESOURCE_NOT_FOUND, "unknown block");
            view.pointer(&hash)?.ok_or_else(unknown)?;
            append(context, &view, &hash, filter, &mut found)?;
        }
        FilterBlockOption::Range { .. } => {
            for number in range(context, &view, filter)? {
                let Some(hash) = view.canonical_hash(number)? else { break };
                append(context, &view, &hash, filter, &mut found)?;
            }
        }
    }
    Ok(found)
}

/// The numbers that a filter spans; without any, the head alone.
fn range(context: &Context, view: &ChainView, filter: &Filter) -> Result<std::ops::RangeInclusive<u64>, RpcError> {
    let FilterBlockOption::Range { from_block, to_block } = filter.block_option else { return Ok(0..=0) };
    let missing = |_| RpcError::new(RpcError::RESOURCE_NOT_FOUND, "the block of a tag is not known yet");
    let number = |tag: Option<_>| tag.map_or(Some(view.head().number()), |tag| number_of(view, tag));
    let from = number(from_block).ok_or(()).map_err(missing)?;
    let to = number(to_block).ok_or(()).map_err(missing)?;
    let max = context.settings.log_blocks_max;
    if from > to {
        return Err(RpcError::invalid_params("invalid block range params"));
    }
    if to > view.head().number() {
        return Err(RpcError::invalid_params("block range extends beyond current head block"));
    }
    if to - from >= max {
        return Err(RpcError::invalid_params(format!("query exceeds max block range {max}")));
    }
    Ok(from..=to)
}

/// Appends a block's logs. Its bloom is looked at first, which costs no receipts.
fn append(
    context: &Context,
    view: &ChainView,
    hash: &B256,
    filter: &Filter,
    found: &mut Vec<Log>,
) -> Result<(), RpcError> {
    let Some(header) = view.header(hash)? else { return Ok(()) };
    if !filter.matches_bloom(header.logs_bloom) {
        return Ok(());
    }
    found.extend(logs_of(view, hash, filter, false)?);
    let max = context.settings.logs_max;
    if found.len() > max {
        let message = format!("query exceeds max results {max}, retry with a smaller range");
        return Err(RpcError::new(RpcError::LIMIT_EXCEEDED, message));
    }
    Ok(())
}

/// The logs of one block that a filter asks for, whatever blocks it names.
pub(crate) fn logs_of(view: &ChainView, hash: &B256, filter: &Filter, removed: bool) -> Result<Vec<Log>, RpcError> {
    let (Some(block), Some(receipts)) = (view.block(hash)?, view.receipts(hash)?) else { return Ok(Vec::new()) };
    let mut anywhere = filter.clone();
    anywhere.block_option = ANY_BLOCK;
    Ok(matching(&anywhere, &block, &receipts, removed))
}

/// The logs of a block that is kept, if the filter's range has it; `removed` if it is not canonical any more.
pub(crate) fn logs_of_kept(kept: &KeptBlock, filter: &Filter, removed: bool) -> Vec<Log> {
    if !filter.matches_bloom(kept.block.header.logs_bloom) {
        return Vec::new();
    }
    matching(filter, &kept.block, &kept.receipts, removed)
}

fn matching(filter: &Filter, block: &SealedBlock, receipts: &[Receipt], removed: bool) -> Vec<Log> {
    let hashes = block.transactions.iter().map(|transaction| *transaction.tx_hash());
    let at = BlockNumHash { number: block.header.number, hash: block.hash };
    filter.matching_block_logs(at, block.header.timestamp, hashes.zip(receipts), removed)
}
