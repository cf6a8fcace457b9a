//! The base fee per gas ([EIP-1559](https://eips.ethereum.org/EIPS/eip-1559)).

use crate::{Fork, Rules};
use alloy_consensus::Header;

/// The base fee of the first block that has one, in wei.
pub const INITIAL_BASE_FEE: u64 = 1_000_000_000;

/// By how much the gas limit exceeds the gas target.
pub const ELASTICITY_MULTIPLIER: u64 = 2;

/// The base fee changes by at most one part in this many from block to block.
const BASE_FEE_MAX_CHANGE_DENOMINATOR: u64 = 8;

/// The base fee of the child of `parent`, in wei; `None` before London.
pub fn base_fee_per_gas(rules: &Rules, parent_rules: &Rules, parent: &Header) -> Option<u64> {
    if !rules.has(Fork::London) {
        return None;
    }
    match parent.base_fee_per_gas {
        Some(parent_fee) if parent_rules.has(Fork::London) => {
            Some(next_base_fee(parent_fee, parent.gas_used, parent.gas_limit))
        }
        _ => Some(INITIAL_BASE_FEE),
    }
}

fn next_base_fee(parent_fee: u64, gas_used: u64, gas_limit: u64) -> u64 {
    let target = gas_limit / ELASTICITY_MULTIPLIER;
    // A gas limit below 2 passes no other rule; it must not divide by zero here.
    let change = |distance: u64| {
        let scaled = u128::from(parent_fee) * u128::from(distance) / u128::from(target.max(1));
        u64::try_from(scaled / u128::from(BASE_FEE_MAX_CHANGE_DENOMINATOR)).unwrap_or(u64::MAX)
    };
    match gas_used.cmp(&target) {
        std::cmp::Ordering::Equal => parent_fee,
        std::cmp::Ordering::Greater => parent_fee.saturating_add(change(gas_used - target).max(1)),
        std::cmp::Ordering::Less => parent_fee.saturating_sub(change(target - gas_used)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(parent_fee: u64, gas_used: u64, gas_limit: u64, expected: u64) {
        let parent = Header { base_fee_per_gas: Some(parent_fee), gas_used, gas_limit, ..Header::default() };
        let rules = Rules::mainnet(Fork::London);
        assert_eq!(base_fee_per_gas(&rules, &rules, &parent), Some(expected));
    }

    #[test]
    fn the_fee_follows_the_gas_used() {
        check(1_000_000_000, 10_000_000, 20_000_000, 1_000_000_000);
        check(1_000_000_000, 9_000_000, 20_000_000, 987_500_000);
        check(1_000_000_000, 11_000_000, 20_000_000, 1_012_500_000);
        check(1_000_000_000, 20_000_000, 20_000_000, 1_125_000_000);
        check(1_000_000_000, 0, 20_000_000, 875_000_000);
        check(7, 20_000_000, 20_000_000, 8);
        check(7, 0, 20_000_000, 7);
        check(u64::MAX, 20_000_000, 20_000_000, u64::MAX);
        check(7, 0, 0, 7);
    }

    #[test]
    fn the_first_london_block_starts_from_the_initial_fee() {
        let (berlin, london) = (Rules::mainnet(Fork::Berlin), Rules::mainnet(Fork::London));
        let parent = Header::default();
        assert_eq!(base_fee_per_gas(&berlin, &berlin, &parent), None);
        assert_eq!(base_fee_per_gas(&london, &berlin, &parent), Some(INITIAL_BASE_FEE));
    }
}
