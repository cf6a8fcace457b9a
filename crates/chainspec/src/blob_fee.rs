//! Excess blob gas and the blob base fee ([EIP-4844](https://eips.ethereum.org/EIPS/eip-4844), with the reserve
//! price of [EIP-7918](https://eips.ethereum.org/EIPS/eip-7918)).

use crate::{BlobRules, Fork, GAS_PER_BLOB, Rules};
use alloy_consensus::Header;
use alloy_primitives::U256;

/// The lowest blob base fee, in wei.
const MIN_BLOB_BASE_FEE: u64 = 1;

/// The execution gas that a blob is worth at least (EIP-7918).
const BLOB_BASE_COST: u128 = 1 << 13;

/// The excess blob gas of the child of `parent`; `None` before Cancun. The limits are the child's.
pub fn excess_blob_gas(rules: &Rules, parent: &Header) -> Option<u64> {
    let blobs = rules.blobs?;
    let parent_excess = parent.excess_blob_gas.unwrap_or(0);
    let parent_used = parent.blob_gas_used.unwrap_or(0);
    let demand = parent_excess.saturating_add(parent_used);
    let Some(above_target) = demand.checked_sub(blobs.target_blob_gas()) else {
        return Some(0);
    };
    if rules.has(Fork::Osaka) && is_below_reserve_price(&blobs, parent, parent_excess) {
        let scaled = u128::from(parent_used) * u128::from(blobs.max.saturating_sub(blobs.target));
        let scaled = scaled.checked_div(u128::from(blobs.max)).unwrap_or(0);
        return Some(parent_excess.saturating_add(u64::try_from(scaled).unwrap_or(u64::MAX)));
    }
    Some(above_target)
}

/// The price of one unit of blob gas in a block with this excess blob gas, in wei; saturates at the
/// largest `u128`.
pub fn blob_base_fee(blobs: &BlobRules, excess_blob_gas: u64) -> u128 {
    fake_exponential(MIN_BLOB_BASE_FEE, excess_blob_gas, blobs.update_fraction)
}

fn is_below_reserve_price(blobs: &BlobRules, parent: &Header, parent_excess: u64) -> bool {
    let reserve_price = BLOB_BASE_COST.saturating_mul(u128::from(parent.base_fee_per_gas.unwrap_or(0)));
    let blob_price = u128::from(GAS_PER_BLOB).saturating_mul(blob_base_fee(blobs, parent_excess));
    reserve_price > blob_price
}

/// `factor * e ** (numerator / denominator)`, by the Taylor expansion that EIP-4844 prescribes.
///
/// The terms outgrow 256 bits, or fall to zero, after a few hundred rounds at most.
fn fake_exponential(factor: u64, numerator: u64, denominator: u64) -> u128 {
    let (numerator, denominator) = (U256::from(numerator), U256::from(denominator.max(1)));
    let mut sum = U256::ZERO;
    let mut term = U256::from(factor) * denominator;
    let mut round = 1_u64;
    while !term.is_zero() {
        let grown = sum.checked_add(term).zip(term.checked_mul(numerator));
        let Some((next_sum, product)) = grown else {
            return u128::MAX;
        };
        sum = next_sum;
        term = product / denominator / U256::from(round);
        round += 1;
    }
    u128::try_from(sum / denominator).unwrap_or(u128::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponential_is_that_of_the_specification() {
        #[track_caller]
        fn check(factor: u64, numerator: u64, denominator: u64, expected: u128) {
            assert_eq!(fake_exponential(factor, numerator, denominator), expected);
        }
        check(1, 0, 1, 1);
        check(38_493, 0, 1_000, 38_493);
        check(0, 1_234, 2_345, 0);
        check(1, 2, 1, 6);
        check(1, 4, 2, 6);
        check(1, 3, 1, 16);
        check(1, 6, 2, 18);
        check(1, 4, 1, 49);
        check(1, 8, 2, 50);
        check(10, 8, 2, 542);
        check(11, 8, 2, 596);
        check(1, 5, 1, 136);
        check(1, 5, 2, 11);
        check(2, 5, 2, 23);
        check(1, 50_000_000, 2_225_652, 5_709_098_764);
        check(1, u64::MAX, 3_338_477, u128::MAX);
        check(1, 1, 0, 2);
    }

    #[track_caller]
    fn check(fork: Fork, excess: u64, used_blobs: u64, base_fee: u64, expected: u64) {
        let parent = Header {
            excess_blob_gas: Some(excess),
            blob_gas_used: Some(used_blobs * GAS_PER_BLOB),
            base_fee_per_gas: Some(base_fee),
            ..Header::default()
        };
        assert_eq!(excess_blob_gas(&Rules::mainnet(fork), &parent), Some(expected), "{fork}");
    }

    #[test]
    fn the_excess_is_what_lies_above_the_target() {
        check(Fork::Cancun, 0, 0, 7, 0);
        check(Fork::Cancun, 0, 3, 7, 0);
        check(Fork::Cancun, 0, 4, 7, GAS_PER_BLOB);
        check(Fork::Cancun, GAS_PER_BLOB, 2, 7, 0);
        check(Fork::Prague, 0, 9, 7, 3 * GAS_PER_BLOB);
        check(Fork::Prague, u64::MAX, 9, 7, u64::MAX - 6 * GAS_PER_BLOB);
    }

    #[test]
    fn below_the_reserve_price_the_excess_does_not_fall() {
        // At a base fee of 7 wei the reserve price is below the price of a blob at its minimum.
        check(Fork::Osaka, 10 * GAS_PER_BLOB, 6, 7, 10 * GAS_PER_BLOB);
        check(Fork::Osaka, 10 * GAS_PER_BLOB, 6, 1_000_000, 12 * GAS_PER_BLOB);
        check(Fork::Osaka, 10 * GAS_PER_BLOB, 0, 1_000_000, 10 * GAS_PER_BLOB);
        check(Fork::Osaka, 0, 0, 1_000_000, 0);
    }

    #[test]
    fn there_is_no_excess_before_cancun() {
        assert_eq!(excess_blob_gas(&Rules::mainnet(Fork::Shanghai), &Header::default()), None);
    }
}
