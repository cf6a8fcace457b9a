//! The block gas limit: how far it may move from block to block.

use crate::{ELASTICITY_MULTIPLIER, Fork, Rules};
use alloy_consensus::Header;

/// The lowest gas limit of a block.
pub const GAS_LIMIT_MIN: u64 = 5_000;

/// The highest gas limit of a block ([EIP-1985](https://eips.ethereum.org/EIPS/eip-1985)).
pub const GAS_LIMIT_MAX: u64 = i64::MAX as u64;

/// The gas limit moves by less than one part in this many.
const GAS_LIMIT_BOUND_DIVISOR: u64 = 1_024;

/// The gas limit of the child of `parent` that is nearest to the `desired` one.
pub fn gas_limit_towards(rules: &Rules, parent_rules: &Rules, parent: &Header, desired: u64) -> u64 {
    let base = gas_limit_base(rules, parent_rules, parent);
    let step = (base / GAS_LIMIT_BOUND_DIVISOR).saturating_sub(1);
    let desired = desired.clamp(GAS_LIMIT_MIN, GAS_LIMIT_MAX);
    desired.clamp(base.saturating_sub(step), base.saturating_add(step))
}

/// The gas limit from which that of the child of `parent` may move: the parent's, doubled where London
/// makes the gas target out of the gas limit.
pub(crate) fn gas_limit_base(rules: &Rules, parent_rules: &Rules, parent: &Header) -> u64 {
    if rules.has(Fork::London) && !parent_rules.has(Fork::London) {
        parent.gas_limit.saturating_mul(ELASTICITY_MULTIPLIER)
    } else {
        parent.gas_limit
    }
}

/// Whether a gas limit may follow `base`.
pub(crate) fn is_within_bound(base: u64, gas_limit: u64) -> bool {
    gas_limit.abs_diff(base) < base / GAS_LIMIT_BOUND_DIVISOR
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(parent: u64, desired: u64, expected: u64) {
        let rules = Rules::mainnet(Fork::Prague);
        let header = Header { gas_limit: parent, ..Header::default() };
        let limit = gas_limit_towards(&rules, &rules, &header, desired);
        assert_eq!(limit, expected);
        assert!(limit == parent || is_within_bound(parent, limit));
    }

    #[test]
    fn the_limit_moves_towards_the_desired_one() {
        check(30_000_000, 30_000_000, 30_000_000);
        check(30_000_000, 60_000_000, 30_029_295);
        check(30_000_000, 15_000_000, 29_970_705);
        check(30_000_000, 30_000_001, 30_000_001);
        check(5_000, 0, 5_000);
        check(5_000, 6_000, 5_003);
    }

    #[test]
    fn london_doubles_the_limit() {
        let header = Header { gas_limit: 10_000_000, ..Header::default() };
        let (berlin, london) = (Rules::mainnet(Fork::Berlin), Rules::mainnet(Fork::London));
        assert_eq!(gas_limit_towards(&london, &berlin, &header, 20_000_000), 20_000_000);
        assert_eq!(gas_limit_towards(&london, &london, &header, 20_000_000), 10_009_764);
    }
}
