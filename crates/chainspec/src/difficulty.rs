//! The difficulty of a proof-of-work block, and its bomb.
//!
//! Yellow Paper, section 4.3.4; [EIP-2](https://eips.ethereum.org/EIPS/eip-2) for Homestead,
//! [EIP-100](https://eips.ethereum.org/EIPS/eip-100) for Byzantium. The bomb was put off by EIPs 649, 1234, 2384, 3554,
//! 4345 and 5133: the delay stands in the fork's row.

use crate::{Fork, Rules};
use alloy_consensus::{EMPTY_OMMER_ROOT_HASH, Header};
use alloy_primitives::U256;

/// The lowest difficulty.
const DIFFICULTY_MIN: U256 = U256::from_limbs([131_072, 0, 0, 0]);

/// The difficulty moves in steps of one part in this many.
const DIFFICULTY_BOUND_DIVISOR: U256 = U256::from_limbs([2_048, 0, 0, 0]);

/// The most steps that the difficulty may fall by.
const STEPS_DOWN_MAX: u64 = 99;

/// The bomb doubles once in this many blocks.
const BOMB_PERIOD: u64 = 100_000;

/// The difficulty of the child of `parent` with this timestamp; zero after the merge.
///
/// `timestamp` must lie after the parent's, which is a header rule of its own: an earlier one counts as equal.
pub fn difficulty(rules: &Rules, parent: &Header, timestamp: u64) -> U256 {
    let Some(bomb_delay) = rules.difficulty_bomb_delay else {
        return U256::ZERO;
    };
    let step = parent.difficulty / DIFFICULTY_BOUND_DIVISOR;
    let seconds = timestamp.saturating_sub(parent.timestamp);
    let moved = match steps(rules, parent, seconds) {
        Steps::Up(count) => parent.difficulty.saturating_add(step.saturating_mul(U256::from(count))),
        Steps::Down(count) => parent.difficulty - step * U256::from(count),
    };
    // The bomb's part counts before the lowest difficulty does, as in the Yellow Paper. Some clients raise first and
    // then add: no chain ever told the two apart, the official tests do.
    moved.saturating_add(bomb(parent.number.saturating_add(1), bomb_delay)).max(DIFFICULTY_MIN)
}

enum Steps {
    Up(u64),
    Down(u64),
}

fn steps(rules: &Rules, parent: &Header, seconds: u64) -> Steps {
    let (up, down) = if rules.has(Fork::Byzantium) {
        let has_ommers = parent.ommers_hash != EMPTY_OMMER_ROOT_HASH;
        (1 + u64::from(has_ommers), seconds / 9)
    } else if rules.has(Fork::Homestead) {
        (1, seconds / 10)
    } else {
        (u64::from(seconds < 13), u64::from(seconds >= 13))
    };
    if up >= down { Steps::Up(up - down) } else { Steps::Down((down - up).min(STEPS_DOWN_MAX)) }
}

fn bomb(number: u64, delay: u64) -> U256 {
    match (number.saturating_sub(delay) / BOMB_PERIOD).checked_sub(2) {
        None => U256::ZERO,
        // Long before 256 periods no block could be mined, and the number is only a claim.
        Some(doublings) => U256::ONE.checked_shl(usize::try_from(doublings).unwrap_or(256)).unwrap_or(U256::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::B256;

    #[track_caller]
    fn check(fork: Fork, number: u64, parent: u64, seconds: u64, ommers: bool, expected: u64) {
        let parent = Header {
            number: number - 1,
            difficulty: U256::from(parent),
            timestamp: 1_000,
            ommers_hash: if ommers { B256::ZERO } else { EMPTY_OMMER_ROOT_HASH },
            ..Header::default()
        };
        let found = difficulty(&Rules::mainnet(fork), &parent, 1_000 + seconds);
        assert_eq!(found, U256::from(expected), "{fork}, block {number}, {seconds} s");
    }

    #[test]
    fn difficulty_follows_the_block_time() {
        check(Fork::Frontier, 1, 2_048_000, 12, false, 2_049_000);
        check(Fork::Frontier, 1, 2_048_000, 13, false, 2_047_000);
        check(Fork::Homestead, 1, 2_048_000, 9, false, 2_049_000);
        check(Fork::Homestead, 1, 2_048_000, 19, false, 2_048_000);
        check(Fork::Homestead, 1, 2_048_000, 20, false, 2_047_000);
        check(Fork::Homestead, 1, 2_048_000, 100_000, false, 1_949_000);
        check(Fork::Byzantium, 1, 2_048_000, 8, true, 2_050_000);
        check(Fork::Byzantium, 1, 2_048_000, 9, false, 2_048_000);
        check(Fork::Byzantium, 1, 2_048_000, 18, true, 2_048_000);
        check(Fork::GrayGlacier, 1, 131_072, 100_000, true, 131_072);
        check(Fork::Paris, 1, 131_072, 1, false, 0);
    }

    #[test]
    fn the_bomb_is_put_off() {
        check(Fork::Frontier, 199_999, 2_048_000, 13, false, 2_047_000);
        check(Fork::Frontier, 200_000, 2_048_000, 13, false, 2_047_001);
        check(Fork::Frontier, 1_200_000, 2_048_000, 13, false, 2_047_000 + 1_024);
        check(Fork::Byzantium, 3_199_999, 2_048_000, 90, false, 2_039_000);
        check(Fork::Byzantium, 3_300_000, 2_048_000, 90, false, 2_039_002);
        check(Fork::Istanbul, 5_300_000, 2_048_000, 90, false, 2_039_002);
        check(Fork::MuirGlacier, 9_300_000, 2_048_000, 90, false, 2_039_002);
        check(Fork::London, 10_000_000, 2_048_000, 90, false, 2_039_002);
        check(Fork::ArrowGlacier, 11_000_000, 2_048_000, 90, false, 2_039_002);
        check(Fork::GrayGlacier, 11_700_000, 2_048_000, 90, false, 2_039_002);
    }

    #[test]
    fn the_bomb_counts_before_the_lowest_difficulty() {
        check(Fork::Frontier, 200_000, 131_072, 13, false, 131_072);
        check(Fork::Frontier, 1_200_000, 131_072, 13, false, 131_072 - 64 + 1_024);
    }

    #[test]
    fn claimed_numbers_do_not_overflow() {
        let parent = Header { number: u64::MAX, difficulty: U256::MAX, ..Header::default() };
        assert_eq!(difficulty(&Rules::mainnet(Fork::Frontier), &parent, 0), U256::MAX);
    }
}
