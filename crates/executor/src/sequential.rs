//! The sequential executor: one index after another, on the state that the ones before it left. The specification.

use std::sync::Arc;

use alloy_consensus::Transaction as _;
use alloy_eips::eip7685::Requests;
use alloy_primitives::{Address, B256, Bytes};
use balsa_bal::{Record, Recorder};
use balsa_chainspec::{DaoRule, Fork, Rules};
use balsa_evm::{
    BlockEnvironment, BlockGas, CodeCache, PhaseOutcomes, TransactionEvm, after_transactions, before_transactions,
    dao_fork, deposit_requests, proof_of_work_rewards, with_deposits,
};
use balsa_keccak::keccak256;
use balsa_state::BlockState;
use balsa_trie::root_after;
use tracing::debug_span;

use crate::{
    ExecuteError, InvalidBlock, Parent, SealedBlock,
    block::{ExecutedList, Execution},
    receipts::{ReceiptStream, bloom_of},
    record::record_index,
    updates::{diff_of, updates_of},
};

/// What the run needs to know of its block.
pub(crate) struct SequentialInput<'a> {
    pub(crate) block: &'a SealedBlock,
    pub(crate) senders: &'a [Address],
    pub(crate) parent: &'a Parent,
    pub(crate) environment: &'a BlockEnvironment,
    pub(crate) codes: &'a Arc<CodeCache>,
}

/// Executes the block, recording its access list where the rules have one.
pub(crate) fn execute(input: &SequentialInput<'_>) -> Result<Execution, ExecuteError> {
    let rules = &input.environment.rules;
    let span = debug_span!(target: "balsa::stage", "execute").entered();
    let mut run = Run::new(input);
    run.before()?;
    run.transactions()?;
    let requests = run.after()?;
    drop(span);

    let span = debug_span!(target: "balsa::stage", "merkleize").entered();
    let (changes, codes) = run.state.changes();
    let updates = updates_of(&changes, keeps_empty(rules));
    let after = root_after(&input.parent.trie, &*input.parent.nodes, &updates)?;
    drop(span);
    let diff = diff_of(changes, codes, &after);
    let list = run.recorder.map(|recorder| {
        let items = recorder.item_count() as u64;
        let bytes = recorder.into_bytes();
        ExecutedList { hash: keccak256(&bytes), bytes, items }
    });
    Ok(Execution { receipts: run.receipts, requests, list, diff, after })
}

/// A block in progress.
struct Run<'a> {
    input: &'a SequentialInput<'a>,
    state: BlockState<'a>,
    receipts: ReceiptStream,
    recorder: Option<Recorder<Record>>,
}

impl<'a> Run<'a> {
    fn new(input: &'a SequentialInput<'a>) -> Self {
        let rules = &input.environment.rules;
        let count = input.block.transactions.len();
        Self {
            input,
            state: BlockState::new(&input.parent.state),
            receipts: ReceiptStream::new(BlockGas::new(rules, input.block.header.gas_limit), count),
            recorder: rules.block_access_lists.then(|| Recorder::<Record>::new(count * 8)),
        }
    }

    /// Index 0, and the DAO's irregular change.
    fn before(&mut self) -> Result<(), ExecuteError> {
        let SequentialInput { block, environment, codes, .. } = *self.input;
        let header = &block.header;
        if environment.rules.dao == DaoRule::MoveBalances {
            let outcomes = dao_fork(&mut self.state)?.finish().1;
            self.keep(None, &outcomes)?;
        }
        let beacon_root = header.parent_beacon_block_root;
        let phase = before_transactions(environment, codes, header.parent_hash, beacon_root, &mut self.state)?;
        let (_, outcomes) = phase.finish();
        self.keep(Some(0), &outcomes)
    }

    /// Indexes 1 to n.
    fn transactions(&mut self) -> Result<(), ExecuteError> {
        let SequentialInput { block, senders, environment, codes, .. } = *self.input;
        // The status before Byzantium is the state's root after the transaction (EIP-658).
        let needs_roots = !environment.rules.has(Fork::Byzantium);
        let mut evm = TransactionEvm::new(environment, codes.clone(), &mut self.state);
        for (at, (transaction, sender)) in block.transactions.iter().zip(senders).enumerate() {
            let admitted = self.receipts.gas.admit(transaction.gas_limit());
            admitted.map_err(|error| InvalidBlock::Admission { index: at, error })?;
            let result = evm.transact(transaction, *sender).map_err(|error| ExecuteError::transact(at, error))?;
            if let Some(recorder) = &mut self.recorder {
                record_index(recorder, at as u32 + 1, evm.outcomes());
            }
            evm.apply_outcomes(|state, outcome| match outcome.is_changed() {
                true => state.write(&outcome.address, outcome.written()),
                false => Ok(()),
            })?;
            let root = if needs_roots { Some(self.input.root_so_far(evm.view_mut())?) } else { None };
            let bloom = bloom_of(&result.logs);
            self.receipts.push(transaction, result, bloom, root);
        }
        Ok(())
    }

    /// Index n + 1, and the rewards of proof of work.
    fn after(&mut self) -> Result<Requests, ExecuteError> {
        let SequentialInput { block, environment, codes, .. } = *self.input;
        let phase = proof_of_work_rewards(environment, &block.ommers, &mut self.state)?;
        let outcomes = phase.finish().1;
        self.keep(None, &outcomes)?;

        let deposits = if environment.rules.has(Fork::Prague) {
            deposit_requests(&environment.rules, self.receipts.receipts())?
        } else {
            Bytes::new()
        };
        let withdrawals = block.withdrawals.as_deref().map_or(&[][..], |all| all);
        let (phase, requests) = after_transactions(environment, codes, withdrawals, &mut self.state)?;
        let outcomes = phase.finish().1;
        self.keep(Some(block.transactions.len() as u32 + 1), &outcomes)?;
        Ok(with_deposits(deposits, requests))
    }

    /// Writes and records what a phase did; `index` is `None` for what lists know nothing of.
    fn keep(&mut self, index: Option<u32>, outcomes: &PhaseOutcomes) -> Result<(), ExecuteError> {
        if let Some((recorder, index)) = self.recorder.as_mut().zip(index) {
            record_index(recorder, index, outcomes.iter());
        }
        for outcome in outcomes.iter().filter(|outcome| outcome.is_changed()) {
            self.state.write(&outcome.address, outcome.written())?;
        }
        Ok(())
    }
}

impl SequentialInput<'_> {
    /// Root of the state as the transactions so far have left it.
    fn root_so_far(&self, state: &BlockState<'_>) -> Result<B256, ExecuteError> {
        let (changes, _) = state.changes();
        let updates = updates_of(&changes, keeps_empty(&self.environment.rules));
        Ok(root_after(&self.parent.trie, &*self.parent.nodes, &updates)?.root)
    }
}

/// Whether an account that is touched and empty stays in the state: until EIP-161.
fn keeps_empty(rules: &Rules) -> bool {
    !rules.has(Fork::SpuriousDragon)
}
