//! The keys of a list's trie.

use super::ONE_BYTE_KEYS;
use alloy_rlp::Encodable;

/// rlp(index), as nibbles from the left.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key {
    nibbles: u64,
    len: usize,
}

impl Key {
    pub(super) fn of(index: usize) -> Self {
        let bytes = index.length();
        let rlp = match index {
            0 => 0x80,
            1..ONE_BYTE_KEYS => index as u64,
            _ => (0x80 + bytes as u64 - 1) << (8 * (bytes - 1)) | index as u64,
        };
        Self { nibbles: rlp << (64 - 8 * bytes), len: 2 * bytes }
    }

    pub(super) fn nibble(self, depth: usize) -> u8 {
        (self.nibbles >> (60 - 4 * depth)) as u8 & 0xf
    }

    /// How many nibbles it begins with as `other` does. No key is the beginning of another.
    pub(super) fn nibbles_shared(self, other: Self) -> usize {
        (self.nibbles ^ other.nibbles).leading_zeros() as usize / 4
    }

    /// Where a subtree hangs that has this key and, beside it, those: the root, if there are none.
    pub(super) fn depth_between(self, before: Option<Self>, after: Option<Self>) -> usize {
        before.into_iter().chain(after).map(|other| self.nibbles_shared(other) + 1).max().unwrap_or(0)
    }

    /// The hex-prefix encoding (Yellow Paper, appendix C) of the nibbles from `from` to a branch at `to`, or to the end
    /// for a leaf.
    pub(super) fn path(self, from: usize, to: Option<usize>) -> Vec<u8> {
        let flag = if to.is_none() { 0x20 } else { 0 };
        let to = to.unwrap_or(self.len);
        let odd = (to - from) % 2;
        let mut path = vec![if odd == 1 { flag | 0x10 | self.nibble(from) } else { flag }];
        path.extend((from + odd..to).step_by(2).map(|at| self.nibble(at) << 4 | self.nibble(at + 1)));
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_is_the_rlp_of_the_index() {
        for index in [0, 1, 15, 16, 127, 128, 255, 256, 65_535, 65_536, 1 << 32] {
            let Key { nibbles, len } = Key::of(index);
            assert_eq!(nibbles.to_be_bytes()[..len / 2], alloy_rlp::encode(index), "{index}");
        }
    }
}
