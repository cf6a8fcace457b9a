//! Which way a block is executed, and why.

use std::sync::Arc;

use balsa_bal::{FlatList, ListError};
use balsa_chainspec::Rules;

use crate::SealedBlock;

/// Below this much estimated work waking the pool costs more than it saves.
const INLINE_WORK_MAX_NS: u64 = 150_000;

/// Estimated cost of a transaction apart from what it touches: signature aside, validation and fees.
const TRANSACTION_NS: u64 = 4_000;

/// Estimated cost of a listed account or slot: a read, a look-up, a share of the opcodes between.
const ITEM_NS: u64 = 400;

/// What the operator asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExecutionMode {
    /// In parallel where a list allows it.
    #[default]
    Auto,
    /// Never in parallel: to compare, and to find faults.
    Sequential,
    /// As [`Auto`](Self::Auto), but small blocks too go to the pool: for tests.
    Parallel,
}

/// Why a block is not executed in parallel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SequentialReason {
    /// The operator said so.
    Asked,
    /// Somebody watches the transactions, who wants them in their order.
    Observed,
    /// The fork has no lists, or none came with the block.
    NoList,
    /// The list's bytes do not decode: the verdict is known, the reason is for the sequential run to find.
    ListFault,
    /// The list has more items than the gas limit allows, or is not what the header commits to.
    ListRefused,
}

/// How to execute a block.
pub(crate) enum Plan<'a> {
    Sequential(SequentialReason),
    Parallel { list: &'a Arc<FlatList>, inline: bool },
}

/// Decides. The one place where a block is kept from the parallel path.
pub(crate) fn plan<'a>(
    mode: ExecutionMode,
    rules: &Rules,
    block: &SealedBlock,
    list: Option<&'a Result<Arc<FlatList>, ListError>>,
) -> Plan<'a> {
    if mode == ExecutionMode::Sequential {
        return Plan::Sequential(SequentialReason::Asked);
    }
    let Some(list) = list.filter(|_| rules.block_access_lists) else {
        return Plan::Sequential(SequentialReason::NoList);
    };
    let Ok(list) = list else { return Plan::Sequential(SequentialReason::ListFault) };
    if list.check_item_cap().is_err() {
        return Plan::Sequential(SequentialReason::ListRefused);
    }
    let work = block.transactions.len() as u64 * TRANSACTION_NS + list.item_count() * ITEM_NS;
    let inline = mode == ExecutionMode::Auto && work < INLINE_WORK_MAX_NS;
    Plan::Parallel { list, inline }
}
