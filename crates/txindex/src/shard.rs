//! One of 4096 parts of the index: a filter, and the recent records that are in no run yet.
//!
//! The order that makes it right: a reader looks into the recent map *before* it takes the list of runs, and the writer
//! publishes a run *before* it clears the recent map of it. Whoever misses a record in the map therefore finds it in
//! the runs. A change holds the shard's lock from the look to the push, disk reads included: two of one transaction
//! never both find it absent, and no clearing comes in between.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use alloy_primitives::B256;
use balsa_storage::TransactionPosition;
use foldhash::fast::RandomState;

use crate::{
    IndexError,
    buckets::Arena,
    filter::{Filter, Question},
    key::{Key, first_key, partition_of},
    merge::merge,
    pending::Pending,
    record::Record,
    runs::Runs,
};

/// A filter, its lock, and what the lock guards.
#[derive(Debug, Default)]
#[repr(align(64))]
pub(crate) struct Shard {
    filter: Filter,
    recent: Mutex<RecentMap>,
}

type RecentMap = HashMap<B256, Recent, RandomState>;

/// The newest word on a transaction.
#[derive(Clone, Copy, Debug)]
struct Recent {
    position: Option<TransactionPosition>,
    serial: u64,
}

/// What is to become of a transaction's record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// It stays.
    Keep,
    /// It is at this position now.
    Set(TransactionPosition),
    /// It is nowhere now.
    Remove,
}

/// Whose shard: what a slow path needs beside it.
#[derive(Clone, Copy)]
pub(crate) struct Surroundings<'a> {
    pub(crate) seed: u64,
    pub(crate) runs: &'a Runs,
    pub(crate) arena: &'a Arena,
}

impl Shard {
    /// `false` if the transaction is certainly not there; takes no lock unless the filter is being changed.
    pub(crate) fn may_contain(&self, key: Key, arena: &Arena) -> bool {
        self.answer(key, &self.ask(key), arena)
    }

    /// The first half of [`may_contain`](Self::may_contain), which waits for no memory but the filter's head.
    pub(crate) fn ask(&self, key: Key) -> Question {
        self.filter.ask(key)
    }

    /// The second half.
    pub(crate) fn answer(&self, key: Key, question: &Question, arena: &Arena) -> bool {
        self.filter.answer(question, arena).unwrap_or_else(|| {
            let _lock = self.lock();
            self.filter.may_contain_locked(key, arena)
        })
    }

    /// Where the transaction is, whatever the filter says.
    pub(crate) fn find(&self, key: Key, hash: &B256, runs: &Runs) -> Result<Option<TransactionPosition>, IndexError> {
        let recent = self.lock().get(hash).copied();
        match recent {
            Some(recent) => Ok(recent.position),
            None => Ok(runs.find(key, hash)?.and_then(|record| record.position)),
        }
    }

    /// Changes a record according to what it is, in one step, and returns what it was.
    pub(crate) fn update(
        &self,
        key: Key,
        hash: &B256,
        index: Surroundings<'_>,
        pending: &Pending,
        change: impl FnOnce(Option<TransactionPosition>) -> Change,
    ) -> Result<Option<TransactionPosition>, IndexError> {
        let mut recent = self.lock();
        let current = match (self.filter.may_contain_locked(key, index.arena), recent.get(hash)) {
            (false, _) => None,
            (true, Some(recent)) => recent.position,
            (true, None) => index.runs.find(key, hash)?.and_then(|record| record.position),
        };
        let position = match change(current) {
            Change::Set(position) => Some(position),
            Change::Remove if current.is_some() => None,
            Change::Keep | Change::Remove => return Ok(current),
        };
        let serial = pending.push(Record { hash: *hash, position });
        self.apply(key, *hash, Recent { position, serial }, current, &mut recent, index);
        Ok(current)
    }

    /// Applies a record that the log holds already, under its serial.
    pub(crate) fn replay(
        &self,
        key: Key,
        record: Record,
        serial: u64,
        index: Surroundings<'_>,
    ) -> Result<(), IndexError> {
        let current = match self.may_contain(key, index.arena) {
            true => self.find(key, &record.hash, index.runs)?,
            false => None,
        };
        let newest = Recent { position: record.position, serial };
        self.apply(key, record.hash, newest, current, &mut self.lock(), index);
        Ok(())
    }

    /// Forgets a recent record that is in a run now, unless it was changed after `through`.
    pub(crate) fn clear(&self, hash: &B256, through: u64) {
        let mut recent = self.lock();
        if recent.get(hash).is_some_and(|recent| recent.serial <= through) {
            recent.remove(hash);
            if recent.is_empty() {
                // A flood must not leave every map at its largest.
                recent.shrink_to_fit();
            }
        }
    }

    /// Makes the filter hold exactly `keys`. Before anything else uses the shard.
    pub(crate) fn fill(&self, keys: &[Key], arena: &Arena) {
        let _lock = self.lock();
        self.filter.rebuild(keys, arena);
    }

    /// Transactions that are there.
    pub(crate) fn keys(&self) -> u64 {
        self.filter.keys().into()
    }

    /// Memory of the filter.
    pub(crate) fn filter_bytes(&self) -> usize {
        self.filter.bytes()
    }

    fn apply(
        &self,
        key: Key,
        hash: B256,
        newest: Recent,
        current: Option<TransactionPosition>,
        recent: &mut RecentMap,
        index: Surroundings<'_>,
    ) {
        recent.insert(hash, newest);
        match (current.is_some(), newest.position.is_some()) {
            (false, true) if self.filter.insert(key, index.arena).is_err() => self.rebuild(key.shard(), recent, index),
            (true, false) => self.filter.remove(key, index.arena),
            _ => {}
        }
    }

    /// Grows the filter: its bytes do not say where they go, so the keys come from the runs again.
    fn rebuild(&self, shard: usize, recent: &RecentMap, index: Surroundings<'_>) {
        match self.all_keys(shard, recent, index) {
            Ok(keys) => self.filter.rebuild(&keys, index.arena),
            Err(error) => {
                tracing::warn!(shard, %error, "transaction index: filter could not grow, its shard reads disk from now on");
                self.filter.saturate();
            }
        }
    }

    fn all_keys(&self, shard: usize, recent: &RecentMap, index: Surroundings<'_>) -> Result<Vec<Key>, IndexError> {
        let mut keys = Vec::with_capacity(self.filter.keys() as usize + 1);
        let runs = index.runs.of(partition_of(shard));
        for record in merge(runs.iter().map(|run| &**run), first_key(shard)) {
            let record = record?;
            if record.key.shard() != shard {
                break;
            }
            if record.record.position.is_some() && !recent.contains_key(&record.record.hash) {
                keys.push(record.key);
            }
        }
        let recent = recent.iter().filter(|(_, recent)| recent.position.is_some());
        keys.extend(recent.map(|(hash, _)| Key::of(hash, index.seed)));
        Ok(keys)
    }

    fn lock(&self) -> MutexGuard<'_, RecentMap> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
