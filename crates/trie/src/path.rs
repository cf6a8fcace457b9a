//! A position in a trie: up to 64 nibbles from the root down.

use alloy_primitives::B256;
use std::fmt;

/// Nibbles from the root of a trie, at most 64, packed two to a byte, the high one first.
///
/// Ordered as the keys below it are: a path stands before every path that goes on from it.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path {
    // Zero beyond `len`, so that the derived order (bytes, then length) is the order of the nibbles.
    bytes: [u8; 32],
    len: u8,
}

/// Nibble `i` of a key.
pub(crate) fn nibble_of(key: &B256, i: usize) -> usize {
    let byte = key[i / 2];
    usize::from(if i.is_multiple_of(2) { byte >> 4 } else { byte & 15 })
}

/// How many nibbles two keys share from the root.
pub(crate) fn common_nibbles(a: &B256, b: &B256) -> usize {
    let words = a.as_chunks().0.iter().zip(b.as_chunks().0);
    let differ = |(a, b): (&[u8; 8], &[u8; 8])| u64::from_be_bytes(*a) ^ u64::from_be_bytes(*b);
    match words.map(differ).enumerate().find(|(_, differ)| *differ != 0) {
        Some((i, differ)) => 16 * i + differ.leading_zeros() as usize / 4,
        None => 64,
    }
}

impl Path {
    /// The root.
    pub const ROOT: Self = Self { bytes: [0; 32], len: 0 };

    /// The first `len` nibbles of a key.
    ///
    /// # Panics
    /// If `len` is over 64.
    pub fn of_key(key: &B256, len: usize) -> Self {
        assert!(len <= 64, "a path has at most 64 nibbles, not {len}");
        let mut bytes = [0; 32];
        let whole = len / 2;
        bytes[..whole].copy_from_slice(&key[..whole]);
        if len % 2 == 1 {
            bytes[whole] = key[whole] & 0xf0;
        }
        Self { bytes, len: len as u8 }
    }

    /// Number of nibbles.
    pub fn len(&self) -> usize {
        usize::from(self.len)
    }

    /// Whether this is the root.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Nibble `i`, 0 to 15.
    pub fn nibble(&self, i: usize) -> usize {
        debug_assert!(i < self.len());
        nibble_of(&B256::new(self.bytes), i)
    }

    /// The lowest key at or below this path: its nibbles, then zeros.
    pub fn first_key(&self) -> B256 {
        B256::new(self.bytes)
    }

    /// The highest key at or below this path: its nibbles, then `f`s.
    pub fn last_key(&self) -> B256 {
        let mut key = [0xff; 32];
        let whole = self.len() / 2;
        key[..whole].copy_from_slice(&self.bytes[..whole]);
        if self.len % 2 == 1 {
            key[whole] = self.bytes[whole] | 0x0f;
        }
        B256::new(key)
    }

    /// Whether `key` lies at or below this path.
    pub fn leads_to(&self, key: &B256) -> bool {
        Self::of_key(key, self.len()) == *self
    }

    /// This path and one nibble more.
    ///
    /// # Panics
    /// If the path is full.
    #[must_use]
    pub fn child(mut self, nibble: usize) -> Self {
        assert!(self.len < 64, "a full path has no child");
        let i = self.len();
        self.bytes[i / 2] |= if i.is_multiple_of(2) { (nibble as u8) << 4 } else { nibble as u8 };
        self.len += 1;
        self
    }

    /// This path, then all of `rest`.
    #[must_use]
    pub fn join(mut self, rest: &Self) -> Self {
        for i in 0..rest.len() {
            self = self.child(rest.nibble(i));
        }
        self
    }

    /// Nibbles `start..end` as a path of their own.
    #[must_use]
    pub fn part(&self, start: usize, end: usize) -> Self {
        (start..end).fold(Self::ROOT, |path, i| path.child(self.nibble(i)))
    }

    /// The path as a store's key: a byte with the number of nibbles, then the nibbles packed, a last odd one in the
    /// high half. Keys of one length stand in order.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(33);
        out.push(self.len);
        out.extend_from_slice(&self.bytes[..self.len().div_ceil(2)]);
        out
    }

    /// The inverse of [`Path::to_bytes`]; nothing for bytes that it never makes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (&len, packed) = bytes.split_first()?;
        if len > 64 || packed.len() != usize::from(len).div_ceil(2) {
            return None;
        }
        let mut key = B256::ZERO;
        key[..packed.len()].copy_from_slice(packed);
        let path = Self::of_key(&key, usize::from(len));
        (path.bytes == key.0).then_some(path)
    }
}

impl fmt::Debug for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("/")?;
        (0..self.len()).try_for_each(|i| write!(f, "{:x}", self.nibble(i)))
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bytes_come_back(key: [u8; 32], len in 0usize..=64) {
            let path = Path::of_key(&B256::new(key), len);
            prop_assert_eq!(Path::from_bytes(&path.to_bytes()), Some(path));
            prop_assert!(path.leads_to(&path.first_key()) && path.leads_to(&path.last_key()));
            prop_assert!(path.first_key() <= B256::new(key) && B256::new(key) <= path.last_key());
        }

        #[test]
        fn parts_join_and_order_follows_nibbles(a: [u8; 32], b: [u8; 32], cut in 0usize..=64, len in 0usize..=64) {
            let (a, b) = (B256::new(a), B256::new(b));
            let whole = Path::of_key(&a, 64);
            prop_assert_eq!(whole.part(0, cut).join(&whole.part(cut, 64)), whole);
            let nibbles = |p: &Path| (0..p.len()).map(|i| p.nibble(i)).collect::<Vec<_>>();
            let (p, q) = (Path::of_key(&a, cut), Path::of_key(&b, len));
            prop_assert_eq!(p.cmp(&q), nibbles(&p).cmp(&nibbles(&q)));
        }
    }

    #[test]
    fn foreign_bytes_are_refused() {
        for bytes in [&[][..], &[65], &[1], &[1, 0x12], &[2, 0x12, 0], &[0, 0]] {
            assert_eq!(Path::from_bytes(bytes), None, "{bytes:?}");
        }
    }
}
