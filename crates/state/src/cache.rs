//! Values read before, kept across blocks of one chain.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use alloy_primitives::{B256, U256};
use dashmap::DashMap;
use foldhash::fast::RandomState;

use crate::{Account, StateDiff};

/// Entries an unbounded map would soon be: past this a map is emptied rather than grown. About 100 bytes an entry.
const ENTRIES_MAX_DEFAULT: usize = 1 << 20;

/// A read cache that stands at the state after one block and moves with it.
///
/// One importer at a time may read through it, and calls [`advance`](Self::advance) with what a block changed once the
/// block is known to be valid. A block that turned out invalid wrote nothing here, but what was read for it may have
/// been chosen to push useful entries out: [`clear`](Self::clear) then.
///
/// Maps are DashMaps with seeded foldhash: keys are chosen by whoever sends transactions.
#[derive(Debug)]
pub struct ReadCache {
    accounts: DashMap<B256, Option<Account>, RandomState>,
    slots: DashMap<(B256, B256), U256, RandomState>,
    entries_max: usize,
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

impl Default for ReadCache {
    fn default() -> Self {
        Self::new(ENTRIES_MAX_DEFAULT)
    }
}

impl ReadCache {
    /// A cache of at most `entries_max` accounts and as many slots.
    pub fn new(entries_max: usize) -> Self {
        Self {
            accounts: DashMap::default(),
            slots: DashMap::default(),
            entries_max,
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
        self.trim();
    }

    pub(crate) fn put_slot(&self, address_hash: B256, slot_hash: B256, value: U256) {
        self.slots.insert((address_hash, slot_hash), value);
        self.trim();
    }

    /// `len` of a DashMap walks its shards, so the size is looked at on one insertion in a thousand or so.
    fn trim(&self) {
        let misses = self.account_reads.misses.load(Relaxed) + self.slot_reads.misses.load(Relaxed);
        if misses & 0x3ff != 0 {
            return;
        }
        if self.accounts.len() > self.entries_max {
            self.accounts.clear();
        }
        if self.slots.len() > self.entries_max {
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
        let cache = ReadCache::default();
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
}
