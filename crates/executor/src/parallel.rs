//! The parallel executor: every block access index at once, each on the state that the list gives it.
//!
//! Tasks are the indexes: 0 the calls before the transactions, 1..=n the transactions, n + 1 what follows them. A
//! worker runs a task on a [`ListView`] of its index and checks in place that the run made exactly the changes of that
//! row of the list. The caller's thread takes results back into order, counts gas, and builds receipts, their root and
//! bloom meanwhile. The merkleizer has had the block's final values before the first task starts.
//!
//! By induction over the indexes, if every row holds then every view was the true state, and the run is the block's.
//! If anything fails, nothing is concluded: the sequential executor runs the block (see `block.rs`).

use std::sync::{
    Arc, Mutex, OnceLock, PoisonError,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use alloy_consensus::Transaction as _;
use alloy_eips::eip7685::Requests;
use alloy_primitives::{Address, Bloom};
use balsa_bal::{AccessBits, FlatList, KeyHashes, Mismatch, Unaccessed};
use balsa_evm::{
    AdmissionError, BlockEnvironment, BlockGas, CodeCache, DepositError, PhaseError, TransactError, TransactionEvm,
    TransactionResult, after_transactions, before_transactions, deposit_requests, with_deposits,
};
use balsa_state::{Columns, ListView, StateError};
use balsa_trie::{RootAfter, TrieError, root_after};
use crossbeam_channel::{Receiver, Sender, unbounded};
use thiserror::Error;
use tracing::debug_span;

use crate::{
    InvalidBlock, Parent, SealedBlock, Stages,
    block::{ExecutedList, Execution},
    list_check::check_row,
    receipts::{ReceiptStream, bloom_of},
    reorder::Reorder,
    update_channel,
    updates::ListUpdates,
};

/// Why the parallel run of a block came to nothing. Not a verdict.
#[derive(Debug, Error)]
pub enum ParallelFault {
    /// An index did not do what the list says.
    #[error("{0}")]
    Mismatch(Box<Mismatch>),
    /// A listed account or slot was not accessed.
    #[error("{0}")]
    Unaccessed(Unaccessed),
    /// A transaction could not run.
    #[error("transaction {0}: {1}")]
    Transaction(usize, TransactError),
    /// A transaction does not fit the block.
    #[error("transaction {0}: {1}")]
    Admission(usize, AdmissionError),
    /// The calls around the transactions failed.
    #[error(transparent)]
    Phase(PhaseError),
    /// A deposit event is malformed.
    #[error(transparent)]
    Deposit(DepositError),
    /// Parent values could not be read.
    #[error(transparent)]
    State(StateError),
    /// The root could not be computed.
    #[error(transparent)]
    Trie(TrieError),
    /// Everything ran, and the header says otherwise.
    #[error(transparent)]
    Verdict(#[from] InvalidBlock),
    /// A worker is gone.
    #[error("a worker ended without a result")]
    WorkerLost,
}

/// What the run needs to know of its block.
pub(crate) struct ParallelInput<'a> {
    pub(crate) block: &'a SealedBlock,
    pub(crate) senders: &'a [Address],
    pub(crate) list: &'a Arc<FlatList>,
    pub(crate) parent: &'a Parent,
    pub(crate) environment: &'a BlockEnvironment,
    pub(crate) codes: &'a Arc<CodeCache>,
    /// `None` runs everything on the caller's thread.
    pub(crate) pool: Option<&'a rayon::ThreadPool>,
    pub(crate) stages: Stages,
}

/// Executes the block.
pub(crate) fn execute(input: &ParallelInput<'_>) -> Result<Execution, ParallelFault> {
    let keys = Arc::new(debug_span!(target: "balsa::stage", "hash_keys").in_scope(|| KeyHashes::of(input.list)));
    let columns = Columns::new(input.parent.state.clone(), input.list.clone(), keys.clone());
    let (sender, receiver) = update_channel();
    let list_updates = ListUpdates::new(input.list, &keys, &columns);
    sender.send(list_updates.updates.clone());

    let run = Run::new(input, &columns);
    let merkleized = OnceLock::new();
    let merkleize = || {
        let Some(updates) = receiver.recv() else { return };
        let span = debug_span!(target: "balsa::stage", "merkleize");
        let root = span.in_scope(|| root_after(&input.parent.trie, &*input.parent.nodes, &updates));
        let _ = merkleized.set(root);
    };
    let reduced = match input.pool {
        None => {
            let reduced = debug_span!(target: "balsa::stage", "execute").in_scope(|| run.execute_inline());
            merkleize();
            reduced
        }
        Some(pool) => pool.in_place_scope(|scope| {
            let late_root = if input.stages.early_root {
                scope.spawn(|_| merkleize());
                None
            } else {
                Some(merkleize)
            };
            scope.spawn(|_| {
                input.list.hash();
            });
            if input.stages.prefetch {
                let prefetch = debug_span!(target: "balsa::stage", "prefetch");
                for task in columns.prefetch_tasks() {
                    let prefetch = prefetch.clone();
                    scope.spawn(move |_| prefetch.in_scope(task));
                }
            }
            let reduced = debug_span!(target: "balsa::stage", "execute").in_scope(|| run.execute_on(scope));
            if let Some(merkleize) = late_root.filter(|_| reduced.is_ok()) {
                scope.spawn(|_| merkleize());
            }
            reduced
        }),
    };
    let reduced = reduced?;
    let accessed = run.accessed();
    if let Some(unaccessed) = accessed.unaccessed(input.list).next() {
        return Err(ParallelFault::Unaccessed(unaccessed));
    }
    let root: Result<RootAfter, TrieError> = merkleized.into_inner().ok_or(ParallelFault::WorkerLost)?;
    let after = root.map_err(ParallelFault::Trie)?;
    let diff = list_updates.into_diff(&after, &columns).map_err(ParallelFault::State)?;
    let list =
        ExecutedList { bytes: input.list.bytes().clone(), hash: input.list.hash(), items: input.list.item_count() };
    Ok(Execution { receipts: reduced.receipts, requests: reduced.requests, list: Some(list), diff, after })
}

/// Indexes of one block being executed.
struct Run<'a> {
    input: &'a ParallelInput<'a>,
    columns: &'a Columns,
    /// Indexes with their estimated work, most first: the last to finish should be a short one.
    order: Vec<Task>,
    next: AtomicUsize,
    /// Set when the block has failed: what is not started need not start.
    stop: AtomicBool,
    /// One a thread. A thread runs one batch at a time, so locks are never waited for.
    accessed: Vec<Mutex<AccessBits>>,
}

/// An index to be run.
#[derive(Clone, Copy)]
struct Task {
    index: u32,
    /// Estimated, in gas.
    work: u64,
}

/// Work after which a batch ends, so that its thread can look after the merkleizer's tasks. An EVM is made for each
/// batch, since it cannot move between threads; this much work makes that cost vanish.
const BATCH_WORK: u64 = 2_000_000;

type ListEvm<'a> = TransactionEvm<ListView<'a>>;

/// A task's result.
enum Done {
    Transaction(Box<Result<(TransactionResult, Bloom), ParallelFault>>),
    Phase(Result<Requests, ParallelFault>),
}

/// Results of all tasks, in order.
struct Reduced {
    receipts: ReceiptStream,
    requests: Requests,
}

impl<'a> Run<'a> {
    fn new(input: &'a ParallelInput<'a>, columns: &'a Columns) -> Self {
        let threads = input.pool.map_or(1, |pool| pool.current_num_threads());
        let accessed = || Mutex::new(AccessBits::new(input.list));
        Self {
            input,
            columns,
            order: longest_first(input),
            next: AtomicUsize::new(0),
            stop: AtomicBool::new(false),
            accessed: std::iter::repeat_with(accessed).take(threads).collect(),
        }
    }

    fn execute_on<'s>(&'s self, scope: &rayon::Scope<'s>) -> Result<Reduced, ParallelFault>
    where
        'a: 's,
    {
        let (sender, results) = unbounded();
        for _ in 0..self.order.len() {
            let sender = sender.clone();
            scope.spawn(move |_| self.run_batch(BATCH_WORK, &sender));
        }
        drop(sender);
        let reduced = self.reduce(results);
        self.stop.store(reduced.is_err(), Ordering::Relaxed);
        reduced
    }

    fn execute_inline(&self) -> Result<Reduced, ParallelFault> {
        let (sender, results) = unbounded();
        self.run_batch(u64::MAX, &sender);
        drop(sender);
        self.reduce(results)
    }

    /// Runs tasks, the longest that is left first, until they add up to `work` or none is left.
    fn run_batch(&self, work: u64, results: &Sender<(u32, Done)>) {
        let (mut evm, mut span) = (None, None);
        let mut done = 0;
        while done < work && !self.stop.load(Ordering::Relaxed) {
            let Some(task) = self.order.get(self.next.fetch_add(1, Ordering::Relaxed)) else { return };
            // Who finds nothing to do is not told of.
            span.get_or_insert_with(|| debug_span!(target: "balsa::stage", "batch").entered());
            let thread = rayon::current_thread_index().unwrap_or(0) % self.accessed.len();
            let mut accessed = self.accessed[thread].lock().unwrap_or_else(PoisonError::into_inner);
            let result = self.run_index(&mut evm, &mut accessed, task.index);
            if results.send((task.index, result)).is_err() {
                return;
            }
            done += task.work;
        }
    }

    fn run_index(&self, evm: &mut Option<ListEvm<'a>>, accessed: &mut AccessBits, index: u32) -> Done {
        let transactions = self.input.block.transactions.len();
        match index as usize {
            0 => Done::Phase(self.run_before(accessed)),
            at if at <= transactions => Done::Transaction(Box::new(self.run_transaction(evm, accessed, at - 1))),
            _ => Done::Phase(self.run_after(accessed, index)),
        }
    }

    fn run_transaction(
        &self,
        evm: &mut Option<ListEvm<'a>>,
        accessed: &mut AccessBits,
        at: usize,
    ) -> Result<(TransactionResult, Bloom), ParallelFault> {
        let index = at as u32 + 1;
        let view = ListView::new(self.columns, index);
        let evm = match evm {
            Some(evm) => {
                *evm.view_mut() = view;
                evm
            }
            none => none.insert(TransactionEvm::new(self.input.environment, self.input.codes.clone(), view)),
        };
        let transaction = &self.input.block.transactions[at];
        let result =
            evm.transact(transaction, self.input.senders[at]).map_err(|error| ParallelFault::Transaction(at, error))?;
        check_row(self.input.list, accessed, index, evm.outcomes()).map_err(ParallelFault::Mismatch)?;
        let bloom = bloom_of(&result.logs);
        Ok((result, bloom))
    }

    fn run_before(&self, accessed: &mut AccessBits) -> Result<Requests, ParallelFault> {
        let header = &self.input.block.header;
        let view = ListView::new(self.columns, 0);
        let beacon_root = header.parent_beacon_block_root;
        let phase =
            before_transactions(self.input.environment, self.input.codes, header.parent_hash, beacon_root, view)
                .map_err(ParallelFault::Phase)?;
        let (_, outcomes) = phase.finish();
        check_row(self.input.list, accessed, 0, outcomes.iter()).map_err(ParallelFault::Mismatch)?;
        Ok(Requests::default())
    }

    fn run_after(&self, accessed: &mut AccessBits, index: u32) -> Result<Requests, ParallelFault> {
        let view = ListView::new(self.columns, index);
        let withdrawals = self.input.block.withdrawals.as_deref().map_or(&[][..], |all| all);
        let (phase, requests) = after_transactions(self.input.environment, self.input.codes, withdrawals, view)
            .map_err(ParallelFault::Phase)?;
        let (_, outcomes) = phase.finish();
        check_row(self.input.list, accessed, index, outcomes.iter()).map_err(ParallelFault::Mismatch)?;
        Ok(requests)
    }

    /// Takes results in block order. The first that fails ends it.
    fn reduce(&self, results: Receiver<(u32, Done)>) -> Result<Reduced, ParallelFault> {
        let block = self.input.block;
        let gas = BlockGas::new(&self.input.environment.rules, block.header.gas_limit);
        let mut receipts = ReceiptStream::new(gas, block.transactions.len());
        let mut requests = Requests::default();
        let mut order = Reorder::new(self.order.len());
        while !order.is_done() {
            let (index, done) = results.recv().map_err(|_| ParallelFault::WorkerLost)?;
            order.put(index as usize, done);
            while let Some((index, done)) = order.pop() {
                match done {
                    Done::Phase(of_phase) => requests = of_phase?,
                    Done::Transaction(result) => {
                        let (result, bloom) = (*result)?;
                        let transaction = &block.transactions[index - 1];
                        let admitted = receipts.gas.admit(transaction.gas_limit());
                        admitted.map_err(|error| ParallelFault::Admission(index - 1, error))?;
                        receipts.push(transaction, result, bloom, None);
                    }
                }
            }
        }
        let deposits = deposit_requests(&self.input.environment.rules, receipts.receipts());
        let requests = with_deposits(deposits.map_err(ParallelFault::Deposit)?, requests);
        Ok(Reduced { receipts, requests })
    }

    /// Every access of every worker.
    fn accessed(&self) -> AccessBits {
        let mut accessed = AccessBits::new(self.input.list);
        for of_thread in &self.accessed {
            accessed.merge(&of_thread.lock().unwrap_or_else(PoisonError::into_inner));
        }
        accessed
    }
}

/// Indexes by estimated work, most first. A gas limit is only a bound, so what the list says was changed counts more.
fn longest_first(input: &ParallelInput<'_>) -> Vec<Task> {
    /// What a change of state costs at most, gas: it puts row counts and gas limits on one scale.
    const GAS_A_CHANGE: u64 = 20_000;
    let transactions = &input.block.transactions;
    let task = |index: u32| {
        let changes = u64::from(input.list.row_count(index)) * GAS_A_CHANGE;
        let transaction = transactions.get((index as usize).wrapping_sub(1));
        Task { index, work: changes + transaction.map_or(0, |transaction| transaction.gas_limit()) }
    };
    let mut order: Vec<Task> = (0..=transactions.len() as u32 + 1).map(task).collect();
    order.sort_by_key(|task| std::cmp::Reverse(task.work));
    order
}
