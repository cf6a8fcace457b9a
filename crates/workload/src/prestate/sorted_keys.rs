//! Keys that can be computed from a position, found by their hash.

use alloy_primitives::B256;
use rayon::prelude::*;

/// Positions in the order of their keys, which are 32-byte hashes. Twelve bytes a key: of the key itself only its first
/// eight bytes are kept; where those leave a doubt, it is computed again.
#[derive(Clone, Debug, Default)]
pub(super) struct SortedKeys {
    fronts: Vec<u64>,
    positions: Vec<u32>,
}

impl SortedKeys {
    /// The keys of the positions below `count` that have one.
    ///
    /// # Panics
    /// If there are 2^32 positions or more: parameters do not allow so many.
    pub(super) fn new(count: u64, key: impl Fn(u64) -> Option<B256> + Sync) -> Self {
        let count = u32::try_from(count).expect("parameters bound the number of holders");
        let keyed = |position: u32| Some((front(&key(u64::from(position))?), position));
        let mut keys: Vec<(u64, u32)> = (0..count).into_par_iter().filter_map(keyed).collect();
        let whole = |position: u32| key(u64::from(position));
        keys.par_sort_unstable_by(|left, right| left.0.cmp(&right.0).then_with(|| whole(left.1).cmp(&whole(right.1))));
        Self {
            fronts: keys.iter().map(|(front, _)| *front).collect(),
            positions: keys.iter().map(|(_, position)| *position).collect(),
        }
    }

    /// The position whose key this is, if there is one.
    pub(super) fn position_of(&self, key: &B256, whole: impl Fn(u64) -> B256) -> Option<u64> {
        let wanted = front(key);
        let start = self.fronts.partition_point(|front| *front < wanted);
        let candidates = self.fronts[start..].iter().take_while(|front| **front == wanted).count();
        self.positions[start..start + candidates]
            .iter()
            .map(|position| u64::from(*position))
            .find(|position| whole(*position) == *key)
    }

    /// The keys in `first..=last`, in order, with their positions.
    pub(super) fn range(
        &self,
        first: B256,
        last: B256,
        whole: impl Fn(u64) -> B256,
    ) -> impl Iterator<Item = (B256, u64)> {
        let start = self.fronts.partition_point(|candidate| *candidate < front(&first));
        let end = self.fronts.partition_point(|candidate| *candidate <= front(&last));
        self.positions[start..end]
            .iter()
            .map(move |position| (whole(u64::from(*position)), u64::from(*position)))
            .filter(move |(key, _)| (first..=last).contains(key))
    }
}

/// The first eight bytes of a key, which order as the key does.
fn front(key: &B256) -> u64 {
    key[..8].iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys of which several share a front.
    fn key(position: u64) -> B256 {
        let mut key = B256::ZERO;
        key[0] = (position % 7) as u8;
        key[31] = (200 - position) as u8;
        key
    }

    #[test]
    fn keys_are_found_though_their_fronts_are_equal() {
        let keys = SortedKeys::new(100, |position| (position % 3 != 0).then(|| key(position)));
        for position in 0..100 {
            let found = keys.position_of(&key(position), key);
            assert_eq!(found, (position % 3 != 0).then_some(position));
        }
        assert_eq!(keys.position_of(&B256::repeat_byte(9), key), None);
    }

    #[test]
    fn ranges_are_sorted_and_have_both_ends() {
        let keys = SortedKeys::new(100, |position| Some(key(position)));
        let mut expected: Vec<_> = (0..100).map(|position| (key(position), position)).collect();
        expected.sort_unstable();
        let (first, last) = (expected[20].0, expected[70].0);
        assert!(keys.range(first, last, key).eq(expected[20..=70].iter().copied()));
        assert!(keys.range(B256::ZERO, B256::repeat_byte(255), key).eq(expected));
    }
}
