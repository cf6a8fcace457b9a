//! The door to the key-value engine: the only file that names it.
//!
//! What we ask of it: atomic batches over all tables, a journal that recovery takes batch by batch, snapshots, ordered
//! ranges, large values apart from the sorted tree. Nothing here knows what the bytes mean.

use std::{
    ops::{Bound, RangeBounds},
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

use fjall::{Database, Keyspace, KeyspaceCreateOptions, KvSeparationOptions, OwnedWriteBatch, PersistMode, Readable};

use crate::{Durability, OpenError, Settings, StoreError, Table, error::EngineError, manifests};

/// Values from this size on are kept outside the sorted tree, in the tables that say so.
const SEPARATED_BYTES_MIN: u32 = 1024;

/// The engine's own minimum for all journals together is 64 MiB.
const JOURNALS_BYTES_MAX: u64 = 256 << 20;

/// Rows of one part of a batch that is written in parts: some ten megabytes.
const PART_ROWS: usize = 100_000;

/// An open engine with all tables. Clones share it; the last one to go closes it.
#[derive(Clone)]
pub(crate) struct Engine {
    database: Database,
    tables: [Keyspace; Table::ALL.len()],
    durability: Durability,
}

impl Engine {
    /// Opens the engine in `dir`, and creates what is missing.
    ///
    /// The engine panics on some kinds of damage; that is caught here and told as an error like the others.
    pub(crate) fn open(dir: &Path, settings: &Settings) -> Result<Self, OpenError> {
        manifests::check(dir)?;
        match catch_unwind(AssertUnwindSafe(|| Self::open_or_panic(dir, settings))) {
            Ok(Ok(engine)) => Ok(engine),
            Ok(Err(error)) => Err(open_error(error, dir)),
            Err(panic) => Err(OpenError::EngineStopped { dir: dir.to_path_buf(), message: panic_message(&*panic) }),
        }
    }

    fn open_or_panic(dir: &Path, settings: &Settings) -> fjall::Result<Self> {
        let memory = settings.memory_bytes.max(Settings::MEMORY_BYTES_MIN);
        let database = Database::builder(dir)
            .cache_size(memory / 2)
            .max_journaling_size(JOURNALS_BYTES_MAX)
            .worker_threads(settings.worker_threads.max(1))
            .manual_journal_persist(true)
            .open()?;
        let mut tables = Vec::with_capacity(Table::ALL.len());
        for table in Table::ALL {
            tables.push(database.keyspace(table.name(), || options(table, memory / 2))?);
        }
        let Ok(tables) = tables.try_into() else { unreachable!("one key space a table") };
        Ok(Self { database, tables, durability: settings.durability })
    }

    /// A view that later batches do not change.
    pub(crate) fn view(&self) -> View {
        View { snapshot: self.database.snapshot(), engine: self.clone() }
    }

    /// An empty batch; nothing happens before [`Batch::commit`].
    pub(crate) fn batch(&self) -> Batch<'_> {
        Batch { batch: self.new_batch(), engine: self, in_parts: false }
    }

    /// A batch that may be written in parts, of which only the last one matters: [`Batch::spill`] takes effect.
    pub(crate) fn batch_in_parts(&self) -> Batch<'_> {
        Batch { in_parts: true, ..self.batch() }
    }

    fn new_batch(&self) -> OwnedWriteBatch {
        // Even without a wait for the disk the journal goes to the operating system with every batch: that is what
        // makes it survive the end of the process.
        let mode = match self.durability {
            Durability::Process => PersistMode::Buffer,
            Durability::Power => PersistMode::SyncData,
        };
        self.database.batch().durability(Some(mode))
    }

    /// Writes the write buffers of all tables out and waits for it.
    pub(crate) fn write_out(&self) -> Result<(), StoreError> {
        for table in Table::ALL {
            let written = self.table(table).rotate_memtable_and_wait();
            written.map_err(|error| read_error(table, &error))?;
        }
        Ok(())
    }

    /// Rows (an estimate that counts overwritten and deleted ones until compaction) and bytes on disk of a table.
    pub(crate) fn size(&self, table: Table) -> (u64, u64) {
        let keyspace = self.table(table);
        (keyspace.approximate_len() as u64, keyspace.disk_space())
    }

    /// Bytes of the journals on disk.
    pub(crate) fn journal_bytes(&self) -> Result<u64, StoreError> {
        self.database.journal_disk_space().map_err(|error| read_error(Table::Meta, &error))
    }

    /// Bytes of the block cache in use.
    pub(crate) fn cache_bytes(&self) -> u64 {
        self.database.cache_size()
    }

    /// Bytes of write buffers in use.
    pub(crate) fn write_buffer_bytes(&self) -> u64 {
        self.database.write_buffer_size()
    }

    fn table(&self, table: Table) -> &Keyspace {
        &self.tables[table as usize]
    }
}

/// The file that the engine in `place` locks while it is open.
pub(crate) fn lock_file(place: &Path) -> PathBuf {
    place.join("lock")
}

/// Whether the engine writes a file of its own once and only ever deletes it afterwards: sorted tables and large values.
pub(crate) fn never_changes(path: &Path) -> bool {
    path.parent().and_then(Path::file_name).is_some_and(|dir| dir == "tables" || dir == "blobs")
}

/// A consistent view of all tables.
#[derive(Clone)]
pub(crate) struct View {
    snapshot: fjall::Snapshot,
    engine: Engine,
}

/// A row found by a range: key and value.
pub(crate) type Row = (fjall::Slice, fjall::Slice);

impl View {
    /// The value under a key. The bytes are shared with the engine's cache.
    pub(crate) fn get(&self, table: Table, key: &[u8]) -> Result<Option<fjall::Slice>, StoreError> {
        self.snapshot.get(self.engine.table(table), key).map_err(|error| read_error(table, &error))
    }

    /// Whether there is a row under a key; does not read a separated value.
    pub(crate) fn contains(&self, table: Table, key: &[u8]) -> Result<bool, StoreError> {
        self.snapshot.contains_key(self.engine.table(table), key).map_err(|error| read_error(table, &error))
    }

    /// Rows of a range in key order.
    pub(crate) fn rows<'a>(
        &'a self,
        table: Table,
        range: impl RangeBounds<&'a [u8]>,
    ) -> impl DoubleEndedIterator<Item = Result<Row, StoreError>> + 'a {
        self.rows_within(table, owned(range))
    }

    /// The same for bounds that are the caller's to give away.
    pub(crate) fn rows_within(
        &self,
        table: Table,
        range: (Bound<Vec<u8>>, Bound<Vec<u8>>),
    ) -> impl DoubleEndedIterator<Item = Result<Row, StoreError>> + '_ {
        self.snapshot
            .range(self.engine.table(table), range)
            .map(move |row| row.into_inner().map_err(|error| read_error(table, &error)))
    }

    /// Keys of a range in order, without reading values.
    pub(crate) fn keys<'a>(
        &'a self,
        table: Table,
        range: impl RangeBounds<&'a [u8]>,
    ) -> impl DoubleEndedIterator<Item = Result<fjall::Slice, StoreError>> + 'a {
        self.snapshot
            .range(self.engine.table(table), owned(range))
            .map(move |row| row.key().map_err(|error| read_error(table, &error)))
    }
}

/// Writes that happen together or not at all. A later write to a key wins over an earlier one.
pub(crate) struct Batch<'a> {
    batch: OwnedWriteBatch,
    engine: &'a Engine,
    in_parts: bool,
}

impl Batch<'_> {
    pub(crate) fn put(&mut self, table: Table, key: &[u8], value: &[u8]) {
        self.batch.insert(self.engine.table(table), key, value);
    }

    pub(crate) fn delete(&mut self, table: Table, key: &[u8]) {
        self.batch.remove(self.engine.table(table), key);
    }

    /// Writes what the batch holds and begins anew, if it may be written in parts and is large enough for one. Returns
    /// whether it did.
    pub(crate) fn spill(&mut self) -> Result<bool, EngineError> {
        let spills = self.in_parts && self.batch.len() >= PART_ROWS;
        if spills {
            let part = std::mem::replace(&mut self.batch, self.engine.new_batch());
            part.commit().map_err(|error| engine_error(&error))?;
        }
        Ok(spills)
    }

    /// Writes that the batch holds.
    pub(crate) fn len(&self) -> usize {
        self.batch.len()
    }

    /// The atomic point.
    pub(crate) fn commit(self) -> Result<(), EngineError> {
        self.batch.commit().map_err(|error| engine_error(&error))
    }
}

/// `write_buffers_bytes` is the budget of all tables together.
fn options(table: Table, write_buffers_bytes: u64) -> KeyspaceCreateOptions {
    // A full buffer is written out beside a fresh one, so each table may hold two shares for a while.
    let share = write_buffers_bytes / (2 * Table::ALL.len() as u64);
    let separation = KvSeparationOptions::default().separation_threshold(SEPARATED_BYTES_MIN);
    KeyspaceCreateOptions::default()
        .manual_journal_persist(true)
        .max_memtable_size(share.max(1 << 20))
        .expect_point_read_hits(table.reads_mostly_hit())
        .with_kv_separation(table.separated().then_some(separation))
}

fn owned<'a>(range: impl RangeBounds<&'a [u8]>) -> (Bound<Vec<u8>>, Bound<Vec<u8>>) {
    let own = |bound: Bound<&&[u8]>| bound.map(|key| key.to_vec());
    (own(range.start_bound()), own(range.end_bound()))
}

fn engine_error(error: &fjall::Error) -> EngineError {
    EngineError::new(&match error {
        fjall::Error::Io(error) => error.to_string(),
        fjall::Error::Storage(error) => format!("storage: {error:?}"),
        fjall::Error::JournalRecovery(error) => format!("journal: {error:?}"),
        other => format!("{other:?}"),
    })
}

fn read_error(table: Table, error: &fjall::Error) -> StoreError {
    StoreError::Engine { table, source: engine_error(error) }
}

fn open_error(error: fjall::Error, dir: &Path) -> OpenError {
    let dir: PathBuf = dir.to_path_buf();
    match error {
        fjall::Error::Locked => OpenError::Locked { dir },
        fjall::Error::Io(source) => OpenError::Io { path: dir, action: "open the engine", source },
        other => OpenError::Damaged { dir, source: engine_error(&other) },
    }
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message").to_owned()
}
