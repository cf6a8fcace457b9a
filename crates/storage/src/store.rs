//! The store: one open database.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use alloy_primitives::B256;

use crate::{
    FlushBatch, FlushError, Identity, OpenError, Settings, Snapshot, StateChange, StoreError, StoreStats,
    engine::Engine, flush, open, stats,
};

/// One open database. Clones share it; it is closed when the last one, and the last snapshot, is dropped.
///
/// Any number of threads may take snapshots. One at a time may flush: the [`Persister`](crate::Persister)'s.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    engine: Engine,
    dir: PathBuf,
    settings: Settings,
}

impl Store {
    /// Opens the database of a chain in `dir`, creating it if the directory is missing or empty.
    ///
    /// A new database has no head before a flush brings block 0.
    ///
    /// # Errors
    /// Another format, chain or genesis, a directory that is not a database, damage, a lock, the file system. Nothing
    /// is changed in a directory that is refused.
    pub fn open(dir: &Path, genesis_hash: B256, chain_id: u64, settings: Settings) -> Result<Self, OpenError> {
        let engine = open::open(dir, Identity::new(chain_id, genesis_hash), &settings)?;
        Ok(Self { inner: Arc::new(Inner { engine, dir: dir.to_path_buf(), settings }) })
    }

    /// A view of the database as the last flush left it, which later flushes do not change.
    ///
    /// Short-lived: while it is held, what later flushes overwrite is kept on disk.
    pub fn snapshot(&self) -> Result<Snapshot, StoreError> {
        Snapshot::new(self.inner.engine.view())
    }

    /// Writes everything in `batch`, in one atomic step, and returns when it is as safe as the settings ask.
    ///
    /// # Errors
    /// See [`FlushError`]; after [`FlushError::Commit`] every later flush fails too.
    pub fn flush(&self, batch: &FlushBatch) -> Result<(), FlushError> {
        flush::flush(&self.inner.engine, batch, &self.inner.settings)
    }

    /// Writes a part of the state of block 0, before the flush that brings that block: for states larger than memory.
    /// Until then the parts count for nothing.
    ///
    /// # Errors
    /// [`FlushError::NotLater`] where the database has a head already.
    pub fn preload(&self, part: &StateChange) -> Result<(), FlushError> {
        flush::preload(&self.inner.engine, part, &self.inner.settings)
    }

    /// Writes all write buffers out, so that nothing has to be replayed from journals when the database is opened next.
    ///
    /// # Errors
    /// If they cannot be written.
    pub fn settle(&self) -> Result<(), StoreError> {
        self.inner.engine.write_out()
    }

    /// Sizes of the tables.
    pub fn stats(&self) -> Result<StoreStats, StoreError> {
        stats::stats(&self.inner.engine)
    }

    /// Where the database lives.
    pub fn dir(&self) -> &Path {
        &self.inner.dir
    }
}
