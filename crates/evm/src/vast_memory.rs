//! KECCAK256 over more memory than a block of any chain pays for.
//!
//! The interpreter writes zeros to every byte that memory grows by. What gas pays for bounds that: the price goes by the
//! square of the size. A test of the official suites has gas without end and hashes as many bytes as its timestamp
//! counts seconds, 1.57 GB that it never wrote to. Here such memory is asked of the system as zeros: pages that are only
//! read take nothing up.
//!
//! Blocks whose gas limit cannot pay for that much are run on the interpreter's own instruction.

use balsa_state::StateView;
use revm::{
    bytecode::opcode::KECCAK256,
    context_interface::{Cfg, cfg::GasParams, host::Host},
    interpreter::{
        Instruction, InstructionContext, InstructionExecResult, Interpreter, instructions::system::keccak256,
        interpreter::EthInterpreter, interpreter_types::MemoryTr,
    },
};

use crate::transaction::{BlockContext, BlockEvm};

/// Memory that grows by less is left to the interpreter.
const GROWTH_BYTES_MIN: usize = 16 << 20;

const WORD_BYTES: usize = 32;

/// Puts the instruction in place, where the block's gas can pay for such memory.
pub(crate) fn install<V: StateView, O>(evm: &mut BlockEvm<V, O>) {
    let price = evm.ctx.cfg.gas_params().memory_cost(GROWTH_BYTES_MIN / WORD_BYTES);
    if evm.ctx.block.gas_limit >= price {
        evm.instruction.instruction_table_mut()[usize::from(KECCAK256)] = Instruction::new(hash::<V>);
    }
}

/// Memory grows first, and the interpreter's instruction finds that it has the length which it asks for.
fn hash<V: StateView>(context: InstructionContext<'_, BlockContext<V>, EthInterpreter>) -> InstructionExecResult {
    if let Some(size) = vast_size(context.interpreter, context.host.gas_params()) {
        let end = context.interpreter.memory.local_memory_offset() + size;
        let mut memory = context.host.local.shared_memory_buffer.borrow_mut();
        let mut grown = vec![0; end];
        grown[..memory.len()].copy_from_slice(&memory);
        *memory = grown;
    }
    keccak256(context)
}

/// The size that the frame's memory comes to, if that is far more than it has and gas is left for it.
fn vast_size(interpreter: &Interpreter, prices: &GasParams) -> Option<usize> {
    let [.., length, offset] = interpreter.stack.data()[..] else { return None };
    let (offset, length) = (usize::try_from(offset).ok()?, usize::try_from(length).ok()?);
    let words = offset.checked_add(length).filter(|_| length > 0)?.div_ceil(WORD_BYTES);
    let size = words.checked_mul(WORD_BYTES)?;
    let price = prices.memory_cost(words).saturating_add(prices.keccak256_cost(length));
    let vast = size >= interpreter.memory.size().saturating_add(GROWTH_BYTES_MIN);
    (vast && price <= interpreter.gas.remaining()).then_some(size)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BlockEnvironment, BlockHashes, CodeCache, Fault, Transaction, TransactionEvm, TransactionResult};
    use alloy_consensus::{Header, SignableTransaction, TxLegacy};
    use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256, keccak256};
    use balsa_chainspec::{ChainSpec, Fork};
    use balsa_state::{Account, BlockState, MemoryStore, State, StateDiff};
    use std::sync::Arc;

    const CONTRACT: Address = Address::repeat_byte(0xcc);
    /// What is hashed.
    const BYTES: u64 = 20 << 20;
    /// Enough for that.
    const GAS: u64 = 2_000_000_000;

    /// MSTORE(0, 7); KECCAK256(1, `bytes`); returns the hash and MSIZE.
    fn hashing(bytes: u64) -> Vec<u8> {
        let mut code = vec![0x60, 7, 0x60, 0, 0x52, 0x67];
        code.extend(bytes.to_be_bytes());
        code.extend([0x60, 1, 0x20, 0x59, 0x60, 32, 0x52, 0x60, 0, 0x52, 0x60, 64, 0x60, 0, 0xf3]);
        code
    }

    /// MSTORE(32, 9); calls the contract; returns that word, and what the contract returned.
    fn calling() -> Vec<u8> {
        let mut code = vec![0x60, 9, 0x60, 32, 0x52, 0x60, 64, 0x60, 64, 0x60, 0, 0x60, 0, 0x60, 0, 0x73];
        code.extend(CONTRACT);
        code.extend([0x5a, 0xf1, 0x50, 0x60, 96, 0x60, 32, 0xf3]);
        code
    }

    /// Runs init code beside the contract, in a block that can pay for vast memory or in one that cannot.
    fn run(init_code: &[u8], contract: Vec<u8>, gas_limit: u64, vast: bool) -> TransactionResult {
        let code_hash = keccak256(&contract);
        let account = Account { code_hash, ..Account::default() };
        let mut store = MemoryStore::default();
        store.apply(&StateDiff {
            accounts: vec![(keccak256(CONTRACT), Some(account))],
            storage: Vec::new(),
            codes: vec![(code_hash, contract.into())],
        });
        let header = Header { number: 1, gas_limit: if vast { GAS } else { 30_000_000 }, ..Header::default() };
        let rules = ChainSpec::all_at_genesis(1, Fork::Berlin).rules_of(&header);
        let hashes = Arc::new(BlockHashes::new(1, B256::ZERO, |_| None));
        let mut environment = BlockEnvironment::new(rules, &header, hashes);
        environment.cfg.disable_block_gas_limit = true;
        let state = State::new(Arc::new(store));
        let mut evm = TransactionEvm::new(&environment, Arc::<CodeCache>::default(), BlockState::new(&state));
        let input = Bytes::copy_from_slice(init_code);
        let transaction = TxLegacy { gas_limit, to: TxKind::Create, input, ..TxLegacy::default() };
        let transaction: Transaction = transaction.into_signed(Signature::test_signature()).into();
        evm.transact(&transaction, Address::repeat_byte(1)).unwrap()
    }

    /// Runs it both ways, which must agree.
    fn check(init_code: &[u8], contract: Vec<u8>, gas_limit: u64) -> TransactionResult {
        let [vast, plain] = [true, false].map(|vast| run(init_code, contract.clone(), gas_limit, vast));
        assert_eq!(format!("{vast:?}"), format!("{plain:?}"));
        vast
    }

    #[test]
    fn memory_holds_what_it_held_and_zeros() {
        let mut memory = vec![0; 1 + BYTES as usize];
        memory[31] = 7;
        let words = memory.len().div_ceil(WORD_BYTES);
        let result = check(&hashing(BYTES), Vec::new(), GAS);
        assert_eq!(result.output[..32], keccak256(&memory[1..])[..]);
        assert_eq!(U256::from_be_slice(&result.output[32..]), U256::from(words * WORD_BYTES));
    }

    #[test]
    fn memory_of_callers_stays() {
        let result = check(&calling(), hashing(BYTES), GAS);
        assert_eq!(result.output[..32], B256::with_last_byte(9)[..]);
        assert_eq!(result.output[32..], run(&hashing(BYTES), Vec::new(), GAS, true).output[..]);
    }

    #[test]
    fn what_cannot_be_paid_for_does_not_grow() {
        // So much of the first that whoever asked the system for it would not live to tell.
        for bytes in [1 << 46, BYTES] {
            let result = check(&hashing(bytes), Vec::new(), 1_000_000);
            assert_eq!(result.fault, Some(Fault::OutOfGas));
        }
    }
}
