//! The sequential executor: one index after another, on the state that the ones before it left. The specification.

use std::sync::Arc;

use alloy_primitives::Address;
use balsa_evm::{BlockEnvironment, CodeCache, Observation};
use balsa_state::BlockState;
use tracing::debug_span;

use crate::{
    ExecuteError, InvalidBlock, Parent, SealedBlock,
    block::Execution,
    in_progress::{BlockInProgress, Closing, Refused},
};

/// What the run needs to know of its block.
pub(crate) struct SequentialInput<'a> {
    pub(crate) block: &'a SealedBlock,
    pub(crate) senders: &'a [Address],
    pub(crate) parent: &'a Parent,
    pub(crate) environment: &'a BlockEnvironment,
    pub(crate) codes: &'a Arc<CodeCache>,
}

/// Executes the block, recording its access list where the rules have one; `observer` watches its transactions, and
/// `closed` is shown the state after it.
pub(crate) fn execute<'a, O: Observation<BlockState<'a>>>(
    input: &SequentialInput<'a>,
    observer: O,
    closed: impl FnOnce(&BlockState<'a>),
) -> Result<Execution, ExecuteError> {
    let SequentialInput { block, senders, parent, environment, codes } = *input;
    let span = debug_span!(target: "balsa::stage", "execute").entered();
    let count = block.transactions.len();
    let mut open = BlockInProgress::open_observed(parent, environment, codes, &block.header, count, observer)?;
    for (index, (transaction, sender)) in block.transactions.iter().zip(senders).enumerate() {
        open.take(transaction, *sender).map_err(|refused| verdict(index, refused))?;
    }
    let withdrawals = block.withdrawals.as_deref().map_or(&[][..], |all| all);
    let closing = Closing { ommers: &block.ommers, withdrawals };
    drop(span);
    open.execution(closing, closed)
}

/// A transaction that a builder would pass over makes a block invalid.
fn verdict(index: usize, refused: Refused) -> ExecuteError {
    match refused {
        Refused::Admission(error) => InvalidBlock::Admission { index, error }.into(),
        Refused::Transact(error) => ExecuteError::transact(index, error),
        Refused::Internal(error) => error.into(),
    }
}
