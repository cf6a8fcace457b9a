//! An observer that is told of every instruction.

use alloy_primitives::{Address, U256};
use balsa_state::StateView;
use revm::{
    bytecode::opcode::OpCode,
    context_interface::{ContextTr, JournalTr},
    inspector::Inspector,
    interpreter::{
        CallInputs, CallOutcome, CreateInputs, CreateOutcome, FrameInput, Interpreter, InterpreterAction,
        InterpreterResult,
        interpreter_types::{InputsTr, Jumps, LegacyBytecode, LoopControl, MemoryTr},
    },
};

use crate::{
    Fault,
    observation::{RunResult, sealed::Drive},
    transaction::{BlockContext, BlockEvm},
    watched_handler::run_watched,
};

/// What is told of each instruction and frame of a transaction, in order of execution.
pub trait InstructionObserver {
    /// An instruction is about to be executed.
    fn before(&mut self, instruction: &Instruction<'_>);
    /// The instruction that [`before`](Self::before) told of last has been executed, or has failed. A call or creation
    /// has then been paid for, and its frame is yet to come.
    fn after(&mut self, executed: &Executed<'_>);
    /// A frame has ended. Frames of calls to accounts without code, and to precompiles, end without an instruction.
    fn frame_ended(&mut self, end: &FrameEnd<'_>);
}

/// An instruction before it is executed.
#[derive(Clone, Copy, Debug)]
pub struct Instruction<'a> {
    /// Frames that are open; 1 is the transaction's own.
    pub depth: usize,
    /// Whose storage the code works on.
    pub address: Address,
    /// Offset in the code.
    pub pc: usize,
    /// Its byte.
    pub opcode: u8,
    /// Gas left in the frame.
    pub gas: u64,
    /// Bytes of memory that the frame has.
    pub memory_len: usize,
    /// The stack, its top last.
    pub stack: &'a [U256],
}

/// What came of an instruction.
#[derive(Clone, Copy, Debug)]
pub struct Executed<'a> {
    /// What was charged for it: all of it, unless it ran out of gas before its price was known.
    pub gas_cost: u64,
    /// The transaction's refund counter now.
    pub refund: i64,
    /// Why the frame ends with it, if it fails; REVERT fails too.
    pub fault: Option<Fault>,
    /// Bytes of memory that the frame has now.
    pub memory_len: usize,
    /// The stack now, its top last.
    pub stack: &'a [U256],
}

/// What came of a frame.
#[derive(Clone, Copy, Debug)]
pub struct FrameEnd<'a> {
    /// Frames that are still open; 0 after the transaction's own.
    pub depth: usize,
    /// Whether it was to create a contract.
    pub is_creation: bool,
    /// Gas that the frame used of what it was given.
    pub gas_used: u64,
    /// What it returned, or reverted with.
    pub output: &'a [u8],
    /// Why it failed, if it did.
    pub fault: Option<Fault>,
}

/// The name of an opcode, if it is any instruction's in the newest fork.
pub fn opcode_name(opcode: u8) -> Option<&'static str> {
    OpCode::new(opcode).map(|opcode| opcode.as_str())
}

/// How many items an instruction needs on the stack, and by how many it changes their number.
pub fn stack_effect(opcode: u8) -> Option<(usize, isize)> {
    let opcode = OpCode::new(opcode)?;
    Some((opcode.inputs().into(), opcode.io_diff().into()))
}

impl<T: InstructionObserver> InstructionObserver for &mut T {
    fn before(&mut self, instruction: &Instruction<'_>) {
        T::before(self, instruction);
    }

    fn after(&mut self, executed: &Executed<'_>) {
        T::after(self, executed);
    }

    fn frame_ended(&mut self, end: &FrameEnd<'_>) {
        T::frame_ended(self, end);
    }
}

/// Tells an [`InstructionObserver`] what the interpreter does.
#[derive(Clone, Debug, Default)]
pub struct Watched<T> {
    /// Who is told.
    pub observer: T,
    frames: Vec<OpenFrame>,
    /// What the transaction's authorizations put into the refund counter before its first frame (EIP-7702).
    authorizations_refund: i64,
}

#[derive(Clone, Copy, Debug)]
struct OpenFrame {
    /// The interpreter runs a STOP where there is no code, which nobody wrote.
    has_code: bool,
    /// The frame's own share of the refund counter.
    refund: i64,
    /// Gas before the instruction that is being executed.
    gas: u64,
}

impl<T: InstructionObserver> Watched<T> {
    /// Tells `observer`.
    pub fn new(observer: T) -> Self {
        Self { observer, frames: Vec::new(), authorizations_refund: 0 }
    }

    /// What authorizations refund is known.
    pub(crate) fn authorized(&mut self, refund: u64) {
        self.authorizations_refund = refund.cast_signed();
    }

    /// The transaction ran out of gas before it came to a frame (EIP-2780), where it had `gas` for one.
    pub(crate) fn ended_before_a_frame(&mut self, gas: u64, is_creation: bool) {
        let fault = Some(Fault::OutOfGas);
        self.observer.frame_ended(&FrameEnd { depth: 0, is_creation, gas_used: gas, output: &[], fault });
    }

    fn open(&mut self) {
        self.frames.push(OpenFrame { has_code: false, refund: 0, gas: 0 });
    }

    fn close(&mut self, result: &InterpreterResult, is_creation: bool) {
        self.frames.pop();
        let gas = &result.gas;
        let fault = Fault::of(result.result);
        let keeps_gas = !result.result.is_halt();
        let gas_used = if keeps_gas { gas.limit().saturating_sub(gas.remaining()) } else { gas.limit() };
        let depth = self.frames.len();
        self.observer.frame_ended(&FrameEnd { depth, is_creation, gas_used, output: &result.output, fault });
    }
}

/// Gas that a creation is about to be given. It is no price, other than that of a call, which names it on the stack.
fn given_to_creation(interpreter: &mut Interpreter) -> u64 {
    match interpreter.bytecode.action() {
        Some(InterpreterAction::NewFrame(FrameInput::Create(inputs))) => inputs.gas_limit(),
        _ => 0,
    }
}

impl<V: StateView, T: InstructionObserver> Drive<V> for Watched<T> {
    fn run(evm: &mut BlockEvm<V, Self>) -> RunResult {
        evm.inspector.frames.clear();
        evm.inspector.authorizations_refund = 0;
        run_watched(evm)
    }
}

impl<V: StateView, T: InstructionObserver> Inspector<BlockContext<V>> for Watched<T> {
    fn call(&mut self, _: &mut BlockContext<V>, _: &mut CallInputs) -> Option<CallOutcome> {
        self.open();
        None
    }

    fn create(&mut self, _: &mut BlockContext<V>, _: &mut CreateInputs) -> Option<CreateOutcome> {
        self.open();
        None
    }

    fn initialize_interp(&mut self, interpreter: &mut Interpreter, _: &mut BlockContext<V>) {
        if let Some(frame) = self.frames.last_mut() {
            frame.has_code = interpreter.bytecode.bytecode_len() > 0;
        }
    }

    fn step(&mut self, interpreter: &mut Interpreter, context: &mut BlockContext<V>) {
        let gas = &interpreter.gas;
        let Some(frame) = self.frames.last_mut().filter(|frame| frame.has_code) else { return };
        frame.gas = gas.remaining();
        self.observer.before(&Instruction {
            depth: context.journal().depth(),
            address: interpreter.input.target_address(),
            pc: interpreter.bytecode.pc(),
            opcode: interpreter.bytecode.opcode(),
            gas: gas.remaining(),
            memory_len: interpreter.memory.size(),
            stack: interpreter.stack.data(),
        });
    }

    fn step_end(&mut self, interpreter: &mut Interpreter, _: &mut BlockContext<V>) {
        let Some(frame) = self.frames.last_mut().filter(|frame| frame.has_code) else { return };
        frame.refund = interpreter.gas.refunded();
        // What cannot be paid is subtracted all the same, and wraps.
        let charged = frame.gas.wrapping_sub(interpreter.gas.remaining());
        let result = interpreter.bytecode.action().as_ref().and_then(|action| action.instruction_result());
        self.observer.after(&Executed {
            gas_cost: charged.saturating_sub(given_to_creation(interpreter)),
            refund: self.frames.iter().map(|frame| frame.refund).sum::<i64>() + self.authorizations_refund,
            fault: result.and_then(Fault::of),
            memory_len: interpreter.memory.size(),
            stack: interpreter.stack.data(),
        });
    }

    fn call_end(&mut self, _: &mut BlockContext<V>, _: &CallInputs, outcome: &mut CallOutcome) {
        self.close(&outcome.result, false);
    }

    fn create_end(&mut self, _: &mut BlockContext<V>, _: &CreateInputs, outcome: &mut CreateOutcome) {
        self.close(&outcome.result, true);
    }
}
