//! Traces as [EIP-3155](https://eips.ethereum.org/EIPS/eip-3155) has them: a line of JSON for each instruction, one for
//! what each frame returned, in the fields, order and words of go-ethereum's `evm --trace`.
//!
//! Tools compare traces of several clients line by line, so the words are part of the format. What is known to differ
//! from the lines of go-ethereum 1.17.10, of some hundred state tests:
//!
//! - the `gasCost` of a call, creation, SSTORE, EXP or look at an account that runs out of gas, whose price depends on
//!   the state: it is what was left; and the words that follow "out of gas" in its error;
//! - under Amsterdam, the `gasCost` of what grows the state, which here includes the gas for that (EIP-8037);
//! - what comes of a creation whose code is too long, or whose operands exceed 64 bits: found later, in other words;
//! - the error of a precompile that refuses its input;
//! - the names of the EVM Object Format's instructions, which go-ethereum still has;
//! - creations upon an account that has nothing but storage (EIP-7610), which go-ethereum lets go on;
//! - the order of several tests of a file, here that of the file.
//!
//! `scripts/tracecheck` runs that comparison.

use crate::price::{Operands, constant, grown, price};
use alloy_primitives::{B256, U256, hex};
use balsa_evm::{Executed, Fault, FrameEnd, Instruction, InstructionObserver, opcode_name, stack_effect};
use std::fmt::Write as _;
use std::io;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};

/// What the interpreter's stack holds at most.
const STACK_MAX: usize = 1024;

const TSTORE: u8 = 0x5d;
const DUPS: RangeInclusive<u8> = 0x80..=0x8f;
const LOGS: RangeInclusive<u8> = 0xa0..=0xa4;
const SELFDESTRUCT: u8 = 0xff;

/// Instructions whose whole price depends on their operands: before these are known they cost nothing.
const PRICED_BY_OPERANDS: [u8; 6] = [0x0a, 0xa0, 0xa1, 0xa2, 0xa3, 0xa4];

/// What a creation says that cannot pay for its code.
const CODE_STORAGE: &str = "contract creation code storage out of gas";

/// Where traces are written: shared by all that a run executes, one test after another.
#[derive(Clone)]
pub struct TraceOutput {
    output: Arc<Mutex<dyn io::Write + Send>>,
    has_stack: bool,
}

impl std::fmt::Debug for TraceOutput {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("TraceOutput")
    }
}

impl TraceOutput {
    /// Writes to `output`.
    pub fn new(output: Arc<Mutex<dyn io::Write + Send>>) -> Self {
        Self { output, has_stack: true }
    }

    /// The same, with `null` for what is on the stack.
    pub fn without_stack(self) -> Self {
        Self { has_stack: false, ..self }
    }

    /// Writes whole lines. A reader that has gone away is no reason to stop judging.
    pub(crate) fn write(&self, lines: &str) {
        let _ = self.output.lock().unwrap_or_else(PoisonError::into_inner).write_all(lines.as_bytes());
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
    /// Memory and stack before it, as they stand in the line.
    before: String,
    memory_len: usize,
    operands: Operands,
    stack_len: usize,
    failed: bool,
}

impl Pending {
    /// What the instruction costs as a whole, if that follows from its operands.
    fn price(&self) -> Option<u64> {
        price(self.opcode, self.memory_len, &self.operands)
    }

    /// The same where it exceeds the gas; only its constant part, if that does already.
    fn unpaid(&self) -> Option<u64> {
        let first = constant(self.opcode).filter(|constant| *constant > self.gas);
        first.or_else(|| self.price().filter(|price| *price > self.gas))
    }

    /// Bytes of memory once it was paid for.
    fn memory_paid(&self) -> usize {
        let grown = grown(self.opcode, self.memory_len, &self.operands);
        grown.and_then(|bytes| bytes.try_into().ok()).unwrap_or(self.memory_len)
    }

    /// Whether it wants memory that there can be none of, and had the gas to be asked.
    fn is_beyond_memory(&self) -> bool {
        let is_asked = constant(self.opcode).is_some_and(|constant| constant <= self.gas);
        is_asked && grown(self.opcode, self.memory_len, &self.operands).is_none()
    }

    /// Whether the interpreter finds this fault of it before it takes what the instruction costs, and go-ethereum after.
    fn is_found_unpaid(&self, fault: Fault) -> bool {
        match fault {
            Fault::WriteProtection => LOGS.contains(&self.opcode),
            Fault::ReturnDataOutOfBounds => true,
            _ => false,
        }
    }
}

/// Bytes of lines that are gathered before they are written.
const LINES_BYTES: usize = 64 << 10;

impl<'a> Tracer<'a> {
    pub(crate) fn new(output: &'a TraceOutput) -> Self {
        Self { output, lines: String::new(), pending: Pending::default() }
    }

    fn line(&mut self, executed: &Executed<'_>, memory_and_stack: &str, error: Option<&str>) {
        let Pending { pc, opcode, gas, depth, .. } = self.pending;
        let refund = executed.refund;
        let gas_cost = self.gas_cost(executed);
        let name = opcode_name(opcode).map_or_else(|| undefined(opcode), str::to_owned);
        let _ = write!(
            self.lines,
            r#"{{"pc":{pc},"op":{opcode},"gas":"{gas:#x}","gasCost":"{gas_cost:#x}",{memory_and_stack},"depth":{depth},"refund":{refund},"opName":"{name}""#
        );
        self.end_line(error);
    }

    /// What the instruction costs, which is not what was charged where it failed before that was known.
    fn gas_cost(&self, executed: &Executed<'_>) -> u64 {
        use Fault::{InvalidOpcode, OperandTooLarge, OutOfGas, StackOverflow, StackUnderflow};
        let Some(fault) = executed.fault else { return executed.gas_cost };
        let is_priced_by_operands = PRICED_BY_OPERANDS.contains(&self.pending.opcode);
        match self.as_named(fault) {
            InvalidOpcode => 0,
            StackUnderflow | StackOverflow if is_priced_by_operands => 0,
            OperandTooLarge => constant(self.pending.opcode).unwrap_or(executed.gas_cost),
            OutOfGas => self.pending.unpaid().unwrap_or(executed.gas_cost),
            _ if self.pending.is_found_unpaid(fault) => self.pending.price().unwrap_or(executed.gas_cost),
            _ => executed.gas_cost,
        }
    }

    fn frame_line(&mut self, output: &[u8], gas_used: u64, error: Option<&str>) {
        let output = hex::encode(output);
        let _ = write!(self.lines, r#"{{"output":"{output}","gasUsed":"{gas_used:#x}""#);
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

    fn memory_and_stack(&self, memory_len: usize, stack: &[U256]) -> String {
        if !self.output.has_stack {
            return format!(r#""memSize":{memory_len},"stack":null"#);
        }
        let mut text = format!(r#""memSize":{memory_len},"stack":["#);
        for (at, item) in stack.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            let _ = write!(text, r#"{comma}"{item:#x}""#);
        }
        text.push(']');
        text
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
            Fault::WriteProtection if self.is_found_beforehand(fault) => "out of gas: write protection".to_owned(),
            fault => words(fault).to_owned(),
        }
    }

    /// The fault that go-ethereum finds. A DUP of what is not there, the interpreter takes for one item too many; what
    /// cannot be paid for comes before what may not be done.
    fn as_named(&self, fault: Fault) -> Fault {
        let Pending { opcode, stack_len, gas, .. } = self.pending;
        match fault {
            Fault::StackOverflow if stack_len < STACK_MAX && DUPS.contains(&opcode) => Fault::StackUnderflow,
            Fault::OutOfGas if self.pending.is_beyond_memory() => Fault::OperandTooLarge,
            fault if self.pending.is_found_unpaid(fault) => match self.pending.price() {
                None => Fault::OperandTooLarge,
                Some(price) if price > gas => Fault::OutOfGas,
                Some(_) => fault,
            },
            fault => fault,
        }
    }

    /// Whether go-ethereum notices the fault before it logs the instruction: while it counts items and gas.
    fn is_found_beforehand(&self, fault: Fault) -> bool {
        match fault {
            Fault::OutOfGas
            | Fault::OperandTooLarge
            | Fault::NoMoreThanStipend
            | Fault::StackUnderflow
            | Fault::StackOverflow => true,
            Fault::WriteProtection => self.pending.opcode != TSTORE && !LOGS.contains(&self.pending.opcode),
            _ => false,
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
        let Instruction { depth, pc, opcode, gas, memory_len, stack, .. } = *instruction;
        let before = self.memory_and_stack(memory_len, stack);
        let mut from_top = stack.iter().rev().copied();
        let operands = std::array::from_fn(|_| from_top.next().unwrap_or_default());
        let stack_len = stack.len();
        self.pending = Pending { pc, opcode, gas, depth, before, memory_len, operands, stack_len, failed: false };
    }

    fn after(&mut self, executed: &Executed<'_>) {
        let before = std::mem::take(&mut self.pending.before);
        self.pending.failed = executed.fault.is_some();
        let Some(fault) = executed.fault.map(|fault| self.as_named(fault)) else {
            self.line(executed, &before, None);
            if self.pending.opcode == SELFDESTRUCT {
                // Where the wei goes to is called, in a way.
                self.frame_line(&[], 0, None);
            }
            return;
        };
        let words = self.words(fault);
        if self.is_found_beforehand(fault) {
            return self.line(executed, &before, Some(&words));
        }
        // The instruction was paid for and begun: it has a line of its own, and its failure another.
        self.line(executed, &before, None);
        let memory_len =
            if self.pending.is_found_unpaid(fault) { self.pending.memory_paid() } else { executed.memory_len };
        let now = self.memory_and_stack(memory_len, executed.stack);
        self.line(executed, &now, Some(&words));
    }

    fn frame_ended(&mut self, end: &FrameEnd<'_>) {
        let words = match end.fault {
            Some(Fault::OutOfGas) if end.is_creation && !self.pending.failed => Some(CODE_STORAGE.to_owned()),
            fault => fault.map(|fault| self.words(self.as_named(fault))),
        };
        self.frame_line(end.output, end.gas_used, words.as_deref());
    }
}

fn undefined(opcode: u8) -> String {
    format!("opcode {opcode:#x} not defined")
}

fn words(fault: Fault) -> &'static str {
    match fault {
        Fault::Reverted => "execution reverted",
        Fault::OutOfGas => "out of gas",
        Fault::OperandTooLarge => "gas uint64 overflow",
        Fault::NoMoreThanStipend => "out of gas: not enough gas for reentrancy sentry",
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
