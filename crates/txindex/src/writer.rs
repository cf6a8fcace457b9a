//! The writer of one directory: appends to the log, spills it to runs, merges runs. FORMAT.md, "Spill".
//!
//! One thread a directory, so that nothing here takes a lock around the disk. A merge keeps the thread busy, for the last
//! tier of a chain of 2.5 billion transactions about half a minute; meanwhile records wait in memory up to the limit.

use std::{
    path::PathBuf,
    sync::{Arc, atomic::Ordering},
};

use crate::{
    IndexError,
    directory_index::Shared,
    key::{Key, PARTITIONS},
    log::Log,
    manifest::{Manifest, RunName},
    merge::merge,
    record::{KeyedRecord, Record},
    run::{Run, write_run},
};

/// Runs of one tier that make one of the next.
const MERGE_RUNS: usize = 4;

/// All that one writer thread owns.
pub(crate) struct Writer {
    pub(crate) shared: Arc<Shared>,
    /// Position of the directory.
    pub(crate) index: usize,
    pub(crate) dir: PathBuf,
    pub(crate) log: Log,
    pub(crate) manifest: Manifest,
    /// What the log holds, oldest first.
    pub(crate) logged: Vec<Record>,
    /// Serial of the last record of `logged`.
    pub(crate) through: u64,
}

/// Tells feeders that the thread is gone, however it went.
struct Farewell {
    shared: Arc<Shared>,
    index: usize,
    dir: PathBuf,
}

impl Drop for Farewell {
    fn drop(&mut self) {
        self.shared.pending[self.index].fail(IndexError::WriterGone { dir: self.dir.clone() });
    }
}

impl Writer {
    /// Works until told to stop, or until the disk fails.
    pub(crate) fn run(mut self) {
        let _farewell = Farewell { shared: self.shared.clone(), index: self.index, dir: self.dir.clone() };
        if let Err(error) = self.work() {
            tracing::error!(dir = %self.dir.display(), %error, "transaction index: writer stops");
            self.shared.pending[self.index].fail(error);
        }
    }

    fn work(&mut self) -> Result<(), IndexError> {
        let shared = self.shared.clone();
        let pending = &shared.pending[self.index];
        loop {
            let work = pending.take();
            if !work.records.is_empty() {
                self.log.append(&work.records)?;
                self.through += work.records.len() as u64;
                self.logged.extend(work.records);
            }
            if let Some(mark) = work.mark {
                self.log.set_mark(mark)?;
                self.manifest.mark = Some(mark);
                pending.marked(mark);
            }
            if self.logged.len() >= shared.recent_records_max {
                self.spill()?;
                pending.spilled(self.through);
            }
            if work.stop {
                return Ok(());
            }
        }
    }

    fn spill(&mut self) -> Result<(), IndexError> {
        self.manifest.log = self.manifest.take_sequence();
        let old_log = std::mem::replace(&mut self.log, Log::create(&self.dir, self.manifest.log)?);
        let records = self.sorted_records();
        let mut merged_away = Vec::new();
        let mut lists = Vec::new();
        for partition in (self.index..PARTITIONS).step_by(self.shared.pending.len()) {
            let from = records.partition_point(|record| record.key.partition() < partition);
            let to = records.partition_point(|record| record.key.partition() <= partition);
            lists.push((partition, self.add_run(partition, &records[from..to], &mut merged_away)?));
        }
        self.manifest.runs = lists.iter().flat_map(|(_, runs)| runs.iter().map(|run| run.name)).collect();
        self.manifest.write(&self.dir)?;
        for (partition, runs) in lists {
            self.shared.runs.publish(partition, runs.into());
        }
        for record in &records {
            self.shared.shards[record.key.shard()].clear(&record.record.hash, self.through);
        }
        self.logged = Vec::new();
        old_log.delete()?;
        merged_away.iter().try_for_each(|run| run.delete())
    }

    /// What the log holds, in the order of runs, the last word on each transaction only.
    fn sorted_records(&self) -> Vec<KeyedRecord> {
        let keyed = |record: &Record| KeyedRecord { key: Key::of(&record.hash, self.shared.seed), record: *record };
        let mut records: Vec<_> = self.logged.iter().rev().map(keyed).collect();
        // Stable, so the last word stays first among equals.
        records.sort_by_key(KeyedRecord::order);
        records.dedup_by_key(|record| record.record.hash);
        records
    }

    /// The partition's runs with one more, merged as far as the rule asks.
    fn add_run(
        &mut self,
        partition: usize,
        records: &[KeyedRecord],
        merged_away: &mut Vec<Arc<Run>>,
    ) -> Result<Vec<Arc<Run>>, IndexError> {
        let mut runs = self.shared.runs.of(partition).to_vec();
        let (dir, seed) = (self.dir.clone(), self.shared.seed);
        let mut name = |tier| RunName { partition: partition as u32, tier, sequence: self.manifest.take_sequence() };
        let keeps_removals = !runs.is_empty();
        let records = records.iter().filter(|record| keeps_removals || record.record.position.is_some());
        let count = records.clone().count() as u64;
        if let Some(run) = write_run(&dir, name(0), seed, count, records.copied().map(Ok))? {
            runs.insert(0, Arc::new(run));
        }
        while let Some(count) = mergeable(&runs) {
            let newest: Vec<_> = runs.drain(..count).collect();
            let keeps_removals = !runs.is_empty();
            let records_max = newest.iter().map(|run| run.len()).sum();
            let records = merge(newest.iter().map(|run| &**run), Key(0));
            let records = records
                .filter(|record| keeps_removals || !matches!(record, Ok(record) if record.record.position.is_none()));
            if let Some(run) = write_run(&dir, name(newest[0].name.tier + 1), seed, records_max, records)? {
                runs.insert(0, Arc::new(run));
            }
            self.shared.merges.fetch_add(1, Ordering::Relaxed);
            merged_away.extend(newest);
        }
        Ok(runs)
    }
}

/// How many of the newest runs are to become one.
fn mergeable(runs: &[Arc<Run>]) -> Option<usize> {
    let tier = runs.first()?.name.tier;
    let equal = runs.iter().take_while(|run| run.name.tier == tier).count();
    (equal >= MERGE_RUNS).then_some(equal)
}
