//! Flushing behind the importer's back.
//!
//! One thread owns the right to flush. Batches reach it through a bounded queue: when the disk is slower than the
//! chain, [`Persister::persist`] waits, and memory stays bounded. What waits in the queue when a flush ends becomes one
//! flush, so that a slow disk is asked less often.
//!
//! The first error is final: the thread goes on emptying the queue and writes nothing more, because what follows a
//! lost batch must not reach the disk. Everyone who asks is told; no block is ever judged by it.
//!
//! Rejected: a callback when a flush is done (it would run on this thread, and what it wants is the importer's own
//! state); an unbounded queue with a byte counter (two limits where one does).

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, Sender, bounded};
use thiserror::Error;

use crate::{FlushBatch, FlushError, Head, Store};

/// Batches that may wait before whoever brings another has to wait too.
pub const QUEUE_BATCHES_MAX: usize = 16;

/// The thread that flushes, and the queue before it.
///
/// Dropping it waits for what is queued, like [`close`](Self::close), but tells nobody of an error.
pub struct Persister {
    /// `None` only while closing.
    queue: Option<Sender<Message>>,
    thread: Option<JoinHandle<()>>,
    shared: Arc<Shared>,
}

/// Why a batch was not taken or not written. Speaks about the disk, never about a block.
#[derive(Clone, Debug, Error)]
pub enum PersistError {
    /// A flush failed, and nothing was written since.
    #[error("persisting stopped: {0}")]
    Failed(FlushError),
    /// The thread is gone.
    #[error("the persisting thread is gone")]
    Gone,
}

/// What the thread has done since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PersistStats {
    /// Flushes written.
    pub flushes: u64,
    /// Batches in them.
    pub batches: u64,
    /// Time spent in flushes.
    pub busy: Duration,
}

enum Message {
    Persist(Box<FlushBatch>),
    Ping(Sender<()>),
}

#[derive(Default)]
struct Shared {
    failure: Mutex<Option<FlushError>>,
    head: Mutex<Option<Head>>,
    flushes: AtomicU64,
    batches: AtomicU64,
    busy_ns: AtomicU64,
}

impl Persister {
    /// Starts the thread. There is one persister to a store.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn start(store: Store) -> std::io::Result<Self> {
        let (queue, messages) = bounded(QUEUE_BATCHES_MAX);
        let shared = Arc::new(Shared::default());
        let thread = {
            let shared = shared.clone();
            std::thread::Builder::new().name("persister".into()).spawn(move || run(&store, &messages, &shared))?
        };
        Ok(Self { queue: Some(queue), thread: Some(thread), shared })
    }

    /// Hands a batch over; waits while the queue is full.
    ///
    /// # Errors
    /// If an earlier flush failed: `batch` is not going to be written either.
    pub fn persist(&self, batch: FlushBatch) -> Result<(), PersistError> {
        self.failure()?;
        self.send(Message::Persist(Box::new(batch)))
    }

    /// Waits until everything handed over before is written.
    ///
    /// # Errors
    /// If any of it was not.
    pub fn ping(&self) -> Result<(), PersistError> {
        let (reply, replied) = bounded(1);
        self.send(Message::Ping(reply))?;
        replied.recv().map_err(|_| PersistError::Gone)?;
        self.failure()
    }

    /// Waits for what is queued and ends the thread.
    ///
    /// # Errors
    /// If anything handed over was not written.
    pub fn close(mut self) -> Result<(), PersistError> {
        self.finish()?;
        self.failure()
    }

    /// Whether everything so far was written, as far as that is known; does not wait.
    ///
    /// # Errors
    /// If a flush failed.
    pub fn check(&self) -> Result<(), PersistError> {
        self.failure()
    }

    /// The last head that this persister wrote; `None` before the first.
    pub fn flushed_head(&self) -> Option<Head> {
        *lock(&self.shared.head)
    }

    /// Batches waiting.
    pub fn queued(&self) -> usize {
        self.queue.as_ref().map_or(0, Sender::len)
    }

    /// What was done so far.
    pub fn stats(&self) -> PersistStats {
        PersistStats {
            flushes: self.shared.flushes.load(Relaxed),
            batches: self.shared.batches.load(Relaxed),
            busy: Duration::from_nanos(self.shared.busy_ns.load(Relaxed)),
        }
    }

    fn failure(&self) -> Result<(), PersistError> {
        lock(&self.shared.failure).clone().map_or(Ok(()), |error| Err(PersistError::Failed(error)))
    }

    fn send(&self, message: Message) -> Result<(), PersistError> {
        let queue = self.queue.as_ref().ok_or(PersistError::Gone)?;
        queue.send(message).map_err(|_| PersistError::Gone)
    }

    fn finish(&mut self) -> Result<(), PersistError> {
        self.queue = None;
        match self.thread.take().map(JoinHandle::join) {
            Some(Err(_panic)) => Err(PersistError::Gone),
            _ => Ok(()),
        }
    }
}

impl Drop for Persister {
    fn drop(&mut self) {
        if self.finish().is_err() {
            tracing::error!("the persisting thread panicked");
        }
    }
}

fn run(store: &Store, messages: &Receiver<Message>, shared: &Shared) {
    let mut pings = Vec::new();
    while let Ok(first) = messages.recv() {
        let (batch, batches) = collect(first, messages, &mut pings);
        if batches > 0 && lock(&shared.failure).is_none() {
            write(store, &batch, batches, shared);
        }
        for ping in pings.drain(..) {
            // Whoever pinged has gone away if this fails, and wants to know nothing any more.
            let _ = Sender::send(&ping, ());
        }
    }
}

/// `first` and what waits behind it as one batch, with the number of batches in it. Bounded by the queue's length.
fn collect(first: Message, messages: &Receiver<Message>, pings: &mut Vec<Sender<()>>) -> (FlushBatch, u64) {
    let (mut batch, mut batches) = (FlushBatch::default(), 0);
    for message in std::iter::once(first).chain(messages.try_iter().take(QUEUE_BATCHES_MAX)) {
        match message {
            Message::Persist(next) => {
                batch.append(*next);
                batches += 1;
            }
            Message::Ping(ping) => pings.push(ping),
        }
    }
    (batch, batches)
}

fn write(store: &Store, batch: &FlushBatch, batches: u64, shared: &Shared) {
    let start = Instant::now();
    match store.flush(batch) {
        Ok(()) => {
            if batch.head.is_some() {
                *lock(&shared.head) = batch.head;
            }
            shared.flushes.fetch_add(1, Relaxed);
            shared.batches.fetch_add(batches, Relaxed);
        }
        Err(error) => {
            tracing::error!(%error, "flush failed; nothing is persisted from here on");
            *lock(&shared.failure) = Some(error);
        }
    }
    shared.busy_ns.fetch_add(start.elapsed().as_nanos() as u64, Relaxed);
}

/// Locks even after a panic elsewhere: each value is replaced whole.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
