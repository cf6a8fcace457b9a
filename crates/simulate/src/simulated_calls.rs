//! The calls of a simulated block, run one after another.

use alloy_consensus::{Eip658Value, ReceiptEnvelope, ReceiptWithBloom, Transaction as _};
use alloy_primitives::{Address, B256, Bytes, logs_bloom};
use alloy_rpc_types_eth::TransactionRequest;
use balsa_bal::{Record, Recorder};
use balsa_chainspec::Fork;
use balsa_evm::{BlockGas, CallWatch, InvalidTransaction, Transaction, TransactionEvm, TransactionResult};
use balsa_executor::{record_index, updates_of};
use balsa_state::{BlockState, StateView};
use balsa_trie::root_after;

use crate::{
    CallError, Limits, SimulateError, SimulatedTransaction,
    request::{self, Defaults},
    session::check_fees,
    simulated_block::{BlockRun, CallFailure, CallOutcome, trie},
};

/// Gas that the calls of a request may still use together.
#[derive(Debug)]
pub(crate) struct Budget {
    remaining: u64,
}

impl Budget {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self { remaining: limits.gas_max() }
    }

    fn consume(&mut self, need: u64) -> Result<(), SimulateError> {
        let remaining = self.remaining;
        self.remaining = remaining.checked_sub(need).ok_or(SimulateError::GasCap { need, remaining })?;
        Ok(())
    }
}

/// Runs transactions on a simulated block's state.
pub(crate) type Evm<'a> = TransactionEvm<BlockState<'a>, CallWatch>;

/// A block's calls so far.
pub(crate) struct Calls<'r, 'a> {
    run: &'r BlockRun<'a>,
    pub(crate) evm: Evm<'a>,
    pub(crate) recorder: Option<Recorder<Record>>,
    pub(crate) gas: BlockGas,
    /// How many the transactions carry.
    pub(crate) blobs: u64,
    pub(crate) transactions: Vec<SimulatedTransaction>,
    pub(crate) receipts: Vec<ReceiptEnvelope>,
    pub(crate) outcomes: Vec<CallOutcome>,
}

impl<'r, 'a> Calls<'r, 'a> {
    pub(crate) fn new(run: &'r BlockRun<'a>, evm: Evm<'a>, recorder: Option<Recorder<Record>>) -> Self {
        let gas = BlockGas::new(&run.rules, run.header.gas_limit);
        let (transactions, receipts, outcomes) = Default::default();
        Self { run, evm, recorder, gas, blobs: 0, transactions, receipts, outcomes }
    }

    /// Runs the next call and keeps what it did.
    pub(crate) fn run(&mut self, request: &TransactionRequest, budget: &mut Budget) -> Result<(), SimulateError> {
        let sender = request::sender(request);
        let remaining = self.gas.remaining();
        let required = request.gas.unwrap_or(remaining);
        if required > remaining {
            return Err(SimulateError::BlockGas { remaining, required });
        }
        let gas_limit = required.min(budget.remaining);
        let transaction = self.transaction(request, sender, gas_limit)?;
        let result = self.transact(&transaction, sender)?;
        budget.consume(result.gas.used)?;
        self.keep(transaction, sender, result, gas_limit < required)
    }

    fn transaction(
        &mut self,
        request: &TransactionRequest,
        sender: Address,
        gas_limit: u64,
    ) -> Result<Transaction, CallError> {
        let nonce = self.evm.view_mut().account(&sender)?.map_or(0, |account| account.info.nonce);
        let base_fee = self.run.header.base_fee_per_gas;
        let chain_id = self.run.rules.chain_id;
        let defaults = Defaults { chain_id, nonce, gas_limit, base_fee: base_fee.is_some() };
        let transaction = request::transaction(request, &defaults)?;
        let base_fee = base_fee.unwrap_or_default();
        if self.run.switches.validation {
            check_nonce(&transaction, nonce)
                .map_err(|reason| CallError::refused(reason, &transaction, sender, base_fee))?;
        } else {
            check_fees(&transaction, sender, base_fee)?;
        }
        Ok(transaction)
    }

    fn transact(&mut self, transaction: &Transaction, sender: Address) -> Result<TransactionResult, CallError> {
        let deadline = self.run.deadline;
        let result = self.evm.transact(transaction, sender);
        if deadline.is_over() || self.evm.observer_mut().is_stopped() {
            return Err(CallError::TimedOut(deadline.timeout));
        }
        let base_fee = self.run.header.base_fee_per_gas.unwrap_or_default();
        result.map_err(|error| CallError::transact(error, transaction, sender, base_fee))
    }

    /// Keeps what a call did: in the state, in the list, in the receipts and in the answer.
    fn keep(
        &mut self,
        transaction: Transaction,
        sender: Address,
        result: TransactionResult,
        gas_capped: bool,
    ) -> Result<(), SimulateError> {
        if let Some(recorder) = &mut self.recorder {
            record_index(recorder, self.receipts.len() as u32 + 1, self.evm.outcomes());
        }
        self.evm.apply_outcomes(|state, outcome| {
            let mut written = outcome.written();
            // Where nonces are not checked, the largest is followed by the first.
            let overflows = outcome.address == sender && outcome.info_before().nonce == u64::MAX;
            if let Some(info) = written.info.as_mut().filter(|_| overflows) {
                info.nonce = 0;
            } else if !outcome.is_changed() {
                return Ok(());
            }
            state.write(&outcome.address, written)
        })?;
        let cumulative_gas_used = self.gas.add(result.gas);
        let status = match self.run.rules.has(Fork::Byzantium) {
            true => Eip658Value::Eip658(result.success),
            false => Eip658Value::PostState(self.root_so_far()?),
        };
        let receipt = alloy_consensus::Receipt { status, cumulative_gas_used, logs: result.logs };
        let bloom = logs_bloom(&receipt.logs);
        let receipt = ReceiptWithBloom::new(receipt, bloom);
        self.receipts.push(ReceiptEnvelope::from_typed(transaction.tx_type(), receipt));
        self.blobs += transaction.blob_count().unwrap_or(0);
        let (output, revert_data) = match result.success {
            true => (result.output, Bytes::new()),
            false => (Bytes::new(), result.output),
        };
        self.outcomes.push(CallOutcome {
            output,
            logs: self.evm.observer_mut().take_logs(),
            gas_used: result.gas.used,
            max_used_gas: result.gas.regular.saturating_add(result.gas.state),
            failure: result.fault.map(|fault| CallFailure { fault, revert_data, gas_capped }),
        });
        self.transactions.push(SimulatedTransaction::new(transaction, sender));
        Ok(())
    }

    /// Root of the state as the calls so far have left it: what receipts held before Byzantium.
    fn root_so_far(&mut self) -> Result<B256, SimulateError> {
        let (changes, _) = self.evm.view_mut().changes();
        let updates = updates_of(&changes, !self.run.rules.has(Fork::SpuriousDragon));
        let parent = self.run.parent;
        Ok(root_after(&parent.trie, &*parent.nodes, &updates).map_err(trie)?.root)
    }
}

fn check_nonce(transaction: &Transaction, sender: u64) -> Result<(), InvalidTransaction> {
    let transaction = transaction.nonce();
    match transaction.cmp(&sender) {
        std::cmp::Ordering::Less => Err(InvalidTransaction::NonceTooLow { transaction, sender }),
        std::cmp::Ordering::Greater => Err(InvalidTransaction::NonceTooHigh { transaction, sender }),
        std::cmp::Ordering::Equal if sender == u64::MAX => Err(InvalidTransaction::NonceMax),
        std::cmp::Ordering::Equal => Ok(()),
    }
}
