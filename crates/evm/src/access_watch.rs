//! An observer of every access to state, in order, with the instruction that made it.

use std::collections::HashMap;

use alloy_primitives::{Address, Bytes, U256};
use balsa_bal::{Event, Place};
use balsa_state::{EMPTY_CODE_HASH, StateView};
use revm::{
    bytecode::opcode,
    context::JournalEntry,
    inspector::Inspector,
    interpreter::{
        CallInputs, CallOutcome, CreateInputs, CreateOutcome, Interpreter, InterpreterResult,
        interpreter_types::{InputsTr, Jumps, LoopControl},
    },
    state::EvmState,
};

use crate::{
    observation::{RunResult, run_observed, sealed::Drive},
    transaction::{BlockContext, BlockEvm},
};

/// An access, and where it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedEvent {
    /// The instruction, if it was one: the protocol charges and credits by itself.
    pub place: Option<Place>,
    /// What happened.
    pub event: Event,
    /// The code, where one was set.
    pub code: Option<Bytes>,
}

/// Notes the accesses of one transaction. What a transaction does before its first frame is noted too; what is done
/// after its last (refund, fees) is not, and stands in its outcomes only.
#[derive(Debug, Default)]
pub struct AccessWatch {
    events: Vec<PlacedEvent>,
    place: Option<Place>,
    reached: Option<Reached>,
    /// Entries of the interpreter's journal that have been looked at.
    journal_len: usize,
    /// Its length when each open frame began.
    frames: Vec<usize>,
}

/// What the instruction that is being executed names on the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reached {
    Account(Address),
    Slot(Address, U256),
}

impl AccessWatch {
    /// The accesses, in order, with the frames that they were made in.
    pub fn events(&self) -> &[PlacedEvent] {
        &self.events
    }

    fn push(&mut self, event: Event) {
        self.events.push(PlacedEvent { place: self.place, event, code: None });
    }

    /// Notes what the journal has beyond what was looked at.
    fn catch_up<V: StateView>(&mut self, context: &BlockContext<V>) {
        let inner = &context.journaled_state.inner;
        let entries = inner.journal.get(self.journal_len..).unwrap_or_default();
        self.journal_len = inner.journal.len();
        let (place, reached) = (self.place, self.reached);
        // The instruction's own operand has been noted already.
        let noted = reached.map(|(Reached::Account(address) | Reached::Slot(address, _))| Event::Touch { address });
        let is_new = |event: &Event| noted.is_none_or(|noted| noted != *event);
        let events = events_of(entries, &inner.state).into_iter().filter(|(event, _)| is_new(event));
        self.events.extend(events.map(|(event, code)| PlacedEvent { place, event, code }));
    }

    fn open<V: StateView>(&mut self, context: &BlockContext<V>) {
        self.catch_up(context);
        self.frames.push(self.journal_len);
        self.push(Event::FrameEntered);
    }

    fn close<V: StateView>(&mut self, context: &BlockContext<V>, result: &InterpreterResult) {
        let began = self.frames.pop().unwrap_or_default();
        if result.result.is_ok() {
            self.catch_up(context);
            self.push(Event::FrameCommitted);
        } else {
            self.push(Event::FrameReverted);
            // A creation raises its creator's nonce before it begins: that much stays.
            self.journal_len = began;
            self.catch_up(context);
        }
    }

    fn note_reached<V: StateView>(&mut self, context: &BlockContext<V>, failed: bool) {
        let inner = &context.journaled_state.inner;
        match self.reached {
            Some(Reached::Account(address)) if inner.state.contains_key(&address) => {
                self.push(Event::Touch { address })
            }
            Some(Reached::Slot(address, slot)) => {
                // A slot that could not be paid for was not reached.
                let Some(value) = inner.state.get(&address).and_then(|account| account.storage.get(&slot)) else {
                    return;
                };
                let value = value.present_value;
                let writes = self.place.is_some_and(|place| place.opcode == opcode::SSTORE) && !failed;
                let before =
                    inner.journal.get(self.journal_len..).unwrap_or_default().iter().find_map(|entry| match entry {
                        JournalEntry::StorageChanged { key, had_value, .. } if *key == slot => Some(*had_value),
                        _ => None,
                    });
                self.push(match writes {
                    true => Event::SlotWrite { address, slot, before: before.unwrap_or(value), after: value },
                    // A write that could not be paid for stands in the journal until its frame is undone.
                    false => Event::SlotRead { address, slot, value: before.unwrap_or(value) },
                });
            }
            _ => {}
        }
    }
}

fn reached(opcode: u8, address: Address, stack: &[U256]) -> Option<Reached> {
    let word = |depth: usize| stack.len().checked_sub(depth + 1).and_then(|at| stack.get(at)).copied();
    let account = |word: U256| Reached::Account(Address::from_word(word.into()));
    match opcode {
        opcode::SLOAD | opcode::SSTORE => word(0).map(|slot| Reached::Slot(address, slot)),
        opcode::BALANCE | opcode::EXTCODESIZE | opcode::EXTCODECOPY | opcode::EXTCODEHASH | opcode::SELFDESTRUCT => {
            word(0).map(account)
        }
        opcode::CALL | opcode::CALLCODE | opcode::DELEGATECALL | opcode::STATICCALL => word(1).map(account),
        opcode::SELFBALANCE => Some(Reached::Account(address)),
        _ => None,
    }
}

/// What journal entries say, in their order. They have the values before; those after follow from the state now, walked
/// back entry by entry.
fn events_of(entries: &[JournalEntry], state: &EvmState) -> Vec<(Event, Option<Bytes>)> {
    let mut balances = HashMap::<Address, U256>::new();
    let mut nonces = HashMap::<Address, u64>::new();
    let balance_now = |address: &Address| state.get(address).map(|account| account.info.balance).unwrap_or_default();
    let nonce_now = |address: &Address| state.get(address).map(|account| account.info.nonce).unwrap_or_default();
    let mut balance_before = |address: Address, before: &dyn Fn(U256) -> U256| {
        let known = balances.entry(address).or_insert_with(|| balance_now(&address));
        let after = std::mem::replace(known, before(*known));
        Event::Balance { address, before: *known, after }
    };
    let mut nonce_before = |address: Address, before: &dyn Fn(u64) -> u64| {
        let known = nonces.entry(address).or_insert_with(|| nonce_now(&address));
        let after = std::mem::replace(known, before(*known));
        Event::Nonce { address, before: *known, after }
    };
    let mut backwards = Vec::new();
    for entry in entries.iter().rev() {
        match entry {
            JournalEntry::AccountWarmed { address } => backwards.push((Event::Touch { address: *address }, None)),
            JournalEntry::BalanceChange { old_balance, address } => {
                backwards.push((balance_before(*address, &|_| *old_balance), None));
            }
            JournalEntry::BalanceTransfer { balance, from, to } => {
                backwards.push((balance_before(*to, &|after| after.wrapping_sub(*balance)), None));
                backwards.push((balance_before(*from, &|after| after.wrapping_add(*balance)), None));
            }
            JournalEntry::AccountDestroyed { had_balance, address, target, .. } => {
                backwards.push((Event::Destroy { address: *address }, None));
                if target != address {
                    backwards.push((balance_before(*target, &|after| after.wrapping_sub(*had_balance)), None));
                }
                backwards.push((balance_before(*address, &|_| *had_balance), None));
            }
            JournalEntry::NonceChange { address, previous_nonce } => {
                backwards.push((nonce_before(*address, &|_| *previous_nonce), None));
            }
            JournalEntry::NonceBump { address } => {
                backwards.push((nonce_before(*address, &|after| after.wrapping_sub(1)), None));
            }
            JournalEntry::AccountCreated { address, .. } => backwards.push((nonce_before(*address, &|_| 0), None)),
            JournalEntry::CodeChange { address, had_code_hash, .. } => {
                let info = state.get(address).map(|account| &account.info);
                let after = info.map_or(EMPTY_CODE_HASH, |info| info.code_hash);
                let code = info.and_then(|info| info.code.as_ref()).map(|code| code.original_bytes());
                let before = if had_code_hash.is_zero() { EMPTY_CODE_HASH } else { *had_code_hash };
                backwards.push((Event::Code { address: *address, before, after }, code));
            }
            // Slots are noted by the instructions that reach them; the others are no accesses.
            JournalEntry::StorageChanged { .. }
            | JournalEntry::StorageWarmed { .. }
            | JournalEntry::AccountTouched { .. }
            | JournalEntry::TransientStorageChange { .. } => {}
        }
    }
    backwards.reverse();
    backwards
}

impl<V: StateView> Drive<V> for AccessWatch {
    fn run(evm: &mut BlockEvm<V, Self>) -> RunResult {
        evm.inspector = Self::default();
        run_observed(evm)
    }
}

impl<V: StateView> Inspector<BlockContext<V>> for AccessWatch {
    fn step(&mut self, interpreter: &mut Interpreter, context: &mut BlockContext<V>) {
        self.reached = None;
        self.catch_up(context);
        let (contract, opcode) = (interpreter.input.target_address(), interpreter.bytecode.opcode());
        self.place = Some(Place { contract, pc: interpreter.bytecode.pc() as u32, opcode });
        self.reached = reached(opcode, contract, interpreter.stack.data());
    }

    fn step_end(&mut self, interpreter: &mut Interpreter, context: &mut BlockContext<V>) {
        let result = interpreter.bytecode.action().as_ref().and_then(|action| action.instruction_result());
        self.note_reached(context, result.is_some_and(|result| !result.is_ok()));
        self.catch_up(context);
        self.reached = None;
    }

    fn call(&mut self, context: &mut BlockContext<V>, _: &mut CallInputs) -> Option<CallOutcome> {
        self.open(context);
        None
    }

    fn call_end(&mut self, context: &mut BlockContext<V>, _: &CallInputs, outcome: &mut CallOutcome) {
        self.close(context, &outcome.result);
    }

    fn create(&mut self, context: &mut BlockContext<V>, _: &mut CreateInputs) -> Option<CreateOutcome> {
        self.open(context);
        None
    }

    fn create_end(&mut self, context: &mut BlockContext<V>, _: &CreateInputs, outcome: &mut CreateOutcome) {
        self.close(context, &outcome.result);
    }
}
