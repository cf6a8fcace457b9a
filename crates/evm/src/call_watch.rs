//! An observer of calls: it ends them when their time is up, and notes what the answer needs.

use alloy_eips::eip2930::AccessList;
use alloy_primitives::{Address, Log, U256};
use balsa_state::StateView;
use revm::{
    inspector::Inspector,
    interpreter::{
        CallInputs, CallOutcome, CallScheme, CreateInputs, CreateOutcome, InstructionResult, Interpreter,
        interpreter_types::LoopControl,
    },
};
use revm_inspectors::access_list::AccessListInspector;

use crate::{
    CallLog,
    call_logs::FrameLogs,
    observation::{RunResult, run_observed, sealed::Drive},
    transaction::{BlockContext, BlockEvm},
};

/// How many instructions run between two looks at the clock.
const INSTRUCTIONS_BETWEEN_LOOKS: u32 = 4096;

/// Watches the runs of calls.
pub struct CallWatch {
    is_over: Box<dyn FnMut() -> bool + Send>,
    /// Every frame halts at its next instruction.
    stopped: bool,
    instructions: u32,
    logs: FrameLogs,
    accesses: Option<AccessListInspector>,
}

impl CallWatch {
    /// Stops the run soon after `is_over` has said so; it is asked again and again, from the thread that runs.
    pub fn new(is_over: impl FnMut() -> bool + Send + 'static) -> Self {
        let (logs, accesses) = (FrameLogs::default(), None);
        Self { is_over: Box::new(is_over), stopped: false, instructions: 0, logs, accesses }
    }

    /// Logs transfers of wei among the logs.
    pub fn with_transfers(mut self, transfers: bool) -> Self {
        self.logs.transfers = transfers;
        self
    }

    /// Notes accounts and slots that are reached, beginning with those of `list`.
    pub fn with_accesses(mut self, list: AccessList) -> Self {
        self.accesses = Some(AccessListInspector::new(list));
        self
    }

    /// Whether a run was cut short: what came of it says nothing.
    pub fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// The logs of the last run that were not undone.
    pub fn take_logs(&mut self) -> Vec<CallLog> {
        self.logs.take()
    }

    /// The accounts and slots that were reached, ascending; without the sender, the recipient, precompiles and
    /// authorities, unless slots of theirs were reached.
    pub fn access_list(&self) -> AccessList {
        self.accesses.as_ref().map(AccessListInspector::access_list).unwrap_or_default()
    }

    fn look(&mut self) {
        self.stopped = self.stopped || (self.is_over)();
    }
}

impl<V: StateView> Drive<V> for CallWatch {
    fn run(evm: &mut BlockEvm<V, Self>) -> RunResult {
        evm.inspector.logs.begin();
        run_observed(evm)
    }
}

impl<V: StateView> Inspector<BlockContext<V>> for CallWatch {
    fn step(&mut self, interpreter: &mut Interpreter, context: &mut BlockContext<V>) {
        self.instructions += 1;
        if self.instructions >= INSTRUCTIONS_BETWEEN_LOOKS {
            self.instructions = 0;
            self.look();
        }
        if self.stopped && interpreter.bytecode.action().is_none() {
            interpreter.halt(InstructionResult::OutOfGas);
        } else if let Some(accesses) = &mut self.accesses {
            accesses.step(interpreter, context);
        }
    }

    fn log(&mut self, _: &mut BlockContext<V>, log: Log) {
        self.logs.push(log);
    }

    fn call(&mut self, context: &mut BlockContext<V>, inputs: &mut CallInputs) -> Option<CallOutcome> {
        self.look();
        if let Some(accesses) = &mut self.accesses {
            accesses.call(context, inputs);
        }
        self.logs.open_frame();
        if let Some(wei) = inputs.transfer_value().filter(|_| inputs.scheme != CallScheme::CallCode) {
            self.logs.push_transfer(inputs.transfer_from(), inputs.transfer_to(), wei);
        }
        None
    }

    fn call_end(&mut self, _: &mut BlockContext<V>, _: &CallInputs, outcome: &mut CallOutcome) {
        self.logs.close_frame(!outcome.result.result.is_ok());
    }

    fn create(&mut self, context: &mut BlockContext<V>, inputs: &mut CreateInputs) -> Option<CreateOutcome> {
        self.look();
        if let Some(accesses) = &mut self.accesses {
            accesses.create(context, inputs);
        }
        self.logs.open_frame();
        if !inputs.value().is_zero() {
            let state = &context.journaled_state.inner.state;
            let nonce = state.get(&inputs.caller()).map_or(0, |caller| caller.info.nonce);
            self.logs.push_transfer(inputs.caller(), inputs.created_address(nonce), inputs.value());
        }
        None
    }

    fn create_end(&mut self, _: &mut BlockContext<V>, _: &CreateInputs, outcome: &mut CreateOutcome) {
        self.logs.close_frame(!outcome.result.result.is_ok());
    }

    fn selfdestruct(&mut self, contract: Address, target: Address, wei: U256) {
        self.logs.push_transfer(contract, target, wei);
    }
}
