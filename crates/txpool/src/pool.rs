//! The pool: one lock around `inner.rs`, and all that needs none outside of it.
//!
//! # One lock
//! A transaction costs microseconds under the lock and up to milliseconds outside: decoding, the signature, the pairing
//! checks of blobs, the read of the sender's account all happen before it is taken. Whoever takes it afterwards looks
//! whether the head is still the one that was judged against, and judges again if not. A lock a sender would have to be
//! taken together with those of the limits and of eviction, which are about all senders; a single writer behind a
//! queue would make every caller wait for an answer through a channel to gain nothing that the lock does not give.

use std::{
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use alloy_primitives::{Address, B256};
use balsa_evm::Transaction;
use balsa_state::StateError;

use crate::{
    BestTransactions, Blob, BlockChange, Head, JournalError, Limits, PoolError, PoolTransaction, RawTransaction,
    admission::judge, decode, inner::Inner, journal::Journal, queue::Sender,
};

/// Transactions that wait for a block. Shared by reference among any number of threads.
#[derive(Debug)]
pub struct Pool {
    limits: Limits,
    locked: Mutex<Locked>,
    next_sequence: AtomicU64,
    journal: Mutex<Option<Journal>>,
}

struct Locked {
    head: Arc<Head>,
    inner: Inner,
}

/// A transaction was taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admitted {
    /// The transaction.
    pub hash: B256,
    /// Whether the next block could take it, as far as nonces and the sender's balance go.
    pub pending: bool,
    /// What it replaced.
    pub replaced: Option<B256>,
    /// What had to go for it.
    pub evicted: Vec<B256>,
}

/// How many transactions there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolStatus {
    /// That can run.
    pub pending: usize,
    /// That wait for others, or for funds.
    pub queued: usize,
    /// Encodings together, sidecars included.
    pub bytes: usize,
}

/// The transactions of one sender, by nonce.
#[derive(Clone, Debug)]
pub struct SenderTransactions {
    /// Who sent them.
    pub sender: Address,
    /// Those that can run.
    pub pending: Vec<Arc<PoolTransaction>>,
    /// Those that wait for others, or for funds.
    pub queued: Vec<Arc<PoolTransaction>>,
}

impl Pool {
    /// An empty pool over a head.
    pub fn new(limits: Limits, head: Head) -> Self {
        let inner = Inner::new(limits, head.base_fee);
        let locked = Mutex::new(Locked { head: Arc::new(head), inner });
        Self { limits, locked, next_sequence: AtomicU64::new(0), journal: Mutex::new(None) }
    }

    /// Takes in what a journal holds, as far as it still fits the head, and keeps the journal from now on. Returns how
    /// many transactions it gave.
    ///
    /// # Errors
    /// If the file can be neither read nor written; the pool then goes on without.
    pub fn open_journal(&self, path: &Path) -> Result<usize, JournalError> {
        let entries = Journal::read(path, self.limits.journal_bytes_max)?;
        let admitted = entries.iter().filter(|bytes| self.add_quietly(bytes).is_ok()).count();
        let journal = Journal::create(path, self.limits.journal_bytes_max, self.all_encoded())?;
        *lock(&self.journal) = Some(journal);
        Ok(admitted)
    }

    /// Takes in a transaction in the encoding of `eth_sendRawTransaction` and of the network.
    pub fn add(&self, bytes: &[u8]) -> Result<Admitted, PoolError> {
        let admitted = self.add_quietly(bytes)?;
        self.journal(bytes);
        Ok(admitted)
    }

    /// Takes in a transaction that was decoded before.
    pub fn add_decoded(&self, raw: RawTransaction) -> Result<Admitted, PoolError> {
        let admitted = self.admit(raw)?;
        if let Some(transaction) = self.get(&admitted.hash) {
            self.journal(&transaction.encoded());
        }
        Ok(admitted)
    }

    /// Moves to a new head. Transactions of blocks that were left return, unless the new blocks have them too.
    ///
    /// # Errors
    /// If state could not be read. The head is the new one all the same; senders that were not read are judged by their
    /// old accounts until the next head.
    pub fn set_head(&self, head: Head, change: &BlockChange) -> Result<(), StateError> {
        let head = Arc::new(head);
        let mut returning = Vec::new();
        {
            let mut locked = self.lock();
            locked.head = head.clone();
            let inner = &mut locked.inner;
            for transaction in &change.included {
                if let Some(transaction) = inner.remove(transaction.tx_hash()) {
                    inner.included.keep(&transaction, self.limits.included_sidecar_bytes_max);
                }
            }
            let refreshed = inner.set_head(&head);
            let included: std::collections::HashSet<_> = change.included.iter().map(|tx| *tx.tx_hash()).collect();
            for transaction in change.removed.iter().filter(|tx| !included.contains(tx.tx_hash())) {
                returning.push(returned(inner, transaction));
            }
            refreshed?;
        }
        for raw in returning {
            // What no longer fits the new chain's state is the sender's to send again.
            let _ = self.add_decoded(raw);
        }
        Ok(())
    }

    /// What a block should take, in order.
    pub fn best(&self) -> BestTransactions {
        let locked = self.lock();
        BestTransactions::new(locked.inner.queues.values(), &locked.head)
    }

    /// Rises with every transaction that is brought: while it stands still there is nothing new to build with.
    pub fn sequence(&self) -> u64 {
        self.next_sequence.load(Ordering::Relaxed)
    }

    /// A transaction by its hash.
    pub fn get(&self, hash: &B256) -> Option<Arc<PoolTransaction>> {
        self.lock().inner.by_hash.get(hash).cloned()
    }

    /// A blob by its versioned hash (`engine_getBlobs`).
    pub fn blob(&self, versioned_hash: &B256) -> Option<Blob> {
        self.lock().inner.blobs.get(versioned_hash)
    }

    /// The nonce that the sender's next transaction should have; `None` if the pool knows nothing of the sender, whose
    /// account then says it.
    pub fn next_nonce(&self, sender: &Address) -> Option<u64> {
        self.lock().inner.queues.get(sender).map(|queue| queue.next_nonce())
    }

    /// How many there are.
    pub fn status(&self) -> PoolStatus {
        let inner = &self.lock().inner;
        let pending = inner.queues.values().map(|queue| queue.pending_count()).sum();
        let queued = inner.by_hash.len() - pending;
        PoolStatus { pending, queued, bytes: inner.plain.bytes() + inner.with_blobs.bytes() }
    }

    /// All transactions, by sender.
    pub fn content(&self) -> Vec<SenderTransactions> {
        let locked = self.lock();
        let mut content: Vec<_> = locked.inner.queues.iter().map(|(sender, queue)| of_sender(*sender, queue)).collect();
        content.sort_unstable_by_key(|transactions| transactions.sender);
        content
    }

    /// The transactions of one sender.
    pub fn content_from(&self, sender: &Address) -> SenderTransactions {
        let locked = self.lock();
        of_sender(*sender, locked.inner.queues.get(sender).unwrap_or(&Default::default()))
    }

    fn add_quietly(&self, bytes: &[u8]) -> Result<Admitted, PoolError> {
        self.admit(decode(bytes)?)
    }

    fn admit(&self, raw: RawTransaction) -> Result<Admitted, PoolError> {
        if self.lock().inner.by_hash.contains_key(raw.hash()) {
            return Err(PoolError::AlreadyKnown);
        }
        loop {
            let head = self.lock().head.clone();
            let sequence = self.next_sequence.fetch_add(1, Ordering::Relaxed);
            let transaction = judge(raw.clone(), &head, &self.limits, sequence)?;
            let sender = Sender::read(&head.state, transaction.sender)?;
            let mut locked = self.lock();
            if Arc::ptr_eq(&locked.head, &head) {
                return locked.inner.insert(Arc::new(transaction), sender);
            }
        }
    }

    /// Writes a transaction into the journal, if there is one. A journal that fails is given up, and the log says so.
    fn journal(&self, bytes: &[u8]) {
        let mut journal = lock(&self.journal);
        let Some(open) = journal.as_mut() else { return };
        let written = match open.append(bytes) {
            Ok(full) if full => open.rewrite(self.all_encoded()),
            written => written.map(drop),
        };
        if let Err(error) = written {
            tracing::warn!(%error, "transaction pool: no journal from now on");
            *journal = None;
        }
    }

    /// Encodings of all transactions, in the order of nonces within a sender, the best senders first.
    fn all_encoded(&self) -> impl Iterator<Item = Vec<u8>> + use<> {
        let pending: Vec<_> = self.best().collect();
        let known: std::collections::HashSet<B256> = pending.iter().map(|transaction| *transaction.hash()).collect();
        let rest = self.content().into_iter().flat_map(|sender| [sender.pending, sender.queued].concat());
        let rest: Vec<_> = rest.filter(|transaction| !known.contains(transaction.hash())).collect();
        pending.into_iter().chain(rest).map(|transaction| transaction.encoded())
    }

    fn lock(&self) -> MutexGuard<'_, Locked> {
        lock(&self.locked)
    }

    /// Every index against the queues. For tests.
    #[cfg(test)]
    pub(crate) fn check(&self) {
        self.lock().inner.check();
    }
}

impl std::fmt::Debug for Locked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Locked").field("transactions", &self.inner.by_hash.len()).finish_non_exhaustive()
    }
}

/// A transaction of a block that was left, its sidecar found again.
fn returned(inner: &mut Inner, transaction: &Transaction) -> RawTransaction {
    let sidecar = inner.included.take(transaction.tx_hash()).map(Arc::unwrap_or_clone);
    RawTransaction { transaction: transaction.clone(), sidecar }
}

fn of_sender(sender: Address, queue: &crate::queue::Queue) -> SenderTransactions {
    let pending: Vec<_> = queue.pending().cloned().collect();
    let queued = queue.transactions.values().skip(pending.len()).cloned().collect();
    SenderTransactions { sender, pending, queued }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic under the lock is a bug of ours that a test of the indexes should have found; the node goes on.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
