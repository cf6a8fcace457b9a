//! What the pool's lock guards, and every change of it. Each keeps the indexes in step: `by_hash`, the shelves, the blob
//! index and the authorities name exactly the transactions that stand in the queues.

use std::{collections::HashMap, sync::Arc};

use alloy_primitives::{Address, B256};
use balsa_state::StateError;
use foldhash::fast::RandomState;

use crate::{
    Admitted, Head, Limits, PoolError, PoolTransaction,
    admission::still_fits,
    blobs::{BlobIndex, IncludedSidecars},
    queue::{Queue, Sender, SenderCode},
    shelf::{Shelf, ShelfLimits, Worth},
};

/// The pool under its lock.
#[derive(Debug)]
pub(crate) struct Inner {
    limits: Limits,
    base_fee: u64,
    pub(crate) queues: HashMap<Address, Queue, RandomState>,
    pub(crate) by_hash: HashMap<B256, Arc<PoolTransaction>, RandomState>,
    pub(crate) plain: Shelf,
    pub(crate) with_blobs: Shelf,
    pub(crate) blobs: BlobIndex,
    pub(crate) included: IncludedSidecars,
    /// How many set-code transactions of the pool each account signed an authorization in.
    authorities: HashMap<Address, usize, RandomState>,
}

impl Inner {
    pub(crate) fn new(limits: Limits, base_fee: u64) -> Self {
        let plain = ShelfLimits { transactions_max: limits.transactions_max, bytes_max: limits.bytes_max };
        let with_blobs =
            ShelfLimits { transactions_max: limits.blob_transactions_max, bytes_max: limits.blob_bytes_max };
        Self {
            limits,
            base_fee,
            queues: HashMap::default(),
            by_hash: HashMap::default(),
            plain: Shelf::new(plain),
            with_blobs: Shelf::new(with_blobs),
            blobs: BlobIndex::default(),
            included: IncludedSidecars::default(),
            authorities: HashMap::default(),
        }
    }

    /// Takes in a transaction whose sender's account was read from the head's state.
    pub(crate) fn insert(&mut self, new: Arc<PoolTransaction>, sender: Sender) -> Result<Admitted, PoolError> {
        if self.by_hash.contains_key(new.hash()) {
            return Err(PoolError::AlreadyKnown);
        }
        let delegated = sender.code == SenderCode::Delegation || self.authorities.contains_key(&new.sender);
        let fresh = Queue { sender, ..Queue::default() };
        self.queues.get(&new.sender).unwrap_or(&fresh).check(&new, delegated, &self.limits)?;
        let replaced = self.change(new.sender, |queue| {
            queue.sender = sender;
            queue.transactions.insert(new.nonce(), new.clone())
        });
        if let Some(old) = &replaced {
            self.forget(old);
        }
        self.learn(&new);
        let evicted = self.evict(new.has_blobs());
        if evicted.contains(new.hash()) {
            return Err(PoolError::Underpriced);
        }
        let pending =
            self.queues.get(&new.sender).is_some_and(|queue| queue.pending().any(|tx| tx.hash() == new.hash()));
        Ok(Admitted { hash: *new.hash(), pending, replaced: replaced.map(|old| *old.hash()), evicted })
    }

    /// Moves to a new head: accounts are read again, what cannot run any more goes.
    ///
    /// # Errors
    /// If state could not be read; the accounts read until then stand.
    pub(crate) fn set_head(&mut self, head: &Head) -> Result<(), StateError> {
        let same_base_fee = std::mem::replace(&mut self.base_fee, head.base_fee) == head.base_fee;
        if !same_base_fee {
            self.rank_again();
        }
        let senders: Vec<Address> = self.queues.keys().copied().collect();
        for address in senders {
            let sender = Sender::read(&head.state, address)?;
            self.refresh(address, sender, head);
        }
        // A queue may have become longer than its shelf: never more than before, but of another worth.
        self.evict(false);
        self.evict(true);
        Ok(())
    }

    /// Takes a transaction out, and leaves those after it waiting.
    pub(crate) fn remove(&mut self, hash: &B256) -> Option<Arc<PoolTransaction>> {
        let transaction = self.by_hash.get(hash)?.clone();
        self.change(transaction.sender, |queue| queue.transactions.remove(&transaction.nonce()));
        self.forget(&transaction);
        Some(transaction)
    }

    fn refresh(&mut self, address: Address, sender: Sender, head: &Head) {
        let gone = self.change(address, |queue| {
            queue.sender = sender;
            let stays = |transaction: &PoolTransaction| {
                transaction.nonce() >= sender.nonce
                    && transaction.cost <= sender.balance
                    && sender.code != SenderCode::Contract
                    && still_fits(transaction, head)
            };
            let all = std::mem::take(&mut queue.transactions).into_values();
            let (kept, gone): (Vec<_>, Vec<_>) = all.partition(|transaction| stays(transaction));
            queue.transactions = kept.into_iter().map(|transaction| (transaction.nonce(), transaction)).collect();
            gone
        });
        for transaction in gone {
            self.forget(&transaction);
        }
    }

    /// Evicts until the shelf is within its limits; returns what went.
    fn evict(&mut self, with_blobs: bool) -> Vec<B256> {
        let mut evicted = Vec::new();
        while let Some(sender) = self.shelf(with_blobs).overfull() {
            let Some((_, last)) = self.change(sender, |queue| queue.transactions.pop_last()) else { return evicted };
            self.forget(&last);
            evicted.push(*last.hash());
        }
        evicted
    }

    /// Changes a sender's queue and keeps its shelf's order in step.
    fn change<T>(&mut self, sender: Address, change: impl FnOnce(&mut Queue) -> T) -> T {
        let queue = self.queues.entry(sender).or_default();
        let old = Worth::of(queue, self.base_fee);
        let old_blobs = has_blobs(queue);
        let changed = change(queue);
        let new = Worth::of(queue, self.base_fee);
        let new_blobs = has_blobs(queue);
        if queue.transactions.is_empty() {
            self.queues.remove(&sender);
        }
        match (old_blobs, new_blobs) {
            (Some(old_blobs), Some(new_blobs)) if old_blobs != new_blobs => {
                self.shelf(old_blobs).reorder(old, None);
                self.shelf(new_blobs).reorder(None, new);
            }
            (blobs, other) => self.shelf(blobs.or(other).unwrap_or_default()).reorder(old, new),
        }
        changed
    }

    /// The base fee changed, and with it every worth.
    fn rank_again(&mut self) {
        let mut worths = [Vec::new(), Vec::new()];
        for queue in self.queues.values() {
            worths[usize::from(has_blobs(queue).unwrap_or_default())].extend(Worth::of(queue, self.base_fee));
        }
        let [plain, with_blobs] = worths;
        self.plain.rank(plain);
        self.with_blobs.rank(with_blobs);
    }

    fn shelf(&mut self, with_blobs: bool) -> &mut Shelf {
        if with_blobs { &mut self.with_blobs } else { &mut self.plain }
    }

    fn learn(&mut self, transaction: &Arc<PoolTransaction>) {
        self.by_hash.insert(*transaction.hash(), transaction.clone());
        self.shelf(transaction.has_blobs()).add(transaction);
        self.blobs.add(transaction);
        for authority in &transaction.authorities {
            *self.authorities.entry(*authority).or_default() += 1;
        }
    }

    fn forget(&mut self, transaction: &PoolTransaction) {
        self.by_hash.remove(transaction.hash());
        self.shelf(transaction.has_blobs()).remove(transaction);
        self.blobs.remove(transaction);
        for authority in &transaction.authorities {
            if let Some(count) = self.authorities.get_mut(authority) {
                *count -= 1;
                if *count == 0 {
                    self.authorities.remove(authority);
                }
            }
        }
    }

    /// Every index against the queues. For tests.
    #[cfg(test)]
    pub(crate) fn check(&self) {
        let all: Vec<_> = self.queues.values().flat_map(|queue| queue.transactions.values()).collect();
        assert_eq!(all.len(), self.by_hash.len());
        assert!(all.iter().all(|transaction| self.by_hash.contains_key(transaction.hash())));
        for (shelf, with_blobs) in [(&self.plain, false), (&self.with_blobs, true)] {
            let on_it: Vec<_> = all.iter().filter(|transaction| transaction.has_blobs() == with_blobs).collect();
            assert_eq!(shelf.transactions(), on_it.len());
            assert_eq!(shelf.bytes(), on_it.iter().map(|transaction| transaction.bytes).sum::<usize>());
            let queues = self.queues.values().filter(|queue| has_blobs(queue) == Some(with_blobs));
            let mut worths: Vec<_> = queues.filter_map(|queue| Worth::of(queue, self.base_fee)).collect();
            worths.sort_unstable();
            assert_eq!(shelf.worths().collect::<Vec<_>>(), worths.iter().collect::<Vec<_>>());
            assert_eq!(shelf.overfull(), None);
        }
        assert!(self.queues.values().all(|queue| !queue.transactions.is_empty()));
        if all.iter().all(|transaction| !transaction.has_blobs()) {
            assert_eq!(self.blobs.len(), 0);
        }
        let authorities: usize = all.iter().map(|transaction| transaction.authorities.len()).sum();
        assert_eq!(self.authorities.values().sum::<usize>(), authorities);
    }
}

/// Which shelf a queue stands on; `None` of an empty one.
fn has_blobs(queue: &Queue) -> Option<bool> {
    queue.transactions.values().next().map(|transaction| transaction.has_blobs())
}
