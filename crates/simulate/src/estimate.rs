//! eth_estimateGas.

use alloy_consensus::Transaction as _;
use alloy_primitives::{Address, TxKind, U256};
use alloy_rpc_types_eth::TransactionRequest;
use balsa_chainspec::{Fork, GAS_PER_BLOB, TRANSACTION_GAS_LIMIT_CAP};
use balsa_evm::{Fault, TransactionResult, intrinsic_gas};
use balsa_state::EMPTY_CODE_HASH;

use crate::{
    Base, CallError, Limits, Question,
    call::failure,
    request::{fee_cap, sender},
    session::Session,
};

/// The least that a transaction costs in any fork: a gas limit below it is not meant as one.
const TRANSACTION_GAS: u64 = 21_000;
/// What a call with value gets for nothing (Yellow Paper, appendix G): it may have to be there without being used.
const CALL_STIPEND: u64 = 2_300;
/// The search ends when what is left to search is this part of the estimate, in thousandths.
const TOLERANCE_MILLI: u64 = 15;

/// The least gas limit, within a small tolerance upwards, with which a transaction runs to its end.
///
/// # Errors
/// See [`CallError`]; a call that reverts with all the gas that is allowed has no estimate.
pub fn estimate_gas(base: Base<'_>, question: &Question, limits: &Limits) -> Result<u64, CallError> {
    let session = Session::open(base, question, limits)?;
    let mut search = Search { session, request: &question.request, sender: sender(&question.request) };
    let allowance = search.allowance(limits)?;
    if let Some(gas) = search.plain_transfer(allowance)? {
        return Ok(gas);
    }
    search.least(allowance)
}

struct Search<'a> {
    session: Session<'a>,
    request: &'a TransactionRequest,
    sender: Address,
}

/// What came of a try.
enum Try {
    Succeeded(TransactionResult),
    /// It ran, and did not succeed.
    Failed(TransactionResult),
    /// The gas does not even pay for its beginning.
    TooLittle,
}

impl Search<'_> {
    /// The most gas that the transaction may have: by the block, the request, the fork, the sender's wei and the cap.
    fn allowance(&mut self, limits: &Limits) -> Result<u64, CallError> {
        let asked = self.request.gas.filter(|gas| *gas >= TRANSACTION_GAS);
        let mut allowance = asked.unwrap_or(self.session.header().gas_limit);
        // From Amsterdam on, what is above the cap pays for state (EIP-8037).
        if self.session.has(Fork::Osaka) && !self.session.has(Fork::Amsterdam) {
            allowance = allowance.min(TRANSACTION_GAS_LIMIT_CAP);
        }
        if let Some(affordable) = self.affordable()? {
            allowance = allowance.min(affordable);
        }
        Ok(allowance.min(limits.gas_max()))
    }

    /// The gas that the sender can pay for at the fee that the request names, if it names one.
    fn affordable(&mut self) -> Result<Option<u64>, CallError> {
        let fee = U256::from(fee_cap(self.request));
        if fee.is_zero() {
            return Ok(None);
        }
        let blobs = self.request.blob_versioned_hashes.as_ref().map_or(0, Vec::len);
        let blob_fee = self.request.max_fee_per_blob_gas.unwrap_or_default();
        let blob_cost = U256::from(blobs).saturating_mul(U256::from(GAS_PER_BLOB)).saturating_mul(U256::from(blob_fee));
        let spent = self.request.value.unwrap_or_default().saturating_add(blob_cost);
        let balance = self.session.account(&self.sender)?.balance;
        let left = balance.checked_sub(spent).filter(|left| !left.is_zero()).ok_or(CallError::InsufficientFunds)?;
        Ok(Some((left / fee).saturating_to()))
    }

    /// A transfer to an account without code costs what it costs at the start: one try instead of a search.
    fn plain_transfer(&mut self, allowance: u64) -> Result<Option<u64>, CallError> {
        let Some(TxKind::Call(to)) = self.request.to else { return Ok(None) };
        let transaction = self.session.transaction(self.request, allowance)?;
        if !transaction.input().is_empty() || self.session.account(&to)?.code_hash != EMPTY_CODE_HASH {
            return Ok(None);
        }
        let intrinsic = intrinsic_gas(self.session.rules(), &transaction, self.sender);
        let gas = intrinsic.initial.max(intrinsic.floor);
        Ok((gas <= allowance && matches!(self.attempt(gas)?, Try::Succeeded(_))).then_some(gas))
    }

    /// Searches between what the first run used, which is too little or just enough, and a limit that is enough.
    fn least(&mut self, allowance: u64) -> Result<u64, CallError> {
        let first = match self.attempt(allowance)? {
            Try::Succeeded(result) => result,
            Try::Failed(result) => return Err(refused(&result, allowance)),
            Try::TooLittle => return Err(CallError::Allowance(allowance)),
        };
        let mut too_little = first.gas.used.saturating_sub(1);
        let mut enough = allowance;
        // What was used before refunds, and what calls held back of it (EIP-150), is nearly always enough.
        let peak = first.gas.regular.saturating_add(first.gas.state);
        let guess = peak.saturating_add(CALL_STIPEND).saturating_mul(64) / 63;
        if guess < enough {
            self.narrow(guess, &mut too_little, &mut enough)?;
        }
        while too_little.saturating_add(1) < enough && !is_close(too_little, enough) {
            // The estimate is nearly always near the lower end.
            let middle = too_little + (enough - too_little) / 2;
            self.narrow(middle.min(too_little.saturating_mul(2)), &mut too_little, &mut enough)?;
        }
        Ok(enough)
    }

    fn narrow(&mut self, gas: u64, too_little: &mut u64, enough: &mut u64) -> Result<(), CallError> {
        match self.attempt(gas)? {
            Try::Succeeded(_) => *enough = gas,
            Try::Failed(_) | Try::TooLittle => *too_little = gas,
        }
        Ok(())
    }

    fn attempt(&mut self, gas: u64) -> Result<Try, CallError> {
        let transaction = self.session.transaction(self.request, gas)?;
        match self.session.run(&transaction, self.sender) {
            Ok(result) if result.success => Ok(Try::Succeeded(result)),
            Ok(result) => Ok(Try::Failed(result)),
            Err(CallError::Refused(refusal)) if refusal.is_for_lack_of_gas() => Ok(Try::TooLittle),
            Err(error) => Err(error),
        }
    }
}

/// Why the transaction fails with all the gas that it may have.
fn refused(result: &TransactionResult, allowance: u64) -> CallError {
    match failure(result) {
        None | Some(CallError::Halted(Fault::OutOfGas)) => CallError::Allowance(allowance),
        Some(error) => error,
    }
}

fn is_close(too_little: u64, enough: u64) -> bool {
    u128::from(enough - too_little) * 1000 < u128::from(enough) * u128::from(TOLERANCE_MILLI)
}
