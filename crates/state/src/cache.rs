//! Values read before, kept across blocks of one chain.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use alloy_primitives::{B256, U256};
use dashmap::DashMap;
use foldhash::fast::RandomState;

use crate::{Account, StateDiff};

/// Bytes of tables for an account and a slot: a table that was just doubled is filled to seven sixteenths, and has a byte
/// of its own for every place.
const PAIR_BYTES_MAX: u64 =
    (size_of::<(B256, Option<Account>)>() + size_of::<((B256, B256), U256)>() + 2) as u64 * 16 / 7;

/// A read cache that stands at the state after one block and moves with it.
///
/// One importer at a time may read through it, and calls [`advance`](Self::advance) with what a block changed once the
/// block is known to be valid. A block that turned out invalid wrote nothing here, but what was read for it may have
/// been chosen to push useful entries out: [`clear`](Self::clear) then.
///
/// A map that holds as many entries as there is room for is emptied rather than grown: nobody keeps count of what was
/// used last.
///
/// Maps are DashMaps with seeded foldhash: keys are chosen by whoever sends transactions.
#[derive(Debug)]
pub struct ReadCache {
    accounts: DashMap<B256, Option<Account>, RandomState>,
    slots: DashMap<(B256, B256), U256, RandomState>,
    bytes_max: u64,
    account_reads: Reads,
    slot_reads: Reads,
}

/// Counts of one kind.
#[derive(Debug, Default)]
struct Reads {
    hits: AtomicU64,
    misses: AtomicU64,
}

/// How often the cache answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadCacheStats {
    /// Reads of accounts.
    pub accounts: CacheReads,
    /// Reads of slots.
    pub slots: CacheReads,
    /// Accounts and slots held.
    pub entries: u64,
}

/// How reads of one kind went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheReads {
    /// Answered.
    pub hits: u64,
    /// Passed on.
    pub misses: u64,
}

impl CacheReads {
    /// What was read since `before`.
    pub fn since(self, before: Self) -> Self {
        let Self { hits, misses } = self;
        Self { hits: hits.saturating_sub(before.hits), misses: misses.saturating_sub(before.misses) }
    }

    /// All reads.
    pub fn all(self) -> u64 {
        self.hits + self.misses
    }
}

impl Reads {
    fn count(&self, hit: bool) {
        let counter = if hit { &self.hits } else { &self.misses };
        counter.fetch_add(1, Relaxed);
    }

    fn stats(&self) -> CacheReads {
        CacheReads { hits: self.hits.load(Relaxed), misses: self.misses.load(Relaxed) }
    }
}

impl ReadCache {
    /// A cache of as many accounts, and as many slots, as `bytes_max` have room for together. While a block runs it may
    /// grow a little further; [`trim`](Self::trim) holds it to its room.
    pub fn new(bytes_max: u64) -> Self {
        Self {
            accounts: DashMap::default(),
            slots: DashMap::default(),
            bytes_max,
            account_reads: Reads::default(),
            slot_reads: Reads::default(),
        }
    }

    /// Moves from the state before a block to the state after it.
    pub fn advance(&self, diff: &StateDiff) {
        for (hash, account) in &diff.accounts {
            self.put_account(*hash, *account);
        }
        for storage in &diff.storage {
            if storage.cleared {
                self.slots.retain(|(address_hash, _), _| *address_hash != storage.address_hash);
            }
            for (slot_hash, value) in &storage.slots {
                self.put_slot(storage.address_hash, *slot_hash, *value);
            }
        }
    }

    /// Forgets everything: after an invalid block, and when the importer moves to another branch.
    pub fn clear(&self) {
        self.accounts.clear();
        self.slots.clear();
    }

    /// Bytes of its tables, filled or not.
    pub fn heap_bytes(&self) -> u64 {
        let table = |places: usize, entry: usize| places as u64 * 8 / 7 * (entry as u64 + 1);
        table(self.accounts.capacity(), size_of::<(B256, Option<Account>)>())
            + table(self.slots.capacity(), size_of::<((B256, B256), U256)>())
    }

    /// Forgets everything if it has grown past its room, and gives the room back.
    pub fn trim(&self) {
        if self.heap_bytes() > self.bytes_max {
            self.clear();
            self.accounts.shrink_to_fit();
            self.slots.shrink_to_fit();
        }
    }

    /// How often the cache answered since it was made, and what it holds.
    pub fn stats(&self) -> ReadCacheStats {
        let entries = (self.accounts.len() + self.slots.len()) as u64;
        ReadCacheStats { accounts: self.account_reads.stats(), slots: self.slot_reads.stats(), entries }
    }

    pub(crate) fn account(&self, address_hash: &B256) -> Option<Option<Account>> {
        let found = self.accounts.get(address_hash).map(|entry| *entry);
        self.account_reads.count(found.is_some());
        found
    }

    pub(crate) fn slot(&self, address_hash: &B256, slot_hash: &B256) -> Option<U256> {
        let found = self.slots.get(&(*address_hash, *slot_hash)).map(|entry| *entry);
        self.slot_reads.count(found.is_some());
        found
    }

    pub(crate) fn put_account(&self, address_hash: B256, account: Option<Account>) {
        self.accounts.insert(address_hash, account);
        self.empty_what_is_full();
    }

    pub(crate) fn put_slot(&self, address_hash: B256, slot_hash: B256, value: U256) {
        self.slots.insert((address_hash, slot_hash), value);
        self.empty_what_is_full();
    }

    /// `len` of a DashMap walks its shards, so the size is looked at on one insertion in a thousand or so.
    fn empty_what_is_full(&self) {
        let misses = self.account_reads.misses.load(Relaxed) + self.slot_reads.misses.load(Relaxed);
        if misses & 0x3ff != 0 {
            return;
        }
        let entries_max = usize::try_from(self.bytes_max / PAIR_BYTES_MAX).unwrap_or(usize::MAX);
        if self.accounts.len() > entries_max {
            self.accounts.clear();
        }
        if self.slots.len() > entries_max {
            self.slots.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StorageDiff;

    #[test]
    fn follows_what_blocks_change() {
        let cache = ReadCache::new(1 << 20);
        let (address, slot) = (B256::repeat_byte(1), B256::repeat_byte(2));
        cache.put_account(address, None);
        cache.put_slot(address, slot, U256::from(7));
        assert_eq!(cache.account(&address), Some(None));
        assert_eq!(cache.slot(&address, &slot), Some(U256::from(7)));

        let account = Some(Account { nonce: 1, ..Account::default() });
        let cleared = StorageDiff { address_hash: address, cleared: true, slots: Vec::new() };
        cache.advance(&StateDiff { accounts: vec![(address, account)], storage: vec![cleared], codes: Vec::new() });
        assert_eq!(cache.account(&address), Some(account));
        assert_eq!(cache.slot(&address, &slot), None, "a cleared storage leaves nothing behind");
        assert_eq!(
            cache.stats(),
            ReadCacheStats {
                accounts: CacheReads { hits: 2, misses: 0 },
                slots: CacheReads { hits: 1, misses: 1 },
                entries: 1
            }
        );

        cache.clear();
        assert_eq!(cache.account(&address), None);
    }

    #[test]
    fn keeps_to_its_room() {
        for bytes_max in [0, 1 << 16, 1 << 20] {
            let cache = ReadCache::new(bytes_max);
            let mut most = 0;
            for block in 0..300u64 {
                let slots = (0..50).map(|slot| (B256::from(U256::from(block * 50 + slot)), U256::ONE)).collect();
                let storage = StorageDiff { address_hash: B256::ZERO, cleared: false, slots };
                let accounts = vec![(B256::from(U256::from(block)), Some(Account::default()))];
                cache.advance(&StateDiff { accounts, storage: vec![storage], codes: Vec::new() });
                cache.trim();
                assert!(cache.heap_bytes() <= bytes_max, "{} bytes after block {block}", cache.heap_bytes());
                most = most.max(cache.stats().entries);
            }
            assert!(most < 300 * 51, "{bytes_max} bytes were never too few");
            assert!(most * PAIR_BYTES_MAX >= bytes_max / 4, "only {most} entries were kept in {bytes_max} bytes");
        }
    }
}
