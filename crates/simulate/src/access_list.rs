//! eth_createAccessList.

use alloy_eips::eip2930::AccessList;

use crate::{Base, CallError, Limits, Question, call::failure, fault_text, request::sender, session::Session};
use balsa_evm::Fault;

/// How often a list is made from a run with the list before it.
const ROUNDS_MAX: usize = 32;

/// The list for a call, and what the call costs with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedAccessList {
    /// Accounts and slots that the call reaches, ascending (EIP-2930).
    pub access_list: AccessList,
    /// Gas used with the list.
    pub gas_used: u64,
    /// Why the call failed, if it did: the list holds what it had reached by then.
    pub error: Option<String>,
}

/// Finds the access list with which a call reaches nothing that the list lacks.
///
/// # Errors
/// See [`CallError`]. That the call itself fails is part of the answer.
pub fn create_access_list(
    base: Base<'_>,
    question: &Question,
    limits: &Limits,
) -> Result<CreatedAccessList, CallError> {
    let mut session = Session::open(base, question, limits)?;
    let mut request = question.request.clone();
    let gas_limit = request.gas.unwrap_or(u64::MAX).min(limits.gas_max());
    let sender = sender(&request);
    let mut list = request.access_list.take().unwrap_or_default();
    for _ in 0..ROUNDS_MAX {
        request.access_list = Some(list.clone());
        let transaction = session.transaction(&request, gas_limit)?;
        let watch = session.deadline.watch().with_accesses(list.clone());
        let run = session.run_watched(&transaction, sender, watch)?;
        if run.access_list == list {
            let error = failure(&run.result).map(|failure| match failure {
                CallError::Reverted(_) => fault_text(Fault::Reverted).into(),
                other => other.to_string(),
            });
            return Ok(CreatedAccessList { access_list: list, gas_used: run.result.gas.used, error });
        }
        list = run.access_list;
    }
    Err(CallError::Unsettled(ROUNDS_MAX))
}
