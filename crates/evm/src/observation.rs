//! Whether the runs of a [`TransactionEvm`](crate::TransactionEvm) are watched.
//!
//! Blocks are run [`Unobserved`], and that is a type of its own: what an observer would cost is not compiled into it.

use balsa_state::StateView;
use revm::{
    context::result::{EVMError, ExecutionResult, HaltReason},
    handler::{Handler, MainnetHandler},
    inspector::{Inspector, InspectorHandler},
    interpreter::interpreter::EthInterpreter,
};

use crate::{
    database::DatabaseError,
    transaction::{BlockContext, BlockEvm},
};

/// What the interpreter says of a run.
pub(crate) type RunResult = Result<ExecutionResult<HaltReason>, EVMError<DatabaseError>>;

/// How a transaction is driven through the interpreter. Implemented by [`Unobserved`] and this crate's observers only.
pub trait Observation<V: StateView>: sealed::Drive<V> {}

impl<V: StateView, O: sealed::Drive<V>> Observation<V> for O {}

pub(crate) mod sealed {
    use super::{BlockEvm, RunResult, StateView};

    pub trait Drive<V: StateView>: Sized {
        /// Runs the transaction that stands in the EVM's context.
        fn run(evm: &mut BlockEvm<V, Self>) -> RunResult;
    }
}

/// Nobody watches.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unobserved;

impl<V: StateView> sealed::Drive<V> for Unobserved {
    fn run(evm: &mut BlockEvm<V, Self>) -> RunResult {
        MainnetHandler::default().run(evm)
    }
}

/// The same steps, with an inspector told of each frame and instruction.
pub(crate) fn run_observed<V: StateView, O: Inspector<BlockContext<V>, EthInterpreter>>(
    evm: &mut BlockEvm<V, O>,
) -> RunResult {
    MainnetHandler::default().inspect_run(evm)
}
