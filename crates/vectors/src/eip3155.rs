//! Traces as [EIP-3155](https://eips.ethereum.org/EIPS/eip-3155) has them: a line of JSON for each instruction, one for
//! what the transaction returned, in the fields, order and words of go-ethereum's `evm --trace`.
//!
//! Tools compare traces of several clients line by line, so the words are part of the format. What is known to differ
//! from go-ethereum's lines: the `gasCost` of an instruction that runs out of gas, which is what was charged until then.

use alloy_primitives::{B256, U256, hex};
use balsa_evm::{Executed, Fault, FrameEnd, Instruction, InstructionObserver, opcode_name, stack_effect};
use std::fmt::Write as _;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

/// What the interpreter's stack holds at most.
const STACK_MAX: usize = 1024;

/// Where traces are written: shared by all that a run executes, one test after another.
#[derive(Clone)]
pub struct TraceOutput(Arc<Mutex<dyn io::Write + Send>>);

impl std::fmt::Debug for TraceOutput {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("TraceOutput")
    }
}

impl TraceOutput {
    /// Writes to `output`.
    pub fn new(output: Arc<Mutex<dyn io::Write + Send>>) -> Self {
        Self(output)
    }

    /// Writes whole lines. A reader that has gone away is no reason to stop judging.
    pub(crate) fn write(&self, lines: &str) {
        let _ = self.0.lock().unwrap_or_else(PoisonError::into_inner).write_all(lines.as_bytes());
    }
}

/// The line that closes a state test.
pub(crate) fn state_root_line(root: B256) -> String {
    format!("{{\"stateRoot\": \"{root}\"}}\n")
}

/// Writes the lines of transactions.
pub(crate) struct Tracer<'a> {
    output: &'a TraceOutput,
    /// Lines not yet written.
    lines: String,
    /// The instruction whose price is not known yet.
    pending: Pending,
}

#[derive(Default)]
struct Pending {
    pc: usize,
    opcode: u8,
    gas: u64,
    depth: usize,
    refund: i64,
    /// Memory and stack before it, as they stand in the line.
    before: String,
    stack_len: usize,
}

/// Bytes of lines that are gathered before they are written.
const LINES_BYTES: usize = 64 << 10;

impl<'a> Tracer<'a> {
    pub(crate) fn new(output: &'a TraceOutput) -> Self {
        Self { output, lines: String::new(), pending: Pending::default() }
    }

    fn line(&mut self, gas_cost: u64, memory_and_stack: &str, error: Option<&str>) {
        let Pending { pc, opcode, gas, depth, refund, .. } = self.pending;
        let name = opcode_name(opcode).map_or_else(|| undefined(opcode), str::to_owned);
        let _ = write!(
            self.lines,
            r#"{{"pc":{pc},"op":{opcode},"gas":"{gas:#x}","gasCost":"{gas_cost:#x}",{memory_and_stack},"depth":{depth},"refund":{refund},"opName":"{name}""#
        );
        self.end_line(error);
    }

    fn end_line(&mut self, error: Option<&str>) {
        if let Some(error) = error {
            let _ = write!(self.lines, r#","error":"{error}""#);
        }
        self.lines.push_str("}\n");
        if self.lines.len() > LINES_BYTES {
            self.flush();
        }
    }

    fn flush(&mut self) {
        self.output.write(&self.lines);
        self.lines.clear();
    }

    /// Why the pending instruction failed, in go-ethereum's words.
    fn words(&self, fault: Fault) -> String {
        let Pending { opcode, stack_len, .. } = self.pending;
        let (needs, change) = stack_effect(opcode).unwrap_or_default();
        match fault {
            Fault::InvalidOpcode => {
                let name = opcode_name(opcode).map_or_else(|| undefined(opcode), str::to_owned);
                format!("invalid opcode: {name}")
            }
            // Written in JSON as Go writes it.
            Fault::StackUnderflow => format!(r"stack underflow ({stack_len} \u003c=\u003e {needs})"),
            Fault::StackOverflow => {
                let limit = STACK_MAX.saturating_add_signed(-change);
                format!("stack limit reached {stack_len} ({limit})")
            }
            fault => words(fault).to_owned(),
        }
    }
}

impl Drop for Tracer<'_> {
    fn drop(&mut self) {
        self.flush();
    }
}

impl InstructionObserver for Tracer<'_> {
    fn before(&mut self, instruction: &Instruction<'_>) {
        let Instruction { depth, pc, opcode, gas, refund, memory_len, stack, .. } = *instruction;
        let before = memory_and_stack(memory_len, stack);
        self.pending = Pending { pc, opcode, gas, depth, refund, before, stack_len: stack.len() };
    }

    fn after(&mut self, executed: &Executed<'_>) {
        let before = std::mem::take(&mut self.pending.before);
        let Some(fault) = executed.fault else { return self.line(executed.gas_cost, &before, None) };
        let words = self.words(fault);
        if is_found_beforehand(fault) {
            return self.line(executed.gas_cost, &before, Some(&words));
        }
        // The instruction was paid for and begun: it has a line of its own, and its failure another.
        self.line(executed.gas_cost, &before, None);
        let now = memory_and_stack(executed.memory_len, executed.stack);
        self.line(executed.gas_cost, &now, Some(&words));
    }

    fn frame_ended(&mut self, end: &FrameEnd<'_>) {
        if end.depth > 0 {
            return;
        }
        let words = end.fault.map(|fault| self.words(fault));
        let output = hex::encode(end.output);
        let _ = write!(self.lines, r#"{{"output":"{output}","gasUsed":"{:#x}""#, end.gas_used);
        self.end_line(words.as_deref());
    }
}

fn memory_and_stack(memory_len: usize, stack: &[U256]) -> String {
    let mut text = format!(r#""memSize":{memory_len},"stack":["#);
    for (at, item) in stack.iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        let _ = write!(text, r#"{comma}"{item:#x}""#);
    }
    text.push(']');
    text
}

fn undefined(opcode: u8) -> String {
    format!("opcode {opcode:#x} not defined")
}

/// Whether the fault shows before the instruction does anything.
fn is_found_beforehand(fault: Fault) -> bool {
    matches!(fault, Fault::OutOfGas | Fault::StackUnderflow | Fault::StackOverflow)
}

fn words(fault: Fault) -> &'static str {
    match fault {
        Fault::Reverted => "execution reverted",
        Fault::OutOfGas => "out of gas",
        Fault::InvalidOpcode => "invalid opcode",
        Fault::StackUnderflow => "stack underflow",
        Fault::StackOverflow => "stack limit reached",
        Fault::InvalidJump => "invalid jump destination",
        Fault::WriteProtection => "write protection",
        Fault::ReturnDataOutOfBounds => "return data out of bounds",
        Fault::CallTooDeep => "max call depth exceeded",
        Fault::InsufficientBalance | Fault::BalanceOverflow => "insufficient balance for transfer",
        Fault::AddressCollision => "contract address collision",
        Fault::NonceOverflow => "nonce uint64 overflow",
        Fault::CodeSize => "max code size exceeded",
        Fault::InitcodeSize => "max initcode size exceeded",
        Fault::CodePrefix => "invalid code: must not begin with 0xef",
        Fault::Precompile => "precompile failed",
        Fault::Internal => "internal error",
    }
}
