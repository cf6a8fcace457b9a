//! One of two halves of the pool, with blobs and without, each with limits of its own: how full it is, and who goes first
//! when it is too full.

use std::collections::BTreeSet;

use alloy_primitives::Address;

use crate::{PoolTransaction, queue::Queue};

/// How much one half may hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ShelfLimits {
    pub(crate) transactions_max: usize,
    pub(crate) bytes_max: usize,
}

/// What a sender's last transaction is worth: the sender with the least loses it first. The last one goes, so that none is
/// left behind that waits for it; it is worth no more than the least of those before it, since it runs only after
/// them. Of equals the youngest goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Worth {
    pending: bool,
    tip: i128,
    age: std::cmp::Reverse<u64>,
    sender: Address,
}

impl Worth {
    /// `None` of an empty queue.
    pub(crate) fn of(queue: &Queue, base_fee: u64) -> Option<Self> {
        let last = queue.transactions.values().next_back()?;
        let tip = queue.transactions.values().map(|transaction| transaction.tip(base_fee)).min()?;
        let pending = queue.pending_count() == queue.transactions.len();
        Some(Self { pending, tip, age: std::cmp::Reverse(last.sequence), sender: last.sender })
    }
}

/// Counts, and senders by worth.
#[derive(Debug)]
pub(crate) struct Shelf {
    limits: ShelfLimits,
    transactions: usize,
    bytes: usize,
    worths: BTreeSet<Worth>,
}

impl Shelf {
    pub(crate) fn new(limits: ShelfLimits) -> Self {
        Self { limits, transactions: 0, bytes: 0, worths: BTreeSet::new() }
    }

    pub(crate) fn add(&mut self, transaction: &PoolTransaction) {
        self.transactions += 1;
        self.bytes += transaction.bytes;
    }

    pub(crate) fn remove(&mut self, transaction: &PoolTransaction) {
        self.transactions -= 1;
        self.bytes -= transaction.bytes;
    }

    /// A sender's worth changed.
    pub(crate) fn reorder(&mut self, old: Option<Worth>, new: Option<Worth>) {
        if old == new {
            return;
        }
        if let Some(old) = old {
            assert!(self.worths.remove(&old), "every queue stands here under its worth");
        }
        self.worths.extend(new);
    }

    /// All worths changed.
    pub(crate) fn rank(&mut self, worths: Vec<Worth>) {
        self.worths = worths.into_iter().collect();
    }

    /// Least first.
    #[cfg(test)]
    pub(crate) fn worths(&self) -> impl Iterator<Item = &Worth> {
        self.worths.iter()
    }

    /// The sender that is to lose its last transaction, if the half is too full.
    pub(crate) fn overfull(&self) -> Option<Address> {
        let full = self.transactions > self.limits.transactions_max || self.bytes > self.limits.bytes_max;
        self.worths.first().filter(|_| full).map(|worth| worth.sender)
    }

    #[cfg(test)]
    pub(crate) fn transactions(&self) -> usize {
        self.transactions
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}
