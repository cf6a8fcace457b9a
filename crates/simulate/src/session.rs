//! A call's block, made ready: overrides laid over it, to be run on as often as the answer needs.

use std::sync::Arc;

use alloy_consensus::{Header, Transaction as _};
use alloy_primitives::{Address, U256};
use alloy_rpc_types_eth::TransactionRequest;
use balsa_chainspec::Fork;
use balsa_evm::{
    BlockEnvironment, CallRules, CallWatch, CodeCache, GethTracer, InvalidTransaction, Transaction, TransactionEvm,
    TransactionResult,
};
use balsa_state::{AccountInfo, BlockState, StateView};

use crate::{
    Base, BlockOverrides, CallError, Limits, StateOverrides,
    base::lenient_hashes,
    limits::Deadline,
    overrides,
    request::{self, Defaults},
};

/// A call, and what is to be otherwise when it runs.
#[derive(Clone, Debug, Default)]
pub struct Question {
    /// The call.
    pub request: TransactionRequest,
    /// State that is to be otherwise.
    pub state: StateOverrides,
    /// Fields of the block that are to be otherwise.
    pub block: BlockOverrides,
}

/// The block and the state that a call runs on. Runs leave both as they are.
pub(crate) struct Session<'a> {
    header: Header,
    codes: Arc<CodeCache>,
    environment: BlockEnvironment,
    state: BlockState<'a>,
    pub(crate) deadline: Deadline,
}

impl<'a> Session<'a> {
    /// Makes the block ready for a call of these fees.
    pub(crate) fn open(base: Base<'a>, question: &Question, limits: &Limits) -> Result<Self, CallError> {
        let deadline = Deadline::start(limits);
        question.block.check_for_call()?;
        let proof_of_stake = base.spec.is_proof_of_stake(&base.block.header);
        let mut header = base.block.header.clone();
        question.block.apply(&mut header)?;
        let mut blob_base_fee = question.block.blob_base_fee()?;
        // Who names no fee pays none, and the block asks for none.
        if request::fee_cap(&question.request) == 0 && header.base_fee_per_gas.is_some() {
            header.base_fee_per_gas = Some(0);
        }
        let pays_for_blobs = question.request.max_fee_per_blob_gas.unwrap_or_default() > 0;
        if question.request.blob_versioned_hashes.is_some() && !pays_for_blobs {
            blob_base_fee = Some(0);
        }

        let rules = base.spec.rules_at(header.number, header.timestamp, proof_of_stake);
        let hashes = lenient_hashes(header.number, header.parent_hash, &base.block.hashes);
        let environment = BlockEnvironment::new(rules, &header, hashes);
        let mut state = BlockState::new(&base.block.state);
        let precompiles = overrides::apply(&question.state, &environment, &mut state)?;
        let rules = CallRules { blob_base_fee, precompiles, ..CallRules::default() };
        Ok(Self { header, codes: Arc::default(), environment: environment.for_calls(rules), state, deadline })
    }

    /// The block's header, overrides applied.
    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    /// Whether a fork's rules hold in the block.
    pub(crate) fn has(&self, fork: Fork) -> bool {
        self.environment.rules.has(fork)
    }

    pub(crate) fn rules(&self) -> &balsa_chainspec::Rules {
        &self.environment.rules
    }

    /// An account before the call; empty if it does not exist.
    pub(crate) fn account(&mut self, address: &Address) -> Result<AccountInfo, CallError> {
        Ok(self.state.account(address)?.map(|account| account.info).unwrap_or_default())
    }

    /// The request as a transaction of this gas limit.
    pub(crate) fn transaction(
        &mut self,
        request: &TransactionRequest,
        gas_limit: u64,
    ) -> Result<Transaction, CallError> {
        let defaults = Defaults {
            chain_id: self.environment.rules.chain_id,
            nonce: self.account(&request::sender(request))?.nonce,
            gas_limit,
            base_fee: self.header.base_fee_per_gas.is_some(),
        };
        Ok(request::transaction(request, &defaults)?)
    }

    /// Runs a transaction under a fresh watch.
    pub(crate) fn run(&mut self, transaction: &Transaction, sender: Address) -> Result<TransactionResult, CallError> {
        let watch = self.deadline.watch();
        Ok(self.run_watched(transaction, sender, watch)?.result)
    }

    /// Runs a transaction under a watch, and hands the watch back.
    pub(crate) fn run_watched(
        &mut self,
        transaction: &Transaction,
        sender: Address,
        watch: CallWatch,
    ) -> Result<Run, CallError> {
        let base_fee = self.header.base_fee_per_gas.unwrap_or_default();
        check_fees(transaction, sender, base_fee)?;
        let codes = self.codes.clone();
        let mut evm = TransactionEvm::observed(&self.environment, codes, &mut self.state, watch);
        let result = evm.transact(transaction, sender);
        if evm.observer_mut().is_stopped() {
            return Err(CallError::TimedOut(self.deadline.timeout));
        }
        let result = result.map_err(|error| CallError::transact(error, transaction, sender, base_fee))?;
        let access_list = evm.observer_mut().access_list();
        Ok(Run { result, access_list })
    }
}

impl Session<'_> {
    /// Runs a transaction under a tracer, and hands the tracer back: what the call came to stands in its trace.
    pub(crate) fn run_traced(
        &mut self,
        transaction: &Transaction,
        sender: Address,
        tracer: GethTracer,
    ) -> Result<GethTracer, CallError> {
        let base_fee = self.header.base_fee_per_gas.unwrap_or_default();
        check_fees(transaction, sender, base_fee)?;
        let codes = self.codes.clone();
        let mut evm = TransactionEvm::observed(&self.environment, codes, &mut self.state, tracer);
        let result = evm.transact(transaction, sender);
        result.map_err(|error| CallError::transact(error, transaction, sender, base_fee))?;
        Ok(evm.into_observer())
    }
}

/// What came of a run.
pub(crate) struct Run {
    pub(crate) result: TransactionResult,
    /// What it reached, if the watch was to note that.
    pub(crate) access_list: alloy_eips::eip2930::AccessList,
}

/// Holds fees against the base fee where any are named; the interpreter does not, for calls.
pub(crate) fn check_fees(transaction: &Transaction, sender: Address, base_fee: u64) -> Result<(), CallError> {
    let (fee_cap, tip) = (transaction.max_fee_per_gas(), transaction.max_priority_fee_per_gas().unwrap_or_default());
    let reason = if fee_cap == 0 && tip == 0 {
        return Ok(());
    } else if tip > fee_cap {
        InvalidTransaction::PriorityFeeAboveMaxFee
    } else if U256::from(fee_cap) < U256::from(base_fee) {
        InvalidTransaction::FeeBelowBaseFee
    } else {
        return Ok(());
    };
    Err(CallError::refused(reason, transaction, sender, base_fee))
}
