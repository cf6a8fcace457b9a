//! One simulated block: a second driver over the function that runs a transaction.

use std::sync::Arc;

use alloy_consensus::Header;
use alloy_eips::{eip2718::Encodable2718, eip4895::Withdrawals};
use alloy_primitives::{B256, Bytes};
use balsa_bal::{Record, Recorder};
use balsa_chainspec::{Fork, GAS_PER_BLOB, Rules};
use balsa_evm::{
    BlockEnvironment, CallLog, CallRules, CodeCache, Fault, PhaseOutcomes, TransactionEvm, after_transactions,
    before_transactions, deposit_requests, proof_of_work_rewards, with_deposits,
};
use balsa_executor::{Parent, SealedBlock, diff_of, record_index, updates_of};
use balsa_keccak::keccak256;
use balsa_state::{BlockState, StateDiff};
use balsa_trie::{StateTrie, ordered_root, root_after};

use crate::{
    CallError, SimulateError, SimulatedTransaction,
    limits::Deadline,
    overrides,
    simulated_calls::{Budget, Calls},
    simulated_chain::{PlannedBlock, withdrawals},
};

/// A block that was simulated.
#[derive(Clone, Debug)]
pub struct SimulatedBlock {
    /// Its header.
    pub header: Header,
    /// The header's hash.
    pub hash: B256,
    /// Length of the block's RLP, in bytes.
    pub rlp_len: usize,
    /// The calls as transactions.
    pub transactions: Vec<SimulatedTransaction>,
    /// Withdrawals, from Shanghai on.
    pub withdrawals: Option<Withdrawals>,
    /// What came of each call.
    pub calls: Vec<CallOutcome>,
}

/// What came of a call in a simulated block.
#[derive(Clone, Debug)]
pub struct CallOutcome {
    /// What it returned; empty if it failed.
    pub output: Bytes,
    /// Its logs, transfers among them if wanted.
    pub logs: Vec<CallLog>,
    /// Gas that the sender paid for.
    pub gas_used: u64,
    /// Gas used before refunds.
    pub max_used_gas: u64,
    /// Why it failed, if it did.
    pub failure: Option<CallFailure>,
}

/// Why a call in a simulated block failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallFailure {
    /// The fault.
    pub fault: Fault,
    /// What it reverted with.
    pub revert_data: Bytes,
    /// Whether the call had less gas than it asked for.
    pub gas_capped: bool,
}

/// What is asked for of all blocks of a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Switches {
    pub(crate) validation: bool,
    pub(crate) transfers: bool,
}

/// A block on its way.
pub(crate) struct BlockRun<'a> {
    pub(crate) codes: &'a Arc<CodeCache>,
    pub(crate) parent: &'a Parent,
    pub(crate) rules: Rules,
    /// What is fixed before execution.
    pub(crate) header: Header,
    pub(crate) block: &'a PlannedBlock,
    pub(crate) switches: Switches,
    pub(crate) deadline: Deadline,
}

/// A block, and what the next one stands on.
pub(crate) struct Done {
    pub(crate) block: SimulatedBlock,
    pub(crate) diff: StateDiff,
    pub(crate) trie: StateTrie,
}

impl<'a> BlockRun<'a> {
    /// Overrides, the protocol's calls, the calls, the protocol's calls again, and the roots.
    pub(crate) fn execute(self, budget: &mut Budget) -> Result<Done, SimulateError> {
        if self.deadline.is_over() {
            return Err(CallError::TimedOut(self.deadline.timeout).into());
        }
        let environment = BlockEnvironment::new(self.rules, &self.header, self.parent.hashes.clone());
        let mut state = BlockState::new(&self.parent.state);
        let precompiles = overrides::apply(&self.block.state, &environment, &mut state)?;
        let environment = environment.for_calls(CallRules {
            nonce_checked: self.switches.validation,
            base_fee_checked: self.switches.validation,
            blob_base_fee: self.block.overrides.blob_base_fee()?,
            precompiles,
        });
        let mut recorder = self.rules.block_access_lists.then(|| Recorder::<Record>::new(self.block.calls.len() * 8));
        let beacon_root = self.header.parent_beacon_block_root;
        let codes = self.codes;
        let phase = before_transactions(&environment, codes, self.parent.hash, beacon_root, &mut state)?;
        let outcomes = phase.finish().1;
        keep(&mut state, recorder.as_mut(), 0, &outcomes)?;

        let watch = self.deadline.watch().with_transfers(self.switches.transfers);
        let evm = TransactionEvm::observed(&environment, codes.clone(), state, watch);
        let mut calls = Calls::new(&self, evm, recorder);
        for request in &self.block.calls {
            calls.run(request, budget)?;
        }
        self.close(calls, &environment)
    }

    /// Closes the block: what follows the calls, then the roots.
    fn close(&self, calls: Calls<'_, 'a>, environment: &BlockEnvironment) -> Result<Done, SimulateError> {
        let Calls { evm, mut recorder, gas, blobs, transactions, receipts, outcomes, .. } = calls;
        let (rules, parent) = (&self.rules, self.parent);
        let mut header = self.header.clone();
        let withdrawals = withdrawals(rules, &self.block.overrides);
        let mut state = evm.into_view();
        let rewards = proof_of_work_rewards(environment, &[], &mut state)?.finish().1;
        keep(&mut state, None, 0, &rewards)?;
        let paid = withdrawals.as_deref().map_or(&[][..], |all| all);
        let (phase, requests) = after_transactions(environment, self.codes, paid, &mut state)?;
        let outcomes_after = phase.finish().1;
        keep(&mut state, recorder.as_mut(), receipts.len() as u32 + 1, &outcomes_after)?;

        let (changes, codes) = state.changes();
        let updates = updates_of(&changes, !rules.has(Fork::SpuriousDragon));
        let after = root_after(&parent.trie, &*parent.nodes, &updates).map_err(trie)?;
        let diff = diff_of(changes, codes, &after);

        header.state_root = after.root;
        header.gas_used = gas.used();
        header.blob_gas_used = rules.blobs.map(|_| blobs * GAS_PER_BLOB);
        header.transactions_root = ordered_root(&transactions.iter().map(|tx| &tx.encoded).collect::<Vec<_>>());
        header.receipts_root = ordered_root(&receipts.iter().map(Encodable2718::encoded_2718).collect::<Vec<_>>());
        header.logs_bloom = receipts.iter().fold(Default::default(), |bloom, receipt| bloom | *receipt.logs_bloom());
        header.withdrawals_root = withdrawals
            .as_ref()
            .map(|withdrawals| ordered_root(&withdrawals.iter().map(alloy_rlp::encode).collect::<Vec<_>>()));
        if rules.has(Fork::Prague) {
            let deposits = deposit_requests(rules, &receipts)?;
            header.requests_hash = Some(with_deposits(deposits, requests).requests_hash());
        }
        header.block_access_list_hash = recorder.map(|recorder| keccak256(&recorder.into_bytes()));
        let block = sealed(header, transactions, withdrawals, outcomes);
        Ok(Done { block, diff, trie: after.trie })
    }
}

/// Gives the block its hash and its length.
fn sealed(
    header: Header,
    transactions: Vec<SimulatedTransaction>,
    withdrawals: Option<Withdrawals>,
    calls: Vec<CallOutcome>,
) -> SimulatedBlock {
    // A legacy transaction without a signature is as long as one with a signature of zeros.
    let plain = transactions.iter().map(|simulated| simulated.transaction.clone()).collect();
    let block = SealedBlock::from_parts(header, plain, Vec::new(), withdrawals);
    let SealedBlock { header, hash, rlp_len, withdrawals, .. } = block;
    SimulatedBlock { header, hash, rlp_len, transactions, withdrawals, calls }
}

/// Writes and records what the protocol's calls did.
fn keep(
    state: &mut BlockState<'_>,
    recorder: Option<&mut Recorder<Record>>,
    index: u32,
    outcomes: &PhaseOutcomes,
) -> Result<(), SimulateError> {
    if let Some(recorder) = recorder {
        record_index(recorder, index, outcomes.iter());
    }
    for outcome in outcomes.iter().filter(|outcome| outcome.is_changed()) {
        state.write(&outcome.address, outcome.written())?;
    }
    Ok(())
}

pub(crate) fn trie(error: balsa_trie::TrieError) -> SimulateError {
    SimulateError::Trie(error.to_string())
}
