//! eth_call.

use alloy_primitives::Bytes;
use balsa_evm::{Fault, TransactionResult};

use crate::{Base, CallError, Limits, Question, request::sender, session::Session};

/// Runs a call on the state after a block, and gives what it returns.
///
/// # Errors
/// [`CallError::Reverted`] and [`CallError::Halted`] are the call's own answers; the others say that it did not run.
pub fn call(base: Base<'_>, question: &Question, limits: &Limits) -> Result<Bytes, CallError> {
    let mut session = Session::open(base, question, limits)?;
    let gas_limit = question.request.gas.unwrap_or(u64::MAX).min(limits.gas_max());
    let transaction = session.transaction(&question.request, gas_limit)?;
    let result = session.run(&transaction, sender(&question.request))?;
    failure(&result).map_or(Ok(result.output), Err)
}

/// Why the call itself failed, if it did.
pub(crate) fn failure(result: &TransactionResult) -> Option<CallError> {
    match result.fault {
        None if result.success => None,
        Some(Fault::Reverted) => Some(CallError::Reverted(result.output.clone())),
        fault => Some(CallError::Halted(fault.unwrap_or(Fault::Internal))),
    }
}
