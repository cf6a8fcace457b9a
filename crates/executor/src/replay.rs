//! A block's transactions run once more, for those who watch. No verdict comes of it, nothing is kept.
//!
//! [`Replay`] runs them one after another. [`ListReplay`] has the block's access list, and runs any of them at once on
//! the state that the list gives it, as the parallel executor does.

use std::sync::Arc;

use alloy_primitives::{Address, Bytes};
use balsa_bal::{FlatList, KeyHashes};
use balsa_chainspec::DaoRule;
use balsa_evm::{
    AccountOutcome, BlockEnvironment, CodeCache, Observation, PhaseOutcomes, TransactionEvm, TransactionResult,
    after_transactions, before_transactions, dao_fork,
};
use balsa_state::{BlockState, Columns, ListView, StateError};

use crate::{ExecuteError, Executor, InvalidBlock, Parent, SealedBlock, recover_senders, verdicts};

/// What both ways need to know of a block.
struct Replayed<'a> {
    block: &'a SealedBlock,
    senders: Vec<Address>,
    environment: BlockEnvironment,
    codes: Arc<CodeCache>,
}

impl<'a> Replayed<'a> {
    fn new(executor: &Executor, block: &'a SealedBlock, parent: &Parent) -> Result<Self, ExecuteError> {
        let rules = executor.spec().rules_of(&block.header);
        let senders = recover_senders(&rules, &block.transactions)?;
        let environment = BlockEnvironment::new(rules, &block.header, parent.hashes.clone());
        Ok(Self { block, senders, environment, codes: executor.codes().clone() })
    }
}

/// A block whose transactions are run again in their order.
pub struct Replay<'a> {
    replayed: Replayed<'a>,
    state: BlockState<'a>,
    next: usize,
    before: PhaseOutcomes,
}

impl<'a> Replay<'a> {
    /// Opens a block: everything before its first transaction is done.
    ///
    /// # Errors
    /// The block is invalid, or state cannot be read.
    pub fn open(executor: &Executor, block: &'a SealedBlock, parent: &'a Parent) -> Result<Self, ExecuteError> {
        let replayed = Replayed::new(executor, block, parent)?;
        let (environment, codes) = (&replayed.environment, &replayed.codes);
        let mut state = BlockState::new(&parent.state);
        if environment.rules.dao == DaoRule::MoveBalances {
            let outcomes = dao_fork(&mut state)?.finish().1;
            write_all(&mut state, &outcomes)?;
        }
        let header = &block.header;
        let phase =
            before_transactions(environment, codes, header.parent_hash, header.parent_beacon_block_root, &mut state)?;
        let outcomes = phase.finish().1;
        write_all(&mut state, &outcomes)?;
        Ok(Self { replayed, state, next: 0, before: outcomes })
    }

    /// What the calls before the transactions did.
    pub fn before(&self) -> &PhaseOutcomes {
        &self.before
    }

    /// Runs the next transaction under an observer, who is given back, and shows the interpreter after it; nothing if
    /// there is none left.
    ///
    /// # Errors
    /// The transaction may not stand here, or state cannot be read.
    pub fn next<O>(
        &mut self,
        observer: O,
        show: impl FnOnce(&TransactionEvm<&mut BlockState<'a>, O>),
    ) -> Result<Option<(TransactionResult, O)>, ExecuteError>
    where
        O: for<'s> Observation<&'s mut BlockState<'a>>,
    {
        let Replayed { block, senders, environment, codes } = &self.replayed;
        let (Some(transaction), Some(sender)) = (block.transactions.get(self.next), senders.get(self.next)) else {
            return Ok(None);
        };
        let mut evm = TransactionEvm::observed(environment, codes.clone(), &mut self.state, observer);
        let result = evm.transact(transaction, *sender).map_err(|error| ExecuteError::transact(self.next, error))?;
        show(&evm);
        evm.apply_outcomes(|state, outcome| write(state, &outcome))?;
        let observer = evm.into_observer();
        self.next += 1;
        Ok(Some((result, observer)))
    }

    /// What the calls after the transactions did.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn finish(self) -> Result<PhaseOutcomes, ExecuteError> {
        let Self { replayed: Replayed { block, environment, codes, .. }, mut state, .. } = self;
        let withdrawals = block.withdrawals.as_deref().map_or(&[][..], |all| all);
        let (phase, _) = after_transactions(&environment, &codes, withdrawals, &mut state)?;
        Ok(phase.finish().1)
    }
}

fn write(state: &mut BlockState<'_>, outcome: &AccountOutcome<'_>) -> Result<(), StateError> {
    if outcome.is_changed() { state.write(&outcome.address, outcome.written()) } else { Ok(()) }
}

fn write_all(state: &mut BlockState<'_>, outcomes: &PhaseOutcomes) -> Result<(), StateError> {
    outcomes.iter().try_for_each(|outcome| write(state, &outcome))
}

/// A block with its access list, whose transactions are run again in any order, from any threads.
pub struct ListReplay<'a> {
    replayed: Replayed<'a>,
    columns: Columns,
}

impl<'a> ListReplay<'a> {
    /// Opens a block with its list: the one that its header commits to, of a block that was found valid. The state that
    /// a list of any other kind gives means nothing.
    ///
    /// # Errors
    /// The block or the list is invalid.
    pub fn open(
        executor: &Executor,
        block: &'a SealedBlock,
        parent: &Parent,
        list: Bytes,
    ) -> Result<Self, ExecuteError> {
        let replayed = Replayed::new(executor, block, parent)?;
        let limits = verdicts::limits(&replayed.environment.rules, block);
        let list = Arc::new(FlatList::decode(list, &limits).map_err(InvalidBlock::from)?);
        let (executed, header) = (list.hash(), block.header.block_access_list_hash.unwrap_or_default());
        if executed != header {
            return Err(InvalidBlock::ListHash { executed, header }.into());
        }
        let keys = Arc::new(KeyHashes::of(&list));
        Ok(Self { replayed, columns: Columns::new(parent.state.clone(), list, keys) })
    }

    /// Runs the transaction at `at` under an observer, who is given back; nothing if there is none.
    ///
    /// # Errors
    /// The transaction may not stand here, or state cannot be read.
    pub fn run<O>(&self, at: usize, observer: O) -> Result<Option<(TransactionResult, O)>, ExecuteError>
    where
        O: for<'s> Observation<ListView<'s>>,
    {
        let Replayed { block, senders, environment, codes } = &self.replayed;
        let (Some(transaction), Some(sender)) = (block.transactions.get(at), senders.get(at)) else { return Ok(None) };
        let view = ListView::new(&self.columns, at as u32 + 1);
        let mut evm = TransactionEvm::observed(environment, codes.clone(), view, observer);
        let result = evm.transact(transaction, *sender).map_err(|error| ExecuteError::transact(at, error))?;
        Ok(Some((result, evm.into_observer())))
    }
}
