//! The generator of every random choice: xoshiro256** seeded through keccak.
//!
//! Own code, because the streams are part of the fixtures: a fixture is a seed, and the head hash committed beside it
//! holds only as long as the numbers drawn from that seed never change. No library promises that for its default.

use alloy_primitives::{B256, U256, keccak256};

/// A stream of pseudo-random numbers, fixed by its seed and label for ever.
#[derive(Clone, Debug)]
pub struct Random {
    state: [u64; 4],
}

impl Random {
    /// The stream named `label` under `seed`. Streams of different labels are independent, so that a draw more in one
    /// of them leaves all others as they were.
    #[must_use]
    pub fn stream(seed: u64, label: &str) -> Self {
        let digest = keccak256([&seed.to_be_bytes(), label.as_bytes()].concat());
        let mut words = digest.chunks_exact(8);
        let state = std::array::from_fn(|_| {
            words.next().map_or(0, |word| word.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
        });
        Self { state }
    }

    /// The next 64 bits.
    pub const fn word(&mut self) -> u64 {
        let result = self.state[1].wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let shifted = self.state[1] << 17;
        self.state[2] ^= self.state[0];
        self.state[3] ^= self.state[1];
        self.state[1] ^= self.state[2];
        self.state[0] ^= self.state[3];
        self.state[2] ^= shifted;
        self.state[3] = self.state[3].rotate_left(45);
        result
    }

    /// A number below `bound`; 0 where the bound is 0. By multiplication: the bias is below `bound / 2^64`.
    pub const fn below(&mut self, bound: u64) -> u64 {
        ((self.word() as u128 * bound as u128) >> 64) as u64
    }

    /// An index below `length`; 0 where there is nothing to index.
    pub const fn index(&mut self, length: usize) -> usize {
        self.below(length as u64) as usize
    }

    /// A number in `low..=high`.
    pub const fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low).saturating_add(1))
    }

    /// True in `permille` of a thousand cases.
    pub const fn chance(&mut self, permille: u64) -> bool {
        self.below(1000) < permille
    }

    /// 32 random bytes.
    pub fn hash(&mut self) -> B256 {
        let words: [u64; 4] = std::array::from_fn(|_| self.word());
        B256::from(U256::from_limbs(words).to_be_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_published_algorithm() {
        // The first outputs of xoshiro256** for the state 1, 2, 3, 4, as its authors' reference code gives them.
        let mut random = Random { state: [1, 2, 3, 4] };
        let expected = [11520, 0, 1_509_978_240, 1_215_971_899_390_074_240, 1_216_172_134_540_287_360];
        assert_eq!(std::array::from_fn(|_| random.word()), expected);
    }

    #[test]
    fn streams_are_pinned_and_apart() {
        let first = |seed, label| Random::stream(seed, label).word();
        assert_eq!(first(1, "mix"), first(1, "mix"));
        assert_ne!(first(1, "mix"), first(2, "mix"));
        assert_ne!(first(1, "mix"), first(1, "fees"));
    }

    #[test]
    fn ranges_are_inclusive_and_reached() {
        let mut random = Random::stream(3, "range");
        let drawn: std::collections::BTreeSet<u64> = (0..1000).map(|_| random.between(5, 9)).collect();
        assert_eq!(drawn.into_iter().collect::<Vec<_>>(), [5, 6, 7, 8, 9]);
        assert_eq!(random.below(0), 0);
    }
}
