//! The index in directories of its own.

use std::{
    fs::File,
    hash::{BuildHasher, RandomState},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
};

use alloy_primitives::B256;
use balsa_storage::TransactionPosition;

use crate::{
    IndexError, Mark, Settings,
    buckets::Arena,
    directory::Directory,
    filter::Question,
    identity::Identity,
    key::{Key, PARTITIONS, SHARDS, shards_of},
    merge::merge,
    pending::Pending,
    record::SerialMark,
    runs::Runs,
    shard::{Change, Shard, Surroundings},
    writer::Writer,
};

/// Hash to position, in 4096 shards over one or more directories.
///
/// Any number of threads may call anything at any time. Dropping it appends what is pending to the logs.
pub struct DirectoryIndex {
    shared: Arc<Shared>,
    writers: Vec<JoinHandle<()>>,
    /// Held while a mark is set: marks reach every directory in one order.
    last_mark: Mutex<Option<SerialMark>>,
    _locks: Vec<File>,
}

/// Questions that are asked before the first is answered: enough to keep every line that a core can wait for in flight.
const QUESTIONS: usize = 32;

/// What feeders, readers and writers share.
pub(crate) struct Shared {
    pub(crate) seed: u64,
    pub(crate) recent_records_max: usize,
    pub(crate) shards: Box<[Shard]>,
    arena: Arena,
    pub(crate) runs: Runs,
    /// One queue a directory.
    pub(crate) pending: Vec<Pending>,
    pub(crate) merges: AtomicU64,
    disk_lookups: AtomicU64,
}

/// What the index holds and costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexStats {
    /// Transactions.
    pub keys: u64,
    /// Memory of all filters.
    pub filter_bytes: u64,
    /// Records that are in memory and in a log, but in no run yet.
    pub recent_records: u64,
    /// Files with sorted records.
    pub runs: u64,
    /// Merges since opening.
    pub merges: u64,
    /// Questions since opening that the filter let through.
    pub disk_lookups: u64,
}

impl DirectoryIndex {
    /// Opens the index of a chain, creating directories that are missing or empty. Reads all runs once, in order, to
    /// fill the filters.
    ///
    /// # Errors
    /// Other content, another chain, other directories or another order of them, damage, a lock, the file system.
    pub fn open(settings: &Settings, genesis: B256) -> Result<Self, IndexError> {
        let (seed, locks) = settle_identities(settings, genesis)?;
        let directories = on_each(&settings.directories, |_, dir| Directory::open(dir, seed))?;
        // A log of nearly the limit may be there already, and the limit must leave room for more.
        let records_max = settings.recent_records_max * 2;
        let pending = directories.iter().map(|directory| directory.content.records.len() as u64);
        let shared = Arc::new(Shared {
            seed,
            recent_records_max: settings.recent_records_max,
            shards: (0..SHARDS).map(|_| Shard::default()).collect(),
            arena: Arena::default(),
            runs: Runs::default(),
            pending: pending.map(|logged| Pending::new(logged, records_max)).collect(),
            merges: AtomicU64::new(0),
            disk_lookups: AtomicU64::new(0),
        });
        on_each(&directories, |index, directory| shared.load(index, directory))?;
        let marks = directories.iter().map(|directory| directory.manifest.mark);
        let last_mark = marks.min_by_key(|mark| mark.map_or(0, |mark| mark.serial)).flatten();
        let dirs = settings.directories.iter().cloned().zip(directories).enumerate();
        let writers = dirs.map(|(index, (dir, Directory { manifest, log, content, .. }))| {
            let through = content.records.len() as u64;
            let writer = Writer { shared: shared.clone(), index, dir, log, manifest, logged: content.records, through };
            thread::Builder::new()
                .name(format!("txindex-{index}"))
                .spawn(|| writer.run())
                .map_err(IndexError::io(&settings.directories[index], "start a writer for"))
        });
        let writers = writers.collect::<Result<_, _>>()?;
        Ok(Self { shared, writers, last_mark: Mutex::new(last_mark), _locks: locks })
    }

    /// `false` if the transaction is certainly not in the index: memory only. `true` for all that are, and for the share
    /// [`FALSE_POSITIVE_RATE_MAX`](crate::FALSE_POSITIVE_RATE_MAX) of the others.
    pub fn may_contain(&self, hash: &B256) -> bool {
        let key = Key::of(hash, self.shared.seed);
        self.shared.shards[key.shard()].may_contain(key, &self.shared.arena)
    }

    /// [`may_contain`](Self::may_contain) of many, for which it is quicker: calls back once for each, by its position.
    pub fn may_contain_many(&self, hashes: &[B256], mut found: impl FnMut(usize, bool)) {
        let Shared { seed, shards, arena, .. } = &*self.shared;
        let mut asked = [(Key(0), Question::default()); QUESTIONS];
        for (batch, position) in hashes.chunks(QUESTIONS).zip((0..).step_by(QUESTIONS)) {
            for (hash, asked) in batch.iter().zip(&mut asked) {
                let key = Key::of(hash, *seed);
                *asked = (key, shards[key.shard()].ask(key));
            }
            for ((key, question), position) in asked[..batch.len()].iter().zip(position..) {
                found(position, shards[key.shard()].answer(*key, question, arena));
            }
        }
    }

    /// Where a transaction is. Reads the disk only if [`may_contain`](Self::may_contain).
    pub fn position(&self, hash: &B256) -> Result<Option<TransactionPosition>, IndexError> {
        let key = Key::of(hash, self.shared.seed);
        let shard = &self.shared.shards[key.shard()];
        if !shard.may_contain(key, &self.shared.arena) {
            return Ok(None);
        }
        self.shared.disk_lookups.fetch_add(1, Ordering::Relaxed);
        shard.find(key, hash, &self.shared.runs)
    }

    /// Whether a transaction is in the index, for certain.
    pub fn contains(&self, hash: &B256) -> Result<bool, IndexError> {
        Ok(self.position(hash)?.is_some())
    }

    /// Sets the position of a transaction that has none, in one step, and returns the one that stands if it has.
    pub fn set_if_not_exists(
        &self,
        hash: &B256,
        position: TransactionPosition,
    ) -> Result<Option<TransactionPosition>, IndexError> {
        self.update(hash, |current| if current.is_some() { Change::Keep } else { Change::Set(position) })
    }

    /// Sets the position of a transaction, whatever stood, and returns what stood.
    pub fn set(&self, hash: &B256, position: TransactionPosition) -> Result<Option<TransactionPosition>, IndexError> {
        let change = |current| if current == Some(position) { Change::Keep } else { Change::Set(position) };
        self.update(hash, change)
    }

    /// Removes a transaction if it stands at this position, in one step: a reorg that includes it again elsewhere may
    /// run before or after. Returns whether it did.
    pub fn remove(&self, hash: &B256, position: TransactionPosition) -> Result<bool, IndexError> {
        let change = |current| if current == Some(position) { Change::Remove } else { Change::Keep };
        Ok(self.update(hash, change)? == Some(position))
    }

    /// Sets the positions of a canonical block's transactions.
    pub fn add_block(&self, number: u64, transactions: &[B256]) -> Result<(), IndexError> {
        positions(number, transactions).try_for_each(|(hash, position)| self.set(hash, position).map(drop))
    }

    /// Removes the transactions of a block that is not canonical any more.
    pub fn remove_block(&self, number: u64, transactions: &[B256]) -> Result<(), IndexError> {
        positions(number, transactions).try_for_each(|(hash, position)| self.remove(hash, position).map(drop))
    }

    /// Makes all that was handed over before survive loss of power, and remembers up to which block that is.
    pub fn flush(&self, mark: Mark) -> Result<(), IndexError> {
        let mut last = self.last_mark.lock().unwrap_or_else(PoisonError::into_inner);
        let serial = last.map_or(0, |mark| mark.serial) + 1;
        let mark = SerialMark { serial, mark };
        self.shared.pending.iter().try_for_each(|pending| pending.mark(mark))?;
        *last = Some(mark);
        Ok(())
    }

    /// The block after which to go on feeding; `None` from the beginning.
    pub fn mark(&self) -> Option<Mark> {
        self.last_mark.lock().unwrap_or_else(PoisonError::into_inner).map(|mark| mark.mark)
    }

    /// Counts and sizes.
    pub fn stats(&self) -> IndexStats {
        let shards = &self.shared.shards;
        IndexStats {
            keys: shards.iter().map(Shard::keys).sum(),
            filter_bytes: shards.iter().map(|shard| shard.filter_bytes() as u64).sum(),
            recent_records: self.shared.pending.iter().map(Pending::waiting).sum(),
            runs: (0..PARTITIONS).map(|partition| self.shared.runs.of(partition).len() as u64).sum(),
            merges: self.shared.merges.load(Ordering::Relaxed),
            disk_lookups: self.shared.disk_lookups.load(Ordering::Relaxed),
        }
    }

    fn update(
        &self,
        hash: &B256,
        change: impl FnOnce(Option<TransactionPosition>) -> Change,
    ) -> Result<Option<TransactionPosition>, IndexError> {
        let key = Key::of(hash, self.shared.seed);
        let pending = &self.shared.pending[key.partition() % self.shared.pending.len()];
        pending.wait_for_room()?;
        self.shared.shards[key.shard()].update(key, hash, self.shared.surroundings(), pending, change)
    }
}

impl Drop for DirectoryIndex {
    fn drop(&mut self) {
        self.shared.pending.iter().for_each(Pending::stop);
        for writer in self.writers.drain(..) {
            // A writer that panicked has said so; there is nobody left to tell.
            let _ = writer.join();
        }
    }
}

impl Shared {
    /// Publishes a directory's runs, fills the filters of its partitions, and applies its log.
    fn load(&self, index: usize, directory: &Directory) -> Result<(), IndexError> {
        for partition in (index..PARTITIONS).step_by(self.pending.len()) {
            let runs = directory.runs.iter().filter(|run| run.name.partition as usize == partition);
            self.runs.publish(partition, runs.cloned().collect());
            self.fill_filters(partition)?;
        }
        for (record, serial) in directory.content.records.iter().zip(1..) {
            let key = Key::of(&record.hash, self.seed);
            self.shards[key.shard()].replay(key, *record, serial, self.surroundings())?;
        }
        Ok(())
    }

    fn fill_filters(&self, partition: usize) -> Result<(), IndexError> {
        let runs = self.runs.of(partition);
        let mut records = merge(runs.iter().map(|run| &**run), Key(0)).peekable();
        let mut keys = Vec::new();
        for shard in shards_of(partition) {
            keys.clear();
            while let Some(record) =
                records.next_if(|record| !matches!(record, Ok(record) if record.key.shard() != shard))
            {
                let record = record?;
                keys.extend(record.record.position.map(|_| record.key));
            }
            self.shards[shard].fill(&keys, &self.arena);
        }
        Ok(())
    }

    fn surroundings(&self) -> Surroundings<'_> {
        Surroundings { seed: self.seed, runs: &self.runs, arena: &self.arena }
    }
}

/// The seed of the index, and the locks on its directories.
fn settle_identities(settings: &Settings, genesis: B256) -> Result<(u64, Vec<File>), IndexError> {
    let count = settings.directories.len();
    // The standard library's hasher is keyed by the operating system's randomness: all that a seed has to be.
    let mut seed = RandomState::new().hash_one(genesis);
    let mut locks = Vec::new();
    for (index, dir) in settings.directories.iter().enumerate() {
        let (found, lock) = Identity::open(dir, Identity { genesis, index, count, seed })?;
        if index == 0 {
            seed = found.seed;
        }
        if found.seed != seed {
            return Err(IndexError::OtherSeed { dir: dir.clone() });
        }
        locks.push(lock);
    }
    Ok((seed, locks))
}

/// Runs `work` on every item, one thread each.
fn on_each<I: Sync, O: Send>(
    items: &[I],
    work: impl Fn(usize, &I) -> Result<O, IndexError> + Sync,
) -> Result<Vec<O>, IndexError> {
    thread::scope(|scope| {
        let work = &work;
        let threads = items.iter().enumerate().map(|(index, item)| scope.spawn(move || work(index, item)));
        let threads: Vec<_> = threads.collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

fn positions(number: u64, transactions: &[B256]) -> impl Iterator<Item = (&B256, TransactionPosition)> {
    let positions = (0..).map(move |index| TransactionPosition { block_number: number, index });
    transactions.iter().zip(positions)
}
