//! An observer that makes traces in the forms of go-ethereum's `debug_` methods: the struct logger, `callTracer`,
//! `prestateTracer`, `4byteTracer`, `flatCallTracer`, `muxTracer`, `noopTracer` and what else the library knows that
//! needs no script.

use std::{
    cell::RefCell,
    collections::HashSet,
    mem,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use alloy_primitives::{Address, B256, Log, U256};
use alloy_rpc_types_trace::geth::{GethDebugTracingOptions, GethTrace};
use balsa_state::StateView;
use revm::{
    Database, DatabaseRef,
    bytecode::{Bytecode, opcode},
    context::result::{ExecutionResult, HaltReason, ResultAndState},
    handler::FrameResult,
    inspector::Inspector,
    interpreter::{
        CallInputs, CallOutcome, CreateInputs, CreateOutcome, FrameInput, InstructionResult, Interpreter,
        interpreter_types::{InputsTr, Jumps, LoopControl},
    },
    state::AccountInfo,
};
use revm_inspectors::tracing::{DebugInspector, TraceLimits, TracingInspector, TransactionContext};
use thiserror::Error;

use crate::{
    database::{DatabaseError, ViewDatabase},
    journal::Journal,
    observation::{RunResult, run_observed, sealed::Drive},
    transaction::{BlockContext, BlockEvm},
};

/// How many instructions run between two looks at the clock.
const INSTRUCTIONS_BETWEEN_LOOKS: u32 = 1024;

/// Bytes that a recorded instruction takes, its stack aside.
const STEP_BYTES: usize = 400;
/// Bytes that a recorded frame takes, its input aside.
const FRAME_BYTES: usize = 1000;
/// Bytes that a recorded log takes, its data aside.
const LOG_BYTES: usize = 300;
/// Bytes that a slot takes in a picture of storage.
const SLOT_BYTES: usize = 100;

/// Why there is no trace.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TraceError {
    /// The options ask for what there is not.
    #[error("{0}")]
    Options(String),
    /// The time was up.
    #[error("execution timeout")]
    TimedOut,
    /// The trace grew beyond its allowance.
    #[error("trace larger than {bytes_max} bytes")]
    TooLarge {
        /// The allowance.
        bytes_max: usize,
    },
    /// The trace could not be put together from the state.
    #[error("{0}")]
    State(String),
    /// Nothing was run.
    #[error("nothing was traced")]
    Nothing,
}

/// Memory that the traces of an answer may take together. Clones share it.
#[derive(Clone, Debug)]
pub struct TraceAllowance {
    used: Arc<AtomicUsize>,
    bytes_max: usize,
}

impl TraceAllowance {
    /// So many bytes, by estimate.
    pub fn new(bytes_max: usize) -> Self {
        Self { used: Arc::default(), bytes_max }
    }

    fn take(&self, bytes: usize) -> Result<(), TraceError> {
        let Self { used, bytes_max } = self;
        let before = used.fetch_add(bytes, Relaxed);
        if before.saturating_add(bytes) > *bytes_max {
            Err(TraceError::TooLarge { bytes_max: *bytes_max })
        } else {
            Ok(())
        }
    }
}

/// Which transaction is traced, where the trace names it.
#[derive(Clone, Copy, Debug, Default)]
pub struct TracedTransaction {
    /// Its block's hash.
    pub block_hash: Option<B256>,
    /// Its hash.
    pub hash: Option<B256>,
    /// Its place in the block.
    pub index: Option<usize>,
}

/// Traces one transaction.
pub struct GethTracer {
    inspector: DebugInspector,
    transaction: TransactionContext,
    watch: TraceWatch,
    trace: Result<GethTrace, TraceError>,
}

/// What a trace costs, as it grows, and whether it may go on.
struct TraceWatch {
    is_over: Box<dyn FnMut() -> bool + Send>,
    allowance: TraceAllowance,
    instructions: u32,
    stopped: Option<TraceError>,
    /// How many instructions may yet be recorded, and with which of their surroundings.
    steps_left: u64,
    stack: bool,
    storage: bool,
    slots: HashSet<(Address, U256)>,
}

impl GethTracer {
    /// A tracer as the options ask for. It stops the run soon after `is_over` says so, which it asks again and again from
    /// the thread that runs, or when the allowance is used up.
    ///
    /// # Errors
    /// [`TraceError::Options`].
    pub fn new(
        options: GethDebugTracingOptions,
        transaction: TracedTransaction,
        allowance: TraceAllowance,
        is_over: impl FnMut() -> bool + Send + 'static,
    ) -> Result<Self, TraceError> {
        let config = options.config;
        let mut inspector = DebugInspector::new(options).map_err(|error| TraceError::Options(error.to_string()))?;
        let limits = TraceLimits::default().set_max_recorded_bytes(Some(allowance.bytes_max));
        let limit = config.limit.filter(|limit| *limit > 0).unwrap_or(u64::MAX);
        let steps_left = if matches!(inspector, DebugInspector::Default(..)) { limit } else { 0 };
        if let Some(recording) = recording(&mut inspector) {
            *recording = mem::take(recording).with_limits(limits);
        }
        let watch = TraceWatch {
            is_over: Box::new(is_over),
            allowance,
            instructions: 0,
            stopped: None,
            steps_left,
            stack: config.is_stack_enabled(),
            storage: config.is_storage_enabled(),
            slots: HashSet::new(),
        };
        let TracedTransaction { block_hash, hash, index } = transaction;
        let transaction = TransactionContext { block_hash, tx_index: index, tx_hash: hash };
        Ok(Self { inspector, transaction, watch, trace: Err(TraceError::Nothing) })
    }

    /// The trace of what was run.
    ///
    /// # Errors
    /// See [`TraceError`].
    pub fn into_trace(self) -> Result<GethTrace, TraceError> {
        self.watch.stopped.map_or(self.trace, Err)
    }

    fn is_full(&mut self) -> bool {
        recording(&mut self.inspector).is_some_and(|recording| recording.limit_exceeded())
    }
}

/// What records, among the forms that a tracer has.
fn recording(inspector: &mut DebugInspector) -> Option<&mut TracingInspector> {
    match inspector {
        DebugInspector::CallTracer(recording, _)
        | DebugInspector::PreStateTracer(recording, _)
        | DebugInspector::FlatCallTracer(recording)
        | DebugInspector::Erc7562Tracer(recording, _)
        | DebugInspector::Default(recording, _) => Some(recording),
        DebugInspector::FourByte(_)
        | DebugInspector::Noop(_)
        | DebugInspector::StateGasTracer(_)
        | DebugInspector::Mux(..) => None,
    }
}

impl TraceWatch {
    fn take(&mut self, bytes: usize) {
        if let Err(error) = self.allowance.take(bytes) {
            self.stopped.get_or_insert(error);
        }
    }

    fn look(&mut self) {
        if (self.is_over)() {
            self.stopped.get_or_insert(TraceError::TimedOut);
        }
    }

    fn step(&mut self, interpreter: &Interpreter) {
        self.instructions += 1;
        if self.instructions >= INSTRUCTIONS_BETWEEN_LOOKS {
            self.instructions = 0;
            self.look();
        }
        let Some(left) = self.steps_left.checked_sub(1) else { return };
        self.steps_left = left;
        let stack = interpreter.stack.data();
        self.take(STEP_BYTES + if self.stack { size_of::<U256>() * stack.len() } else { 0 });
        // Each of these shows the contract's storage as far as it is known.
        if self.storage && matches!(interpreter.bytecode.opcode(), opcode::SLOAD | opcode::SSTORE) {
            self.slots.extend(stack.last().map(|slot| (interpreter.input.target_address(), *slot)));
            self.take(SLOT_BYTES * self.slots.len());
        }
    }
}

impl<V: StateView> Drive<V> for GethTracer {
    fn run(evm: &mut BlockEvm<V, Self>) -> RunResult {
        let result = run_observed(evm)?;
        let BlockEvm { ctx, inspector: tracer, .. } = evm;
        tracer.trace =
            if tracer.watch.stopped.is_some() { Err(TraceError::Nothing) } else { tracer.trace_of(ctx, &result) };
        Ok(result)
    }
}

impl GethTracer {
    fn trace_of<V: StateView>(
        &mut self,
        context: &mut BlockContext<V>,
        result: &ExecutionResult<HaltReason>,
    ) -> Result<GethTrace, TraceError> {
        let Journal { database, inner } = &mut context.journaled_state;
        // Lent for as long as the trace is put together: outcomes are read of it afterwards.
        let outcome = ResultAndState::new(result.clone(), mem::take(&mut inner.state));
        let mut before = Before(RefCell::new(database));
        let trace =
            self.inspector.get_result(Some(self.transaction), &context.tx, &context.block, &outcome, &mut before);
        inner.state = outcome.state;
        let mut trace = trace.map_err(|error| TraceError::State(error.to_string()))?;
        leave_out_nothing(&mut trace);
        Ok(trace)
    }
}

/// Leaves out of a struct log's steps what is empty, as go-ethereum does.
fn leave_out_nothing(trace: &mut GethTrace) {
    let GethTrace::Default(frame) = trace else { return };
    for step in &mut frame.struct_logs {
        step.refund_counter = step.refund_counter.filter(|refund| *refund > 0);
        step.return_data = step.return_data.take().filter(|data| !data.is_empty());
        step.memory = step.memory.take().filter(|words| !words.is_empty());
    }
}

/// The state before the transaction, read through a shared reference.
struct Before<'a, V>(RefCell<&'a mut ViewDatabase<V>>);

impl<V: StateView> DatabaseRef for Before<'_, V> {
    type Error = DatabaseError;

    fn basic_ref(&self, address: Address) -> Result<Option<AccountInfo>, DatabaseError> {
        self.0.borrow_mut().basic(address)
    }

    fn code_by_hash_ref(&self, code_hash: B256) -> Result<Bytecode, DatabaseError> {
        self.0.borrow_mut().code_by_hash(code_hash)
    }

    fn storage_ref(&self, address: Address, slot: U256) -> Result<U256, DatabaseError> {
        self.0.borrow_mut().storage(address, slot)
    }

    fn block_hash_ref(&self, number: u64) -> Result<B256, DatabaseError> {
        self.0.borrow_mut().block_hash(number)
    }
}

impl<V: StateView> Inspector<BlockContext<V>> for GethTracer {
    fn initialize_interp(&mut self, interpreter: &mut Interpreter, context: &mut BlockContext<V>) {
        self.inspector.initialize_interp(interpreter, context);
    }

    fn step(&mut self, interpreter: &mut Interpreter, context: &mut BlockContext<V>) {
        self.watch.step(interpreter);
        if self.is_full() {
            let bytes_max = self.watch.allowance.bytes_max;
            self.watch.stopped.get_or_insert(TraceError::TooLarge { bytes_max });
        }
        self.inspector.step(interpreter, context);
        if self.watch.stopped.is_some() && interpreter.bytecode.action().is_none() {
            interpreter.halt(InstructionResult::OutOfGas);
        }
    }

    fn step_end(&mut self, interpreter: &mut Interpreter, context: &mut BlockContext<V>) {
        self.inspector.step_end(interpreter, context);
    }

    fn log(&mut self, context: &mut BlockContext<V>, log: Log) {
        self.watch.take(LOG_BYTES + log.data.data.len());
        self.inspector.log(context, log);
    }

    fn log_full(&mut self, interpreter: &mut Interpreter, context: &mut BlockContext<V>, log: Log) {
        self.watch.take(LOG_BYTES + log.data.data.len());
        self.inspector.log_full(interpreter, context, log);
    }

    fn frame_start(&mut self, context: &mut BlockContext<V>, input: &mut FrameInput) -> Option<FrameResult> {
        self.inspector.frame_start(context, input)
    }

    fn frame_end(&mut self, context: &mut BlockContext<V>, input: &FrameInput, result: &mut FrameResult) {
        self.inspector.frame_end(context, input, result);
    }

    fn call(&mut self, context: &mut BlockContext<V>, inputs: &mut CallInputs) -> Option<CallOutcome> {
        self.watch.look();
        self.watch.take(FRAME_BYTES + inputs.input.len());
        self.inspector.call(context, inputs)
    }

    fn call_end(&mut self, context: &mut BlockContext<V>, inputs: &CallInputs, outcome: &mut CallOutcome) {
        self.inspector.call_end(context, inputs, outcome);
    }

    fn create(&mut self, context: &mut BlockContext<V>, inputs: &mut CreateInputs) -> Option<CreateOutcome> {
        self.watch.look();
        self.watch.take(FRAME_BYTES + inputs.init_code().len());
        self.inspector.create(context, inputs)
    }

    fn create_end(&mut self, context: &mut BlockContext<V>, inputs: &CreateInputs, outcome: &mut CreateOutcome) {
        self.inspector.create_end(context, inputs, outcome);
    }

    fn selfdestruct(&mut self, contract: Address, target: Address, value: U256) {
        Inspector::<BlockContext<V>>::selfdestruct(&mut self.inspector, contract, target, value);
    }
}
