//! THE function: a block on its parent, to the end or to the rule that it breaks.

use std::sync::Arc;

use alloy_consensus::Header;
use alloy_eips::eip7685::Requests;
use alloy_primitives::{Address, B256, Bytes};
use balsa_bal::{FlatList, ListError};
use balsa_chainspec::{ChainSpec, validate_header};
use balsa_evm::{BlockEnvironment, BlockHashes, CodeCache, Observation, Unobserved};
use balsa_state::{BlockState, State, StateDiff};
use balsa_trie::{NodeChanges, NodeSource, RootAfter, StateTrie};
use tracing::{debug_span, error, warn};

use crate::{
    ExecuteError, ExecutionMode, ReceiptsSummary, Refusal, SealedBlock, SequentialReason, Stages, check_body,
    parallel::{self, ParallelInput},
    plan::{Plan, plan},
    receipts::ReceiptStream,
    recover_senders,
    sequential::{self, SequentialInput},
    verdicts::{self, Outcome},
};

/// The parent block, and everything that a child reads of it.
pub struct Parent {
    /// Its header.
    pub header: Header,
    /// The header's hash.
    pub hash: B256,
    /// The state after it, flat.
    pub state: State,
    /// The same state's trie.
    pub trie: StateTrie,
    /// Where nodes come from that the trie does not have in memory.
    pub nodes: Arc<dyn NodeSource>,
    /// Hashes of the parent and of those before it.
    pub hashes: Arc<BlockHashes>,
}

/// What executes blocks: the rules of a chain, a pool of its own, and code that was seen before. Clones share pool and
/// code.
#[derive(Clone)]
pub struct Executor {
    spec: Arc<ChainSpec>,
    pool: Arc<rayon::ThreadPool>,
    codes: Arc<CodeCache>,
    mode: ExecutionMode,
    stages: Stages,
}

/// A valid block, executed. Equal for both executors, except for `path`.
#[derive(Clone, Debug)]
pub struct ExecutedBlock {
    /// The receipts with their root and bloom.
    pub receipts: ReceiptsSummary,
    /// As the header has it.
    pub gas_used: u64,
    /// Requests to the consensus layer; empty before Prague (EIP-7685).
    pub requests: Requests,
    /// The block access list, where the rules have one (EIP-7928).
    pub list: Option<Bytes>,
    /// The flat change of state.
    pub diff: StateDiff,
    /// The trie after the block.
    pub trie: StateTrie,
    /// Nodes to persist.
    pub nodes: NodeChanges,
    /// Which executor it was.
    pub path: Path,
}

/// Which executor produced a block's result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path {
    /// The sequential one, and why.
    Sequential(SequentialReason),
    /// The sequential one, after the parallel one had failed on a valid block: a fault of ours, which is logged.
    Fallback,
    /// The parallel one.
    Parallel,
    /// The parallel one's tasks, on the caller's thread: the block is small.
    Inline,
}

/// What either executor makes of a block.
pub(crate) struct Execution {
    pub(crate) receipts: ReceiptStream,
    pub(crate) requests: Requests,
    pub(crate) list: Option<ExecutedList>,
    pub(crate) diff: StateDiff,
    pub(crate) after: RootAfter,
}

/// The list of what was executed: recorded by the sequential executor, proved by the parallel one.
pub(crate) struct ExecutedList {
    pub(crate) bytes: Bytes,
    pub(crate) hash: B256,
    /// Accounts and slots in it.
    pub(crate) items: u64,
}

/// A list that came with a block, decoded or not.
pub(crate) type Received = Option<Result<Arc<FlatList>, ListError>>;

impl Executor {
    /// An executor whose pool has `threads` workers.
    ///
    /// # Errors
    /// The system refuses threads.
    pub fn new(spec: Arc<ChainSpec>, threads: usize, mode: ExecutionMode) -> Result<Self, rayon::ThreadPoolBuildError> {
        let name = |index| format!("executor-{index}");
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).thread_name(name).build()?;
        Ok(Self { spec, pool: Arc::new(pool), codes: Arc::default(), mode, stages: Stages::default() })
    }

    /// The same pool and code under another mode.
    pub fn with_mode(&self, mode: ExecutionMode) -> Self {
        Self { mode, ..self.clone() }
    }

    /// The same, with parts of the parallel path switched off.
    pub fn with_stages(&self, stages: Stages) -> Self {
        Self { stages, ..self.clone() }
    }

    /// The same pool, without the code seen so far, under the rules of a chain that has nothing to do with this one.
    pub fn for_chain(&self, spec: Arc<ChainSpec>) -> Self {
        Self { spec, codes: Arc::default(), ..self.clone() }
    }

    /// The same pool and code under the rules of another chain.
    pub fn with_spec(&self, spec: Arc<ChainSpec>) -> Self {
        Self { spec, ..self.clone() }
    }

    /// The chain's rules.
    pub fn spec(&self) -> &Arc<ChainSpec> {
        &self.spec
    }

    /// The pool that blocks are executed on.
    pub fn pool(&self) -> &rayon::ThreadPool {
        &self.pool
    }

    /// Analysed code, shared by everything that runs contracts.
    pub fn codes(&self) -> &Arc<CodeCache> {
        &self.codes
    }

    /// Executes a block on its parent: header, body, senders; then its transactions, in parallel where a list came
    /// with it (`list`, its RLP, EIP-7928), while the root is computed; then everything against the header.
    ///
    /// Idempotent: nothing is changed but caches. Ommers are held against the chain by the caller, who knows it.
    ///
    /// # Errors
    /// [`ExecuteError::Invalid`] names the first rule that the block breaks, with the list that was recorded if it is about
    /// the list, and comes of the checks here or of the
    /// sequential executor only. [`ExecuteError::Internal`] says nothing about the block.
    pub fn execute(
        &self,
        block: &SealedBlock,
        list: Option<Bytes>,
        parent: &Parent,
    ) -> Result<ExecutedBlock, ExecuteError> {
        self.prepare(block, list, parent, |run| {
            match plan(self.mode, &run.environment.rules, block, run.received.as_ref()) {
                Plan::Sequential(reason) => run.sequential(Path::Sequential(reason), Unobserved, |_| ()),
                Plan::Parallel { list, inline } => run.parallel(list, inline),
            }
        })
    }

    /// The same by the sequential executor, its transactions watched by `observer`. `closed` is shown the state after the
    /// block, unless a transaction has made it invalid.
    ///
    /// # Errors
    /// As [`execute`](Self::execute).
    pub fn execute_observed(
        &self,
        block: &SealedBlock,
        list: Option<Bytes>,
        parent: &Parent,
        observer: impl for<'s> Observation<BlockState<'s>>,
        closed: impl FnOnce(&BlockState<'_>),
    ) -> Result<ExecutedBlock, ExecuteError> {
        let path = Path::Sequential(SequentialReason::Observed);
        self.prepare(block, list, parent, |run| run.sequential(path, observer, closed))
    }

    /// Everything before the first transaction; `execute` does the rest.
    fn prepare(
        &self,
        block: &SealedBlock,
        list: Option<Bytes>,
        parent: &Parent,
        execute: impl FnOnce(&BlockRun<'_>) -> Result<ExecutedBlock, ExecuteError>,
    ) -> Result<ExecutedBlock, ExecuteError> {
        let rules = self.spec.rules_of(&block.header);
        validate_header(&rules, &self.spec.rules_of(&parent.header), &parent.header, &block.header)?;
        check_body(&rules, block)?;

        let decode = debug_span!(target: "balsa::stage", "decode_list");
        let limits = verdicts::limits(&rules, block);
        let decoded = || list.map(|bytes| decode.in_scope(|| FlatList::decode(bytes, &limits).map(Arc::new)));
        let recover = debug_span!(target: "balsa::stage", "senders");
        let recovered = || recover.in_scope(|| recover_senders(&rules, &block.transactions));
        let (received, senders) = self.pool.install(|| rayon::join(decoded, recovered));

        let environment = BlockEnvironment::new(rules, &block.header, parent.hashes.clone());
        execute(&BlockRun { executor: self, block, senders: &senders?, received, parent, environment: &environment })
    }
}

/// One block on its way through either executor.
struct BlockRun<'a> {
    executor: &'a Executor,
    block: &'a SealedBlock,
    senders: &'a [Address],
    received: Received,
    parent: &'a Parent,
    environment: &'a BlockEnvironment,
}

impl BlockRun<'_> {
    fn sequential(
        &self,
        path: Path,
        observer: impl for<'s> Observation<BlockState<'s>>,
        closed: impl FnOnce(&BlockState<'_>),
    ) -> Result<ExecutedBlock, ExecuteError> {
        let Self { block, senders, parent, environment, .. } = *self;
        let input = SequentialInput { block, senders, parent, environment, codes: &self.executor.codes };
        Ok(self.judge(sequential::execute(&input, observer, closed)?, path)?)
    }

    /// The parallel run if it succeeds in everything, or else whatever the sequential one says.
    fn parallel(&self, list: &Arc<FlatList>, inline: bool) -> Result<ExecutedBlock, ExecuteError> {
        let Self { block, senders, parent, environment, .. } = *self;
        let pool = (!inline).then_some(&*self.executor.pool);
        let input = ParallelInput {
            block,
            senders,
            list,
            parent,
            environment,
            codes: &self.executor.codes,
            pool,
            stages: self.executor.stages,
        };
        let path = if inline { Path::Inline } else { Path::Parallel };
        let executed = parallel::execute(&input);
        let fault =
            match executed.and_then(|execution| Ok(self.judge(execution, path).map_err(|refusal| refusal.rule)?)) {
                Ok(executed) => return Ok(executed),
                Err(fault) => fault,
            };
        let number = block.header.number;
        warn!(number, hash = %block.hash, %fault, "parallel execution failed, running the block sequentially");
        let executed = self.sequential(Path::Fallback, Unobserved, |_| ())?;
        error!(number, hash = %block.hash, %fault, "block is valid, parallel execution was wrong");
        Ok(executed)
    }

    /// Holds what was executed against the header.
    fn judge(&self, execution: Execution, path: Path) -> Result<ExecutedBlock, Box<Refusal>> {
        let _span = debug_span!(target: "balsa::stage", "verdicts").entered();
        let Execution { receipts, requests, list, diff, after } = execution;
        let (gas, receipts) = receipts.finish();
        let outcome = Outcome {
            gas_used: gas.used(),
            receipts: &receipts,
            requests: &requests,
            list: list.as_ref(),
            state_root: after.root,
        };
        let verdict = verdicts::check(&self.environment.rules, self.block, self.received.as_ref(), &outcome);
        let list = list.map(|list| list.bytes);
        if let Err(rule) = verdict {
            let recorded_list = list.filter(|_| rule.is_of_list());
            return Err(Box::new(Refusal { rule, recorded_list }));
        }
        let RootAfter { trie, nodes, .. } = after;
        Ok(ExecutedBlock { receipts, gas_used: gas.used(), requests, list, diff, trie, nodes, path })
    }
}
