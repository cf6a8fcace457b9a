//! Fees of past blocks (`eth_feeHistory`).

use alloy_consensus::{Header, Transaction as _};
use alloy_eips::BlockNumberOrTag;
use alloy_primitives::{B256, U64};
use alloy_rpc_types_eth::FeeHistory;
use balsa_chain::ChainView;
use balsa_chainspec::{base_fee_per_gas, blob_base_fee, excess_blob_gas};
use serde::Deserialize;

use super::block_id::number_of;
use crate::{Context, Methods, Params, RpcError};

/// Blocks that one call may ask for.
const BLOCKS_MAX: u64 = 1024;

/// Percentiles that one call may ask for.
const PERCENTILES_MAX: usize = 100;

pub(crate) fn register(methods: &mut Methods) {
    methods.add("eth_feeHistory", 3, fee_history);
}

/// A count as a number, or as hexadecimal.
#[derive(Deserialize)]
#[serde(untagged)]
enum Count {
    Number(u64),
    Hex(U64),
}

fn fee_history(context: &Context, mut params: Params) -> Result<FeeHistory, RpcError> {
    let count = match params.required("blockCount")? {
        Count::Number(count) => count,
        Count::Hex(count) => count.to(),
    };
    let newest: BlockNumberOrTag = params.required("newestBlock")?;
    let percentiles: Vec<f64> = params.optional("rewardPercentiles")?.unwrap_or_default();
    check(&percentiles)?;
    let view = context.node.view();
    let unknown = || RpcError::new(RpcError::RESOURCE_NOT_FOUND, "the block of a tag is not known yet");
    let newest = number_of(&view, newest).ok_or_else(unknown)?;
    if newest > view.head().number() {
        let head = view.head().number();
        return Err(RpcError::invalid_params(format!("request beyond head block: requested {newest}, head {head}")));
    }
    let count = count.min(BLOCKS_MAX).min(newest + 1);
    let mut history = FeeHistory { oldest_block: (newest + 1) - count, ..FeeHistory::default() };
    if count == 0 {
        return Ok(FeeHistory { oldest_block: 0, ..history });
    }
    history.reward = (!percentiles.is_empty()).then(Vec::new);
    for number in history.oldest_block..=newest {
        push(&view, number, &percentiles, &mut history)?;
    }
    Ok(history)
}

fn check(percentiles: &[f64]) -> Result<(), RpcError> {
    let in_range = percentiles.iter().all(|percentile| (0.0..=100.0).contains(percentile));
    if percentiles.len() > PERCENTILES_MAX || !in_range || !percentiles.is_sorted() {
        let message = format!("invalid reward percentile: up to {PERCENTILES_MAX}, rising, from 0 to 100");
        return Err(RpcError::invalid_params(message));
    }
    Ok(())
}

/// Adds a block; the fees of the one after it stand last, and are replaced when that one is added.
fn push(view: &ChainView, number: u64, percentiles: &[f64], history: &mut FeeHistory) -> Result<(), RpcError> {
    let missing = || RpcError::internal(format!("canonical block {number} is missing"));
    let hash = view.canonical_hash(number)?.ok_or_else(missing)?;
    let header = view.header(&hash)?.ok_or_else(missing)?;
    let spec = view.spec();
    let rules = spec.rules_of(&header);
    history.base_fee_per_gas.pop();
    history.base_fee_per_blob_gas.pop();
    history.base_fee_per_gas.push(header.base_fee_per_gas.unwrap_or_default().into());
    history.base_fee_per_blob_gas.push(match (rules.blobs, header.excess_blob_gas) {
        (Some(blobs), Some(excess)) => blob_base_fee(&blobs, excess),
        _ => 0,
    });
    history.gas_used_ratio.push(ratio(header.gas_used, header.gas_limit));
    let blobs_max = rules.blobs.map_or(0, |blobs| blobs.max * balsa_chainspec::GAS_PER_BLOB);
    history.blob_gas_used_ratio.push(ratio(header.blob_gas_used.unwrap_or_default(), blobs_max));
    if let Some(rewards) = &mut history.reward {
        rewards.push(rewards_of(view, &hash, &header, percentiles)?);
    }

    // The fork of the next block is taken to be that of the next second.
    let next = spec.rules_at(number + 1, header.timestamp.saturating_add(1), spec.is_proof_of_stake(&header));
    history.base_fee_per_gas.push(base_fee_per_gas(&next, &rules, &header).unwrap_or_default().into());
    let blob_fee =
        next.blobs.zip(excess_blob_gas(&next, &header)).map_or(0, |(blobs, excess)| blob_base_fee(&blobs, excess));
    history.base_fee_per_blob_gas.push(blob_fee);
    Ok(())
}

fn ratio(used: u64, of: u64) -> f64 {
    if of == 0 { 0.0 } else { used as f64 / of as f64 }
}

/// The tips at these percentiles of the block's gas, in wei a gas.
fn rewards_of(view: &ChainView, hash: &B256, header: &Header, percentiles: &[f64]) -> Result<Vec<u128>, RpcError> {
    let (Some(block), Some(receipts)) = (view.block(hash)?, view.receipts(hash)?) else { return Ok(Vec::new()) };
    let base_fee = header.base_fee_per_gas.unwrap_or_default();
    let mut gas_before = 0;
    let mut tips: Vec<(u128, u64)> = Vec::with_capacity(receipts.len());
    for (transaction, receipt) in block.transactions.iter().zip(receipts.iter()) {
        let gas_used = receipt.cumulative_gas_used() - gas_before;
        gas_before = receipt.cumulative_gas_used();
        tips.push((transaction.effective_tip_per_gas(base_fee).unwrap_or_default(), gas_used));
    }
    tips.sort_unstable();
    Ok(percentiles.iter().map(|percentile| tip_at(&tips, (gas_before as f64 * percentile / 100.0) as u64)).collect())
}

/// The tip of the transaction that uses this unit of the block's gas; tips are in rising order.
fn tip_at(tips: &[(u128, u64)], threshold: u64) -> u128 {
    let mut gas = 0;
    for (tip, gas_used) in tips {
        gas += gas_used;
        if gas >= threshold {
            return *tip;
        }
    }
    tips.last().map_or(0, |(tip, _)| *tip)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tips_are_weighed_by_gas() {
        let tips = [(1, 21_000), (5, 100_000), (9, 21_000)];
        for (threshold, tip) in [(0, 1), (21_000, 1), (21_001, 5), (121_000, 5), (121_001, 9), (u64::MAX, 9)] {
            assert_eq!(tip_at(&tips, threshold), tip, "{threshold}");
        }
        assert_eq!(tip_at(&[], 0), 0);
    }

    #[test]
    fn percentiles_rise_and_are_few() {
        assert!(check(&[0.0, 50.0, 50.0, 100.0]).is_ok());
        for wrong in [vec![1.0, 0.5], vec![-1.0], vec![100.1], vec![f64::NAN], vec![1.0; 101]] {
            assert!(check(&wrong).is_err(), "{wrong:?}");
        }
    }
}
