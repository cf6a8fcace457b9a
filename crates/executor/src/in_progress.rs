//! A block in progress: transactions are put to it one after another, each on the state that the ones before it left.
//!
//! The sequential executor drives it with the transactions that a block has, the payload builder with those that a
//! block may get; neither has a rule of its own.

use std::sync::Arc;

use alloy_consensus::{Header, Transaction as _};
use alloy_eips::{eip4895::Withdrawal, eip7685::Requests};
use alloy_primitives::{Address, B256, Bytes};
use balsa_bal::{Record, Recorder};
use balsa_chainspec::{DaoRule, Fork, Rules};
use balsa_evm::{
    AdmissionError, BlockEnvironment, BlockGas, CodeCache, Observation, PhaseOutcomes, TransactError, Transaction,
    TransactionEvm, TransactionGas, Unobserved, after_transactions, before_transactions, dao_fork, deposit_requests,
    proof_of_work_rewards, with_deposits,
};
use balsa_keccak::keccak256;
use balsa_state::{BlockState, StateDiff};
use balsa_trie::{RootAfter, root_after};
use thiserror::Error;
use tracing::debug_span;

use crate::{
    ExecuteError, Parent, ReceiptsSummary,
    block::{ExecutedList, Execution},
    receipts::{ReceiptStream, bloom_of},
    record::record_index,
    updates::{diff_of, updates_of},
};

/// A block to which transactions can still be added.
///
/// Opened by the calls before the first transaction, closed by those after the last.
///
/// `O` says whether the transactions are watched.
pub struct BlockInProgress<'a, O = Unobserved> {
    parent: &'a Parent,
    environment: BlockEnvironment,
    codes: Arc<CodeCache>,
    evm: TransactionEvm<BlockState<'a>, O>,
    receipts: ReceiptStream,
    recorder: Option<Recorder<Record>>,
}

/// What is read of a body after its transactions.
#[derive(Clone, Copy, Debug, Default)]
pub struct Closing<'a> {
    /// Ommers, for their rewards; none after the merge.
    pub ommers: &'a [Header],
    /// Withdrawals, in order (EIP-4895).
    pub withdrawals: &'a [Withdrawal],
}

/// Why a transaction is not taken. The block is as it was before.
#[derive(Debug, Error)]
pub enum Refused {
    /// It does not fit what is left of the block's gas.
    #[error(transparent)]
    Admission(#[from] AdmissionError),
    /// It may not stand here, or could not be run.
    #[error(transparent)]
    Transact(#[from] TransactError),
    /// The root before Byzantium's receipts could not be computed.
    #[error(transparent)]
    Internal(#[from] crate::InternalError),
}

/// What a transaction that was taken did, beside its receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Its gas in all dimensions.
    pub gas: TransactionGas,
    /// Whether it ran to its end.
    pub success: bool,
}

/// What a block came to, for whoever makes a header of it.
#[derive(Clone, Debug)]
pub struct ClosedBlock {
    /// The receipts with their root and bloom.
    pub receipts: ReceiptsSummary,
    /// What the header calls gas used.
    pub gas_used: u64,
    /// Requests to the consensus layer; empty before Prague (EIP-7685).
    pub requests: Requests,
    /// The block access list and how many items it has, where the rules ask for one (EIP-7928).
    pub list: Option<RecordedList>,
    /// The flat change of state.
    pub diff: StateDiff,
    /// The trie after the block, its root and the nodes to persist.
    pub after: RootAfter,
}

/// A list that was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedList {
    /// Its RLP.
    pub bytes: Bytes,
    /// keccak256 of that.
    pub hash: B256,
    /// Accounts and slots in it.
    pub items: u64,
}

impl<'a> BlockInProgress<'a> {
    /// Opens a block that nobody watches.
    ///
    /// # Errors
    /// See [`ExecuteError`].
    pub fn open(
        parent: &'a Parent,
        environment: &BlockEnvironment,
        codes: &Arc<CodeCache>,
        header: &Header,
        transactions: usize,
    ) -> Result<Self, ExecuteError> {
        Self::open_observed(parent, environment, codes, header, transactions, Unobserved)
    }
}

impl<'a, O: Observation<BlockState<'a>>> BlockInProgress<'a, O> {
    /// Opens a block on its parent: index 0, and the DAO's irregular change. Of `header` only what is fixed before
    /// execution is read. `transactions` makes room.
    ///
    /// # Errors
    /// See [`ExecuteError`].
    pub fn open_observed(
        parent: &'a Parent,
        environment: &BlockEnvironment,
        codes: &Arc<CodeCache>,
        header: &Header,
        transactions: usize,
        observer: O,
    ) -> Result<Self, ExecuteError> {
        let rules = &environment.rules;
        let mut recorder = rules.block_access_lists.then(|| Recorder::<Record>::new(transactions * 8));
        let mut state = BlockState::new(&parent.state);
        if rules.dao == DaoRule::MoveBalances {
            let outcomes = dao_fork(&mut state)?.finish().1;
            keep(&mut state, None, &outcomes)?;
        }
        let beacon_root = header.parent_beacon_block_root;
        let phase = before_transactions(environment, codes, header.parent_hash, beacon_root, &mut state)?;
        let outcomes = phase.finish().1;
        keep(&mut state, recorder.as_mut().map(|recorder| (recorder, 0)), &outcomes)?;
        Ok(Self {
            parent,
            evm: TransactionEvm::observed(environment, codes.clone(), state, observer),
            environment: environment.clone(),
            codes: codes.clone(),
            receipts: ReceiptStream::new(BlockGas::new(rules, header.gas_limit), transactions),
            recorder,
        })
    }

    /// Runs the next transaction and keeps what it did.
    ///
    /// # Errors
    /// [`Refused`] leaves the block as it was.
    pub fn take(&mut self, transaction: &Transaction, sender: Address) -> Result<Taken, Refused> {
        self.receipts.gas.admit(transaction.gas_limit())?;
        let result = self.evm.transact(transaction, sender)?;
        if let Some(recorder) = &mut self.recorder {
            record_index(recorder, self.receipts.receipts().len() as u32 + 1, self.evm.outcomes());
        }
        self.evm
            .apply_outcomes(|state, outcome| match outcome.is_changed() {
                true => state.write(&outcome.address, outcome.written()),
                false => Ok(()),
            })
            .map_err(TransactError::from)?;
        // The status before Byzantium is the state's root after the transaction (EIP-658).
        let root = if self.environment.rules.has(Fork::Byzantium) { None } else { Some(self.root_so_far()?) };
        let taken = Taken { gas: result.gas, success: result.success };
        let bloom = bloom_of(&result.logs);
        self.receipts.push(transaction, result, bloom, root);
        Ok(taken)
    }

    /// How many transactions were taken.
    pub fn transaction_count(&self) -> usize {
        self.receipts.receipts().len()
    }

    /// What the header would call gas used if the block ended here.
    pub fn gas_used(&self) -> u64 {
        self.receipts.gas.used()
    }

    /// Closes the block: rewards of proof of work, then index n + 1; then the root.
    ///
    /// # Errors
    /// See [`ExecuteError`].
    pub fn close(self, closing: Closing<'_>) -> Result<ClosedBlock, ExecuteError> {
        let Execution { receipts, requests, list, diff, after } = self.execution(closing, |_| ())?;
        let (gas, receipts) = receipts.finish();
        let list = list.map(|ExecutedList { bytes, hash, items }| RecordedList { bytes, hash, items });
        Ok(ClosedBlock { receipts, gas_used: gas.used(), requests, list, diff, after })
    }

    /// Closes the block; `closed` is shown the state after it.
    pub(crate) fn execution(
        self,
        closing: Closing<'_>,
        closed: impl FnOnce(&BlockState<'a>),
    ) -> Result<Execution, ExecuteError> {
        let Self { parent, environment, codes, evm, receipts, mut recorder } = self;
        let span = debug_span!(target: "balsa::stage", "execute").entered();
        let rules = &environment.rules;
        let mut state = evm.into_view();
        let outcomes = proof_of_work_rewards(&environment, closing.ommers, &mut state)?.finish().1;
        keep(&mut state, None, &outcomes)?;

        let deposits =
            if rules.has(Fork::Prague) { deposit_requests(rules, receipts.receipts())? } else { Bytes::new() };
        let (phase, requests) = after_transactions(&environment, &codes, closing.withdrawals, &mut state)?;
        let outcomes = phase.finish().1;
        let last_index = receipts.receipts().len() as u32 + 1;
        keep(&mut state, recorder.as_mut().map(|recorder| (recorder, last_index)), &outcomes)?;
        closed(&state);
        drop(span);

        let _span = debug_span!(target: "balsa::stage", "merkleize").entered();
        let (changes, codes) = state.changes();
        let updates = updates_of(&changes, keeps_empty(rules));
        let after = root_after(&parent.trie, &*parent.nodes, &updates)?;
        let diff = diff_of(changes, codes, &after);
        let list = recorder.map(|recorder| {
            let items = recorder.item_count() as u64;
            let bytes = recorder.into_bytes();
            ExecutedList { hash: keccak256(&bytes), bytes, items }
        });
        let requests = with_deposits(deposits, requests);
        Ok(Execution { receipts, requests, list, diff, after })
    }

    /// Root of the state as the transactions so far have left it.
    fn root_so_far(&mut self) -> Result<B256, crate::InternalError> {
        let (changes, _) = self.evm.view_mut().changes();
        let updates = updates_of(&changes, keeps_empty(&self.environment.rules));
        Ok(root_after(&self.parent.trie, &*self.parent.nodes, &updates)?.root)
    }
}

/// Writes and records what a phase did; nothing is recorded of what lists know nothing of.
fn keep(
    state: &mut BlockState<'_>,
    recorder: Option<(&mut Recorder<Record>, u32)>,
    outcomes: &PhaseOutcomes,
) -> Result<(), ExecuteError> {
    if let Some((recorder, index)) = recorder {
        record_index(recorder, index, outcomes.iter());
    }
    for outcome in outcomes.iter().filter(|outcome| outcome.is_changed()) {
        state.write(&outcome.address, outcome.written())?;
    }
    Ok(())
}

/// Whether an account that is touched and empty stays in the state: until EIP-161.
fn keeps_empty(rules: &Rules) -> bool {
    !rules.has(Fork::SpuriousDragon)
}
