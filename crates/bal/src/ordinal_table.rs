//! From an address to its ordinal: a hash table beside the sorted column.
//!
//! Attackers choose addresses, so the hash is seeded.

use alloy_primitives::Address;
use foldhash::fast::RandomState;
use std::hash::BuildHasher;

/// Open addressing with linear probing, at most half full. An entry is an ordinal + 1, 0 is free; the address itself
/// is compared in the column.
#[derive(Debug)]
pub(crate) struct OrdinalTable {
    seeds: RandomState,
    /// A power of two long.
    entries: Vec<u32>,
}

impl OrdinalTable {
    pub(crate) fn new(addresses: &[Address]) -> Self {
        let seeds = RandomState::default();
        let mut table = Self { seeds, entries: vec![0; (2 * addresses.len()).next_power_of_two().max(2)] };
        for (ordinal, address) in addresses.iter().enumerate() {
            let mut at = table.start(address);
            while table.entries[at] != 0 {
                at = table.after(at);
            }
            table.entries[at] = ordinal as u32 + 1;
        }
        table
    }

    /// The ordinal of `address` in the column that the table was made from.
    #[inline]
    pub(crate) fn ordinal(&self, addresses: &[Address], address: &Address) -> Option<u32> {
        let mut at = self.start(address);
        loop {
            let ordinal = self.entries[at].checked_sub(1)?;
            if addresses[ordinal as usize] == *address {
                return Some(ordinal);
            }
            at = self.after(at);
        }
    }

    #[inline]
    fn start(&self, address: &Address) -> usize {
        self.seeds.hash_one(address) as usize & (self.entries.len() - 1)
    }

    #[inline]
    fn after(&self, at: usize) -> usize {
        (at + 1) & (self.entries.len() - 1)
    }
}
