//! The flat comparisons at the end of a block: what was executed against what the header commits to.

use std::sync::Arc;

use alloy_eips::eip7685::Requests;
use alloy_primitives::B256;
use balsa_bal::{FlatList, Limits, ListError, diff, item_count_max};
use balsa_chainspec::{Fork, Rules};

use crate::{InvalidBlock, ReceiptsSummary, SealedBlock, block::ExecutedList};

/// What was executed, to be held against the header.
pub(crate) struct Outcome<'a> {
    pub(crate) gas_used: u64,
    pub(crate) receipts: &'a ReceiptsSummary,
    pub(crate) requests: &'a Requests,
    pub(crate) list: Option<&'a ExecutedList>,
    pub(crate) state_root: B256,
}

/// Compares everything, in the order in which the specification's clients report.
///
/// # Errors
/// The first that differs.
pub(crate) fn check(
    rules: &Rules,
    block: &SealedBlock,
    received: Option<&Result<Arc<FlatList>, ListError>>,
    outcome: &Outcome<'_>,
) -> Result<(), InvalidBlock> {
    let header = &block.header;
    if rules.block_access_lists {
        check_list(rules, block, received, outcome.list)?;
    }
    if outcome.gas_used != header.gas_used {
        return Err(InvalidBlock::GasUsed { executed: outcome.gas_used, header: header.gas_used });
    }
    check_receipts(block, outcome.receipts)?;
    if rules.has(Fork::Prague) {
        let executed = outcome.requests.requests_hash();
        let header = header.requests_hash.unwrap_or_default();
        if executed != header {
            return Err(InvalidBlock::RequestsHash { executed, header });
        }
    }
    if let Some(list) = outcome.list {
        let (executed, header) = (list.hash, header.block_access_list_hash.unwrap_or_default());
        if executed != header {
            return Err(InvalidBlock::ListHash { executed, header });
        }
    }
    if outcome.state_root != header.state_root {
        return Err(InvalidBlock::StateRoot { executed: outcome.state_root, header: header.state_root });
    }
    Ok(())
}

fn check_receipts(block: &SealedBlock, receipts: &ReceiptsSummary) -> Result<(), InvalidBlock> {
    let header = &block.header;
    if receipts.root != header.receipts_root {
        return Err(InvalidBlock::ReceiptsRoot { executed: receipts.root, header: header.receipts_root });
    }
    if receipts.bloom != header.logs_bloom {
        let (executed, header) = (Box::new(receipts.bloom), Box::new(header.logs_bloom));
        return Err(InvalidBlock::LogsBloom { executed, header });
    }
    Ok(())
}

/// The list that came with the block against the one that execution recorded. Where none came, the hash decides.
fn check_list(
    rules: &Rules,
    block: &SealedBlock,
    received: Option<&Result<Arc<FlatList>, ListError>>,
    recorded: Option<&ExecutedList>,
) -> Result<(), InvalidBlock> {
    let Some(recorded) = recorded else { return Ok(()) };
    let received = match received {
        Some(Err(fault)) => return Err(InvalidBlock::List(*fault)),
        Some(Ok(list)) => Some(list),
        None => None,
    };
    let items = received.map_or(0, |list| list.item_count()).max(recorded.items);
    let max = item_count_max(block.header.gas_limit);
    if items > max {
        return Err(InvalidBlock::ListItems { items, max });
    }
    let Some(list) = received.filter(|list| *list.bytes() != recorded.bytes) else { return Ok(()) };
    let recorded = FlatList::decode(recorded.bytes.clone(), &limits(rules, block));
    let first = recorded.ok().and_then(|recorded| diff(list, &recorded).first().map(ToString::to_string));
    Err(InvalidBlock::ListMismatch(first.unwrap_or_else(|| "differs from execution".into())))
}

/// What bounds a list of this block.
pub(crate) fn limits(rules: &Rules, block: &SealedBlock) -> Limits {
    Limits {
        index_max: block.transactions.len() as u32 + 1,
        gas_limit: block.header.gas_limit,
        code_size_max: rules.max_code_size.unwrap_or(usize::MAX),
    }
}
