//! SSTORE as Constantinople had it (EIP-1283).
//!
//! The rule lived on test networks only: Petersburg withdrew it before mainnet saw it, and Istanbul brought it back
//! with a guard (EIP-2200). revm knows the latter's arithmetic; this is that arithmetic with EIP-1283's prices and
//! without the guard. The official suites still ask for it.

use balsa_state::StateView;
use revm::{
    bytecode::opcode::SSTORE,
    context_interface::{
        cfg::{GasId, GasParams},
        context::{SStoreResult, StateLoad},
        host::Host,
    },
    interpreter::{
        Instruction, InstructionContext, InstructionResult, instructions::host::sstore_with_gas_accounting,
        interpreter::EthInterpreter,
    },
};

use crate::transaction::{BlockContext, BlockEvm};

/// What an SSTORE costs at least: the price of SLOAD then.
const NO_CHANGE: u64 = 200;
/// Setting a slot that was zero, above [`NO_CHANGE`].
const SET: u64 = 20_000 - NO_CHANGE;
/// Changing a slot that was not zero, above [`NO_CHANGE`].
const RESET: u64 = 5_000 - NO_CHANGE;

/// Puts EIP-1283's prices into a schedule of Petersburg.
pub(crate) fn set_prices(params: &mut GasParams) {
    params.override_gas([
        (GasId::sstore_static(), NO_CHANGE),
        (GasId::sstore_set_without_load_cost(), SET),
        (GasId::sstore_reset_without_cold_load_cost(), RESET),
        (GasId::sstore_set_refund(), SET),
        (GasId::sstore_reset_refund(), RESET),
    ]);
}

/// Puts EIP-1283's arithmetic in place of Petersburg's.
pub(crate) fn install<V: StateView, O>(evm: &mut BlockEvm<V, O>) {
    let instruction =
        Instruction::new(|context| sstore_with_gas_accounting(context, |context, _, load| charge::<V>(context, load)));
    evm.instruction.insert_instruction(SSTORE, instruction, 0);
}

fn charge<V: StateView>(
    context: &mut InstructionContext<'_, BlockContext<V>, EthInterpreter>,
    load: &StateLoad<SStoreResult>,
) -> Result<(), InstructionResult> {
    let params = context.host.gas_params();
    let (cost, refund) = (params.sstore_dynamic_gas(true, &load.data, false), params.sstore_refund(true, &load.data));
    if !context.interpreter.gas.record_regular_cost(cost) {
        return Err(InstructionResult::OutOfGas);
    }
    context.interpreter.gas.record_refund(refund);
    Ok(())
}
