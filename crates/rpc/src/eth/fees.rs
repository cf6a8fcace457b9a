//! What it costs to be included.

use alloy_consensus::Transaction as _;
use alloy_primitives::U256;
use balsa_chain::ChainView;
use balsa_executor::SealedBlock;
use balsa_node::pool_head;
use balsa_txpool::Head;

use crate::{Context, Methods, Params, RpcError};

/// Blocks that a suggested tip is taken from.
const SAMPLED_BLOCKS: usize = 20;

/// Tips taken from each of them: the lowest that were enough.
const SAMPLED_TIPS: usize = 3;

/// Of all these, the tip that so many percent of them do not exceed is suggested.
const SUGGESTED_PERCENTILE: usize = 60;

/// Tips below this are of transactions that their own block builder put there, in wei a gas.
const TIP_IGNORED_BELOW: u128 = 2;

/// What is suggested where no block says anything, in wei a gas.
const TIP_DEFAULT: u128 = 1_000_000_000;

/// The most that is suggested, in wei a gas.
const TIP_MAX: u128 = 500_000_000_000;

pub(crate) fn register(methods: &mut Methods) {
    methods.add("eth_baseFee", 0, base_fee);
    methods.add("eth_blobBaseFee", 0, blob_fee);
    methods.add("eth_gasPrice", 0, gas_price);
    methods.add("eth_maxPriorityFeePerGas", 0, max_priority_fee);
}

/// Of the next block; `null` before London.
fn base_fee(context: &Context, _: Params) -> Result<Option<U256>, RpcError> {
    let next = next_block(context)?;
    Ok(next.rules.has(balsa_chainspec::Fork::London).then(|| U256::from(next.base_fee)))
}

/// Of the next block; 0 before Cancun.
fn blob_fee(context: &Context, _: Params) -> Result<U256, RpcError> {
    Ok(U256::from(next_block(context)?.blob_base_fee))
}

fn gas_price(context: &Context, _: Params) -> Result<U256, RpcError> {
    let next = next_block(context)?;
    Ok(U256::from(suggested_tip(&context.node.view())?) + U256::from(next.base_fee))
}

fn max_priority_fee(context: &Context, _: Params) -> Result<U256, RpcError> {
    Ok(U256::from(suggested_tip(&context.node.view())?))
}

/// What is known of the block after the head.
pub(crate) fn next_block(context: &Context) -> Result<Head, RpcError> {
    pool_head(&context.node.view()).ok_or_else(|| RpcError::internal("the head has no state"))
}

/// A tip that recent blocks found to be enough, in wei a gas.
pub(crate) fn suggested_tip(view: &ChainView) -> Result<u128, RpcError> {
    let mut tips = Vec::new();
    let mut hash = view.head().hash();
    for _ in 0..SAMPLED_BLOCKS {
        let Some(block) = view.block(&hash)? else { break };
        tips.extend(lowest_tips(&block));
        hash = block.header.parent_hash;
    }
    tips.sort_unstable();
    let at = tips.len().saturating_sub(1) * SUGGESTED_PERCENTILE / 100;
    Ok(tips.get(at).copied().unwrap_or(TIP_DEFAULT).min(TIP_MAX))
}

fn lowest_tips(block: &SealedBlock) -> Vec<u128> {
    let base_fee = block.header.base_fee_per_gas.unwrap_or_default();
    let tips = block.transactions.iter().filter_map(|transaction| transaction.effective_tip_per_gas(base_fee));
    let mut tips: Vec<u128> = tips.filter(|tip| *tip >= TIP_IGNORED_BELOW).collect();
    tips.sort_unstable();
    tips.truncate(SAMPLED_TIPS);
    tips
}
