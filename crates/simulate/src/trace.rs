//! debug_trace*: a block's transactions, or a call, run once more under a tracer.
//!
//! Where the block has its access list, each transaction runs on the state that the list gives it: one without those
//! before it, all of a block on several threads at once. Elsewhere they run one after another.

use std::{
    num::NonZeroUsize,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    thread,
};

use alloy_primitives::Bytes;
use alloy_rpc_types_trace::geth::{GethDebugTracingOptions, GethTrace, TraceResult};
use balsa_evm::{GethTracer, TraceAllowance, TraceError, TracedTransaction, Unobserved};
use balsa_executor::{ExecuteError, Executor, ListReplay, Parent, Replay, SealedBlock};
use thiserror::Error;

use crate::{Base, CallError, Limits, Question, limits::Deadline, request::sender, session::Session};

/// Threads that one answer may occupy: others are to be answered meanwhile, and blocks imported.
const THREADS_MAX: usize = 4;

/// A block that is to be traced, with all that running it again takes.
#[derive(Clone)]
pub struct TracedBlock<'a> {
    /// The rules, and code that was seen before.
    pub executor: &'a Executor,
    /// The block. It was found valid.
    pub block: &'a SealedBlock,
    /// Its parent, with the state after it.
    pub parent: &'a Parent,
    /// Its access list, where there is one: the one that its header commits to.
    pub list: Option<Bytes>,
}

/// What a trace may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceLimits {
    /// Time for the whole answer, and gas of calls.
    pub calls: Limits,
    /// Memory for all traces of the answer, by estimate.
    pub bytes_max: usize,
}

impl Default for TraceLimits {
    fn default() -> Self {
        Self { calls: Limits::default(), bytes_max: 512 << 20 }
    }
}

/// Why there is no trace.
#[derive(Debug, Error)]
pub enum TraceBlockError {
    /// The tracer gave none.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// The block could not be run again.
    #[error(transparent)]
    Execute(#[from] ExecuteError),
    /// The call could not be run.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The block has no such transaction.
    #[error("transaction index {0} is out of range")]
    NoTransaction(usize),
}

/// Traces one transaction of a block.
///
/// # Errors
/// See [`TraceBlockError`].
pub fn trace_transaction(
    traced: &TracedBlock<'_>,
    at: usize,
    options: &GethDebugTracingOptions,
    limits: &TraceLimits,
) -> Result<GethTrace, TraceBlockError> {
    let job = Job::new(traced, options, limits);
    let TracedBlock { executor, block, parent, list } = traced;
    let run = match list {
        Some(list) => ListReplay::open(executor, block, parent, list.clone())?.run(at, job.tracer(at)?)?,
        None => {
            let mut replay = Replay::open(executor, block, parent)?;
            for _ in 0..at.min(block.transactions.len()) {
                job.check_time()?;
                replay.next(Unobserved, |_| {})?;
            }
            replay.next(job.tracer(at)?, |_| {})?
        }
    };
    let (_, tracer) = run.ok_or(TraceBlockError::NoTransaction(at))?;
    Ok(tracer.into_trace()?)
}

/// Traces all transactions of a block, in their order.
///
/// # Errors
/// See [`TraceBlockError`].
pub fn trace_block(
    traced: &TracedBlock<'_>,
    options: &GethDebugTracingOptions,
    limits: &TraceLimits,
) -> Result<Vec<TraceResult>, TraceBlockError> {
    let job = Job::new(traced, options, limits);
    let TracedBlock { executor, block, parent, list } = traced;
    let traces = match list {
        Some(list) => job.trace_at_once(&ListReplay::open(executor, block, parent, list.clone())?)?,
        None => job.trace_in_order(Replay::open(executor, block, parent)?)?,
    };
    let named = block.transactions.iter().zip(traces);
    Ok(named.map(|(transaction, trace)| TraceResult::new_success(trace, Some(*transaction.tx_hash()))).collect())
}

/// Traces a call on the state after a block.
///
/// # Errors
/// See [`TraceBlockError`].
pub fn trace_call(
    base: Base<'_>,
    question: &Question,
    options: &GethDebugTracingOptions,
    limits: &TraceLimits,
) -> Result<GethTrace, TraceBlockError> {
    let mut session = Session::open(base, question, &limits.calls)?;
    let gas_limit = question.request.gas.unwrap_or(u64::MAX).min(limits.calls.gas_max());
    let transaction = session.transaction(&question.request, gas_limit)?;
    let deadline = session.deadline;
    let allowance = TraceAllowance::new(limits.bytes_max);
    let tracer = GethTracer::new(options.clone(), TracedTransaction::default(), allowance, move || deadline.is_over())?;
    let tracer = session.run_traced(&transaction, sender(&question.request), tracer)?;
    Ok(tracer.into_trace()?)
}

/// One answer on its way.
struct Job<'a> {
    block: &'a SealedBlock,
    options: &'a GethDebugTracingOptions,
    allowance: TraceAllowance,
    deadline: Deadline,
}

impl<'a> Job<'a> {
    fn new(traced: &TracedBlock<'a>, options: &'a GethDebugTracingOptions, limits: &TraceLimits) -> Self {
        let allowance = TraceAllowance::new(limits.bytes_max);
        Self { block: traced.block, options, allowance, deadline: Deadline::start(&limits.calls) }
    }

    fn tracer(&self, at: usize) -> Result<GethTracer, TraceError> {
        let hash = self.block.transactions.get(at).map(|transaction| *transaction.tx_hash());
        let transaction = TracedTransaction { block_hash: Some(self.block.hash), hash, index: Some(at) };
        let deadline = self.deadline;
        GethTracer::new(self.options.clone(), transaction, self.allowance.clone(), move || deadline.is_over())
    }

    fn check_time(&self) -> Result<(), TraceError> {
        if self.deadline.is_over() { Err(TraceError::TimedOut) } else { Ok(()) }
    }

    fn trace_in_order(&self, mut replay: Replay<'_>) -> Result<Vec<GethTrace>, TraceBlockError> {
        let mut traces = Vec::with_capacity(self.block.transactions.len());
        while let Some((_, tracer)) = replay.next(self.tracer(traces.len())?, |_| {})? {
            self.check_time()?;
            traces.push(tracer.into_trace()?);
        }
        Ok(traces)
    }

    fn trace_one(&self, replay: &ListReplay<'_>, at: usize) -> Result<GethTrace, TraceBlockError> {
        self.check_time()?;
        let (_, tracer) = replay.run(at, self.tracer(at)?)?.ok_or(TraceBlockError::NoTransaction(at))?;
        Ok(tracer.into_trace()?)
    }

    /// The transactions are taken by whichever thread is free. The caller's is one of them, so that a system that gives
    /// no more threads only makes it slower.
    fn trace_at_once(&self, replay: &ListReplay<'_>) -> Result<Vec<GethTrace>, TraceBlockError> {
        let count = self.block.transactions.len();
        let traces: Vec<Mutex<Option<_>>> = std::iter::repeat_with(|| Mutex::new(None)).take(count).collect();
        let next = AtomicUsize::new(0);
        let work = || {
            while let Some((at, place)) = take(&next, &traces) {
                let trace = self.trace_one(replay, at);
                let failed = trace.is_err();
                *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(trace);
                if failed {
                    // One failure is the answer: nobody need begin another.
                    next.store(count, Relaxed);
                }
            }
        };
        let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get).min(THREADS_MAX).min(count);
        thread::scope(|scope| {
            for _ in 1..threads {
                let _ = thread::Builder::new().name("tracer".to_owned()).spawn_scoped(scope, work);
            }
            work();
        });
        let traces = traces.into_iter().map(|place| place.into_inner().unwrap_or_else(PoisonError::into_inner));
        in_order(traces)
    }
}

type Place = Mutex<Option<Result<GethTrace, TraceBlockError>>>;

fn take<'t>(next: &AtomicUsize, traces: &'t [Place]) -> Option<(usize, &'t Place)> {
    let at = next.fetch_add(1, Relaxed);
    Some((at, traces.get(at)?))
}

/// All traces, or the first failure. Those that were not begun have one after them or before them.
fn in_order(
    traces: impl Iterator<Item = Option<Result<GethTrace, TraceBlockError>>>,
) -> Result<Vec<GethTrace>, TraceBlockError> {
    let (mut done, mut missing) = (Vec::new(), false);
    for trace in traces {
        match trace {
            Some(Ok(trace)) => done.push(trace),
            Some(Err(error)) => return Err(error),
            None => missing = true,
        }
    }
    if missing { Err(TraceError::Nothing.into()) } else { Ok(done) }
}
