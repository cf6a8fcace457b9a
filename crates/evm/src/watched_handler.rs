//! The steps of a transaction that is watched: the usual ones, and what they do outside of frames is told as well.

use std::marker::PhantomData;

use alloy_primitives::TxKind;
use balsa_state::StateView;
use revm::{
    context::result::{EVMError, HaltReason},
    context_interface::{ContextTr, Transaction},
    handler::{EthFrame, EvmTr, FrameResult, Handler, MainnetHandler},
    inspector::InspectorHandler,
    interpreter::{GasTracker, InitialAndFloorGas, interpreter::EthInterpreter},
};

use crate::{
    database::DatabaseError,
    instructions::{InstructionObserver, Watched},
    observation::RunResult,
    transaction::BlockEvm,
};

/// Runs the transaction that stands in the EVM's context.
pub(crate) fn run_watched<V: StateView, T: InstructionObserver>(evm: &mut BlockEvm<V, Watched<T>>) -> RunResult {
    WatchedHandler(PhantomData).inspect_run(evm)
}

struct WatchedHandler<V, T>(PhantomData<(V, T)>);

type Usual<V, T> = MainnetHandler<BlockEvm<V, Watched<T>>, EVMError<DatabaseError>, EthFrame<EthInterpreter>>;

impl<V: StateView, T: InstructionObserver> Handler for WatchedHandler<V, T> {
    type Evm = BlockEvm<V, Watched<T>>;
    type Error = EVMError<DatabaseError>;
    type HaltReason = HaltReason;

    fn apply_eip7702_auth_list(&self, evm: &mut Self::Evm, gas: &mut GasTracker) -> Result<Option<u64>, Self::Error> {
        let refund = Usual::<V, T>::default().apply_eip7702_auth_list(evm, gas)?;
        evm.inspector.authorized(refund.unwrap_or_default());
        Ok(refund)
    }

    fn runtime_oog_result(
        &mut self,
        evm: &mut Self::Evm,
        init_and_floor_gas: &InitialAndFloorGas,
        gas: &mut GasTracker,
    ) -> Result<FrameResult, Self::Error> {
        let is_creation = evm.ctx_ref().tx().kind() == TxKind::Create;
        let given = self.tx_gas(evm, init_and_floor_gas).remaining();
        evm.inspector.ended_before_a_frame(given, is_creation);
        Usual::<V, T>::default().runtime_oog_result(evm, init_and_floor_gas, gas)
    }
}

impl<V: StateView, T: InstructionObserver> InspectorHandler for WatchedHandler<V, T> {
    type IT = EthInterpreter;
}
