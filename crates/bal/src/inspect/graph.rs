//! Which transactions of a block build on which, as far as the list tells, and what that allows.
//!
//! A list says at which indices a value changes, not at which it is read. So the graph has an edge from each
//! transaction that changes a value to the next one that changes the same value: who writes a balance, a nonce or a
//! counter nearly always reads it first. A transaction that only reads what another wrote has no edge, so the graph is
//! the least that an executor without a list would have to wait for. (With a list it waits for nothing: values as of
//! any index are in it.)

use crate::FlatList;
use alloy_primitives::Address;

/// For each transaction the earlier ones that it builds on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dependencies {
    /// By transaction, block access index - 1: the transactions it builds on, by position too; ascending, unique.
    parents: Vec<Vec<u32>>,
}

/// The transactions that have to run one after the other and together take longest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CriticalPath {
    /// Positions in the block, ascending.
    pub transactions: Vec<u32>,
    /// The sum of their costs.
    pub cost: u64,
}

impl Dependencies {
    /// The graph of a block with `transactions` transactions. The balance of `fee_recipient`, which every transaction
    /// changes, is left out: fees are added at the end by any executor that runs transactions in parallel.
    pub fn of(list: &FlatList, transactions: u32, fee_recipient: Option<&Address>) -> Self {
        let mut graph = Self { parents: vec![Vec::new(); transactions as usize] };
        let fee_recipient = fee_recipient.and_then(|address| list.ordinal(address));
        for ordinal in 0..list.len() as u32 {
            if Some(ordinal) != fee_recipient {
                graph.chain(list.balance_changes(ordinal).map(|(index, _)| index));
            }
            graph.chain(list.nonce_changes(ordinal).map(|(index, _)| index));
            graph.chain(list.code_changes(ordinal).map(|(index, _)| index));
            for slot in list.changed_slots(ordinal) {
                graph.chain(list.slot_changes(slot).map(|(index, _)| index));
            }
        }
        for parents in &mut graph.parents {
            parents.sort_unstable();
            parents.dedup();
        }
        graph
    }

    /// The transactions that `transaction` builds on, by position in the block; ascending.
    pub fn parents(&self, transaction: u32) -> &[u32] {
        self.parents.get(transaction as usize).map_or(&[], Vec::as_slice)
    }

    /// Number of edges.
    pub fn edges(&self) -> usize {
        self.parents.iter().map(Vec::len).sum()
    }

    /// How many transactions are at each depth: those at a depth build on none of it. The greatest is the width.
    pub fn depths(&self) -> Vec<u32> {
        let mut depths = vec![0usize; self.parents.len()];
        let mut widths = Vec::new();
        for (transaction, parents) in self.parents.iter().enumerate() {
            let depth = parents.iter().map(|&parent| depths[parent as usize] + 1).max().unwrap_or_default();
            depths[transaction] = depth;
            widths.resize(widths.len().max(depth + 1), 0);
            widths[depth] += 1;
        }
        widths
    }

    /// The critical path, a transaction at `position` taking `cost(position)`: its gas, say, or 1.
    pub fn critical_path(&self, cost: impl Fn(u32) -> u64) -> CriticalPath {
        // By transaction: cost up to its end, and the parent that it waited for last.
        let mut ends = Vec::<(u64, Option<u32>)>::with_capacity(self.parents.len());
        for (transaction, parents) in (0..).zip(&self.parents) {
            let last = parents.iter().copied().max_by_key(|&parent| ends[parent as usize].0);
            let start = last.map_or(0, |parent| ends[parent as usize].0);
            ends.push((start.saturating_add(cost(transaction)), last));
        }
        let mut at = (0..ends.len() as u32).max_by_key(|&transaction| ends[transaction as usize].0);
        let mut path = CriticalPath { transactions: Vec::new(), cost: at.map_or(0, |last| ends[last as usize].0) };
        while let Some(transaction) = at {
            path.transactions.push(transaction);
            at = ends[transaction as usize].1;
        }
        path.transactions.reverse();
        path
    }

    /// How many times faster than one by one the transactions can run at best, whatever the number of cores.
    pub fn ideal_speed_up(&self, cost: impl Fn(u32) -> u64) -> f64 {
        let total: u64 = (0..self.parents.len() as u32).map(&cost).fold(0, u64::saturating_add);
        match self.critical_path(cost).cost {
            0 => 1.0,
            critical => total as f64 / critical as f64,
        }
    }

    /// Adds the edges between neighbours of an ascending sequence of block access indices; only transactions count.
    fn chain(&mut self, indices: impl Iterator<Item = u32>) {
        let mut previous = None;
        for index in indices {
            let Some(transaction) = index.checked_sub(1).filter(|&at| (at as usize) < self.parents.len()) else {
                continue;
            };
            if let Some(previous) = previous {
                self.parents[transaction as usize].push(previous);
            }
            previous = Some(transaction);
        }
    }
}
