//! A hash table of positions in a column that holds the keys.
//!
//! Attackers choose addresses and slots, so the hash is seeded. Positions are inserted in ascending order and removed
//! from the end only; with linear probing the last key inserted stands in no other key's way, so it is removed by
//! freeing its entry, without tombstones.

use foldhash::fast::RandomState;
use std::hash::{BuildHasher, Hash};

/// Open addressing, at most half full. An entry is a position + 1, 0 is free; keys are compared in the column.
#[derive(Debug)]
pub(crate) struct PositionTable {
    seeds: RandomState,
    /// A power of two long.
    entries: Vec<u32>,
}

/// Where a key is, or where it would go.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Found {
    /// The key's position in the column.
    At(u32),
    /// The free entry for it.
    Free(usize),
}

impl PositionTable {
    /// A table with room for `len` keys.
    pub(crate) fn with_capacity(len: usize) -> Self {
        Self { seeds: RandomState::default(), entries: vec![0; (2 * len).next_power_of_two().max(2)] }
    }

    /// A table of all of a column's keys, which are unique.
    pub(crate) fn of<K: Hash>(keys: &[K]) -> Self {
        let mut table = Self::with_capacity(keys.len());
        table.fill(keys.iter());
        table
    }

    /// Looks for the key with which `is_key` holds at its position.
    #[inline]
    pub(crate) fn find<K: Hash>(&self, key: &K, is_key: impl Fn(u32) -> bool) -> Found {
        let mut at = self.start(key);
        loop {
            match self.entries[at].checked_sub(1) {
                None => return Found::Free(at),
                Some(position) if is_key(position) => return Found::At(position),
                Some(_) => at = self.after(at),
            }
        }
    }

    /// Puts `position` into an entry that [`Self::find`] has just found free.
    #[inline]
    pub(crate) fn insert(&mut self, entry: usize, position: u32) {
        self.entries[entry] = position + 1;
    }

    /// Whether one more than `len` keys need a larger table; if so, call [`Self::grow`] with all of them.
    #[inline]
    pub(crate) fn is_full(&self, len: usize) -> bool {
        2 * (len + 1) > self.entries.len()
    }

    /// Doubles the table and inserts `keys` again, which are all keys in order of position.
    #[cold]
    pub(crate) fn grow<'a, K: Hash + 'a>(&mut self, keys: impl Iterator<Item = &'a K>) {
        self.entries = vec![0; 2 * self.entries.len()];
        self.fill(keys);
    }

    /// Removes the key of the greatest position.
    pub(crate) fn remove_last<K: Hash>(&mut self, key: &K, position: u32) {
        let mut at = self.start(key);
        while self.entries[at] != position + 1 {
            at = self.after(at);
        }
        self.entries[at] = 0;
    }

    /// Removes all keys.
    pub(crate) fn clear(&mut self) {
        self.entries.fill(0);
    }

    /// Number of entries, free ones included.
    pub(crate) fn size(&self) -> usize {
        self.entries.len()
    }

    fn fill<'a, K: Hash + 'a>(&mut self, keys: impl Iterator<Item = &'a K>) {
        for (position, key) in keys.enumerate() {
            let mut at = self.start(key);
            while self.entries[at] != 0 {
                at = self.after(at);
            }
            self.entries[at] = position as u32 + 1;
        }
    }

    #[inline]
    fn start<K: Hash>(&self, key: &K) -> usize {
        self.seeds.hash_one(key) as usize & (self.entries.len() - 1)
    }

    #[inline]
    fn after(&self, at: usize) -> usize {
        (at + 1) & (self.entries.len() - 1)
    }
}
