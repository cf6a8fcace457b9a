//! eth_simulateV1: blocks of calls, each on the state that the one before it left.

use std::sync::Arc;

use alloy_consensus::{EMPTY_OMMER_ROOT_HASH, Header};
use alloy_eips::eip4895::Withdrawals;
use alloy_primitives::{B256, U64, U256};
use alloy_rpc_types_eth::TransactionRequest;
use balsa_chainspec::{ChainSpec, Fork, Rules, base_fee_per_gas, excess_blob_gas};
use balsa_executor::Parent;
use balsa_state::Layer;
use serde::Deserialize;

use crate::{
    Base, BlockOverrides, Limits, SimulateError, SimulatedBlock, StateOverrides,
    base::lenient_hashes,
    limits::Deadline,
    simulated_block::{BlockRun, Switches},
    simulated_calls::Budget,
};

/// The most calls of one block.
const BLOCK_CALLS_MAX: usize = 5_000;
/// The most calls of one request.
const CALLS_MAX: usize = 10_000;
/// Between the timestamps of blocks, where nothing else is asked for.
const SLOT_SECONDS: u64 = 12;

/// Blocks that are to be simulated.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct SimulateRequest {
    /// The blocks, in order. Numbers may have gaps, which empty blocks fill.
    pub block_state_calls: Vec<BlockStateCall>,
    /// Whether transfers of wei are logged too.
    pub trace_transfers: bool,
    /// Whether nonces, balances and fees are held to the protocol's rules.
    pub validation: bool,
    /// Whether the answer has transactions in full; nothing here depends on it.
    pub return_full_transactions: bool,
}

/// One block that is to be simulated.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct BlockStateCall {
    /// Fields that are to be otherwise than they would be.
    pub block_overrides: Option<BlockOverrides>,
    /// State that is to be otherwise from this block on.
    pub state_overrides: Option<StateOverrides>,
    /// The calls.
    pub calls: Vec<TransactionRequest>,
}

/// Simulates blocks on a base, gaps between them filled.
///
/// # Errors
/// The first that keeps a block from being made. A call that runs and fails is no error.
pub fn simulate_blocks(
    base: Base<'_>,
    request: SimulateRequest,
    limits: &Limits,
) -> Result<Vec<SimulatedBlock>, SimulateError> {
    check_counts(&request, limits.blocks_max)?;
    let switches = Switches { validation: request.validation, transfers: request.trace_transfers };
    let planned = plan(&base.block.header, request.block_state_calls, limits.blocks_max)?;
    let mut budget = Budget::new(limits);
    let deadline = Deadline::start(limits);
    let codes = Arc::default();

    let mut blocks = Vec::with_capacity(planned.len());
    let mut made: Option<Parent> = None;
    for block in planned {
        let parent = made.as_ref().unwrap_or(base.block);
        let (rules, header) = header(base.spec, parent, &block.overrides, request.validation)?;
        let run = BlockRun { codes: &codes, parent, rules, header, block: &block, switches, deadline };
        let done = run.execute(&mut budget)?;
        let layer = Arc::new(Layer::new(done.diff));
        let next = Parent {
            header: done.block.header.clone(),
            hash: done.block.hash,
            state: parent.state.child(layer),
            trie: done.trie,
            nodes: parent.nodes.clone(),
            hashes: lenient_hashes(done.block.header.number.saturating_add(1), done.block.hash, &parent.hashes),
        };
        blocks.push(done.block);
        made = Some(next);
    }
    Ok(blocks)
}

fn check_counts(request: &SimulateRequest, blocks_max: usize) -> Result<(), SimulateError> {
    let blocks = &request.block_state_calls;
    if blocks.is_empty() {
        return Err(SimulateError::Empty);
    }
    if blocks.len() > blocks_max {
        return Err(SimulateError::TooManyBlocks);
    }
    let largest = blocks.iter().map(|block| block.calls.len()).max().unwrap_or(0);
    let all = blocks.iter().map(|block| block.calls.len()).sum();
    for (count, max) in [(largest, BLOCK_CALLS_MAX), (all, CALLS_MAX)] {
        if count > max {
            return Err(SimulateError::TooManyCalls { count, max });
        }
    }
    Ok(())
}

/// A block whose number and timestamp are settled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PlannedBlock {
    pub(crate) overrides: BlockOverrides,
    pub(crate) state: StateOverrides,
    pub(crate) calls: Vec<TransactionRequest>,
}

/// Settles numbers and timestamps, and fills gaps.
fn plan(base: &Header, blocks: Vec<BlockStateCall>, blocks_max: usize) -> Result<Vec<PlannedBlock>, SimulateError> {
    let mut planned = Vec::with_capacity(blocks.len());
    let (mut previous, mut time) = (base.number, base.timestamp);
    for block in blocks {
        let mut overrides = block.block_overrides.unwrap_or_default();
        let number = overrides.number.unwrap_or_else(|| U256::from(previous) + U256::ONE);
        if number <= U256::from(previous) {
            return Err(SimulateError::NumberOrder { number, previous });
        }
        if number - U256::from(base.number) > U256::from(blocks_max) {
            return Err(SimulateError::TooManyBlocks);
        }
        let number = u64::try_from(number).map_err(|_| SimulateError::EndOfTime)?;
        for gap in previous + 1..number {
            time = time.checked_add(SLOT_SECONDS).ok_or(SimulateError::EndOfTime)?;
            planned.push(PlannedBlock { overrides: at(BlockOverrides::default(), gap, time), ..Default::default() });
        }
        let timestamp = match overrides.time {
            Some(timestamp) => timestamp.to(),
            None => time.checked_add(SLOT_SECONDS).ok_or(SimulateError::EndOfTime)?,
        };
        if timestamp <= time {
            return Err(SimulateError::TimestampOrder { timestamp, previous: time });
        }
        overrides = at(overrides, number, timestamp);
        let state = block.state_overrides.unwrap_or_default();
        planned.push(PlannedBlock { overrides, state, calls: block.calls });
        (previous, time) = (number, timestamp);
    }
    Ok(planned)
}

fn at(overrides: BlockOverrides, number: u64, time: u64) -> BlockOverrides {
    BlockOverrides { number: Some(U256::from(number)), time: Some(U64::from(time)), ..overrides }
}

/// The rules of a simulated block, and its header as far as it is fixed before execution. Gas limit, fee recipient and
/// difficulty are the parent's where nothing else is asked for.
fn header(
    spec: &ChainSpec,
    parent: &Parent,
    overrides: &BlockOverrides,
    validation: bool,
) -> Result<(Rules, Header), SimulateError> {
    let mut header = Header {
        parent_hash: parent.hash,
        ommers_hash: EMPTY_OMMER_ROOT_HASH,
        beneficiary: parent.header.beneficiary,
        difficulty: parent.header.difficulty,
        gas_limit: parent.header.gas_limit,
        ..Header::default()
    };
    overrides.apply(&mut header)?;
    let proof_of_stake = spec.is_proof_of_stake(&parent.header) || is_past_merge(spec, &header);
    if proof_of_stake {
        header.difficulty = overrides.difficulty.unwrap_or_default();
    }
    let rules = spec.rules_at(header.number, header.timestamp, proof_of_stake);
    let parent_rules = spec.rules_of(&parent.header);
    if rules.has(Fork::London) && header.base_fee_per_gas.is_none() {
        // Without validation nobody need pay for gas, so that a call that names no fee can be run.
        header.base_fee_per_gas =
            if validation { base_fee_per_gas(&rules, &parent_rules, &parent.header) } else { Some(0) };
    }
    if rules.has(Fork::Shanghai) {
        header.withdrawals_root = Some(balsa_state::EMPTY_ROOT);
    }
    if rules.has(Fork::Cancun) {
        header.excess_blob_gas = excess_blob_gas(&rules, &parent.header);
        header.blob_gas_used = Some(0);
        header.parent_beacon_block_root = Some(overrides.beacon_root.unwrap_or(B256::ZERO));
    }
    if rules.has(Fork::Amsterdam) {
        header.slot_number = Some(parent.header.slot_number.map_or(0, |slot| slot.saturating_add(1)));
    }
    Ok((rules, header))
}

/// Whether the schedule itself says that proof of work is over.
fn is_past_merge(spec: &ChainSpec, header: &Header) -> bool {
    spec.terminal_total_difficulty.is_some()
        && (spec.merge_netsplit_block.is_some_and(|block| header.number >= block)
            || spec.schedule.fork_at_timestamp(header.timestamp) >= Fork::Shanghai)
}

/// The withdrawals of a block that has any.
pub(crate) fn withdrawals(rules: &Rules, overrides: &BlockOverrides) -> Option<Withdrawals> {
    rules.has(Fork::Shanghai).then(|| overrides.withdrawals.clone().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(number: Option<u64>, time: Option<u64>) -> BlockStateCall {
        let overrides =
            BlockOverrides { number: number.map(U256::from), time: time.map(U64::from), ..BlockOverrides::default() };
        BlockStateCall { block_overrides: Some(overrides), ..BlockStateCall::default() }
    }

    fn base() -> Header {
        Header { number: 10, timestamp: 100, ..Header::default() }
    }

    #[test]
    fn gaps_are_filled_a_slot_apart() {
        let planned = plan(&base(), vec![block(Some(13), None), block(None, Some(200))], 256).unwrap();
        let at =
            |block: &PlannedBlock| (block.overrides.number.unwrap().to::<u64>(), block.overrides.time.unwrap().to());
        assert_eq!(planned.iter().map(at).collect::<Vec<_>>(), [(11, 112), (12, 124), (13, 136), (14, 200)]);
    }

    #[test]
    fn what_is_out_of_order_or_too_far_is_refused() {
        #[track_caller]
        fn check(blocks: Vec<BlockStateCall>, code: i32) {
            assert_eq!(plan(&base(), blocks, 256).unwrap_err().code(), code);
        }
        check(vec![block(Some(10), None)], -38020);
        check(vec![block(Some(12), None), block(Some(12), None)], -38020);
        check(vec![block(None, Some(100))], -38021);
        check(vec![block(Some(12), Some(112))], -38021);
        check(vec![block(Some(10 + 257), None)], -38026);
        check(vec![block(None, Some(u64::MAX)), block(None, None)], -38020);
        let mut huge = block(None, None);
        huge.block_overrides.as_mut().unwrap().number = Some(U256::MAX);
        check(vec![huge], -38026);
        assert_eq!(plan(&base(), vec![block(Some(10 + 256), None)], 256).unwrap().len(), 256);
    }
}
