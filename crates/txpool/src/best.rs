//! The order in which a block takes transactions.

use std::{cmp::Reverse, collections::BinaryHeap, sync::Arc};

use alloy_consensus::Transaction as _;

use crate::{Head, PoolTransaction, queue::Queue};

/// Pending transactions, the best tip first, a sender's in the order of their nonces. A snapshot: what happens to the
/// pool afterwards is not seen.
///
/// The best of all senders' next transactions comes first; of equal tips the older. A sender whose next transaction does
/// not pay the base fee, or the blob base fee, is left out from there on.
#[derive(Debug)]
pub struct BestTransactions {
    next: BinaryHeap<Run>,
    /// The one that [`Iterator::next`] gave last, with those that may follow it.
    last: Option<Run>,
    base_fee: u64,
    blobs_left: u64,
}

/// What is left of a sender's transactions, by the worth of the first.
#[derive(Debug)]
struct Run {
    tip: i128,
    age: Reverse<u64>,
    /// Highest nonce first: the next one is taken from the end.
    transactions: Vec<Arc<PoolTransaction>>,
}

impl BestTransactions {
    pub(crate) fn new<'a>(queues: impl Iterator<Item = &'a Queue>, head: &Head) -> Self {
        let pays = |transaction: &Arc<PoolTransaction>| {
            let blob_fee = transaction.transaction.max_fee_per_blob_gas();
            transaction.tip(head.base_fee) >= 0 && blob_fee.is_none_or(|fee| fee >= head.blob_base_fee)
        };
        let runs = queues.filter_map(|queue| {
            let mut transactions: Vec<_> = queue.pending().take_while(|tx| pays(tx)).cloned().collect();
            transactions.reverse();
            Run::new(transactions, head.base_fee)
        });
        let blobs_left = head.rules.blobs.map_or(0, |blobs| blobs.max);
        Self { next: runs.collect(), last: None, base_fee: head.base_fee, blobs_left }
    }

    /// The transaction that came last is not taken: those of its sender that follow it cannot run and will not come.
    pub fn skip_sender(&mut self) {
        self.last = None;
    }

    /// From now on only transactions with at most this many blobs come, and none of the senders whose next one has more.
    pub fn set_blobs_left(&mut self, blobs: u64) {
        self.blobs_left = blobs;
    }
}

impl Iterator for BestTransactions {
    type Item = Arc<PoolTransaction>;

    fn next(&mut self) -> Option<Self::Item> {
        let following = self.last.take().and_then(|run| Run::new(run.transactions, self.base_fee));
        self.next.extend(following);
        loop {
            let mut run = self.next.pop()?;
            if run.transactions.last()?.blob_count() > self.blobs_left {
                continue;
            }
            let transaction = run.transactions.pop();
            self.last = Some(run);
            return transaction;
        }
    }
}

impl Run {
    fn new(transactions: Vec<Arc<PoolTransaction>>, base_fee: u64) -> Option<Self> {
        let first = transactions.last()?;
        Some(Self { tip: first.tip(base_fee), age: Reverse(first.sequence), transactions })
    }
}

impl Ord for Run {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.tip, self.age).cmp(&(other.tip, other.age))
    }
}

impl PartialOrd for Run {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Run {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Run {}
