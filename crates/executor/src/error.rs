//! Verdict and accident, apart.

use alloy_primitives::{B256, Bloom, Bytes, U256};
use balsa_bal::ListError;
use balsa_chainspec::HeaderError;
use balsa_evm::{AdmissionError, DepositError, InvalidTransaction, PhaseError, TransactError};
use balsa_state::StateError;
use balsa_trie::TrieError;
use thiserror::Error;

use crate::{BodyError, SenderError};

/// A block was not executed to its end.
#[derive(Debug, Error)]
pub enum ExecuteError {
    /// The block breaks a rule. Only the sequential executor, and the checks before it, say so.
    #[error(transparent)]
    Invalid(#[from] Box<Refusal>),
    /// This node could not do it; nothing is said about the block.
    #[error(transparent)]
    Internal(#[from] InternalError),
}

/// The verdict on an invalid block.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{rule}")]
pub struct Refusal {
    /// The first rule that the block breaks.
    pub rule: InvalidBlock,
    /// The access list that execution recorded, if the rule is about the list: what the block should have come with.
    pub recorded_list: Option<Bytes>,
}

/// Why a block is invalid. One variant a rule, in the order in which the rules are looked at.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InvalidBlock {
    /// The header does not follow from its parent.
    #[error("header: {0}")]
    Header(#[from] HeaderError),
    /// The body does not fit the header.
    #[error("body: {0}")]
    Body(#[from] BodyError),
    /// The access list's bytes are not a list (EIP-7928).
    #[error("block access list: {0}")]
    List(#[from] ListError),
    /// A transaction's sender cannot be recovered.
    #[error("transaction {index}: {error}")]
    Sender {
        /// Position in the block.
        index: usize,
        /// Why.
        error: SenderError,
    },
    /// A transaction does not fit what is left of the block.
    #[error("transaction {index}: {error}")]
    Admission {
        /// Position in the block.
        index: usize,
        /// Why.
        error: AdmissionError,
    },
    /// A transaction may not stand in the block.
    #[error("transaction {index}: {error}")]
    Transaction {
        /// Position in the block.
        index: usize,
        /// Why.
        error: InvalidTransaction,
    },
    /// A call around the transactions failed (EIP-7002, EIP-7251, EIP-8282), or a credit overflowed.
    #[error("system call: {0}")]
    SystemCall(String, SystemCallFault),
    /// A deposit event is not laid out as one (EIP-6110).
    #[error("deposit: {0}")]
    Deposit(#[from] DepositError),
    /// The access list does not say what execution did (EIP-7928).
    #[error("block access list: {0}")]
    ListMismatch(String),
    /// More accounts and slots than the gas limit allows (EIP-7928).
    #[error("block access list has {items} items, the gas limit allows {max}")]
    ListItems {
        /// Accounts and slots in the list.
        items: u64,
        /// Gas limit over 2000.
        max: u64,
    },
    /// Gas used.
    #[error("gas used is {executed}, the header says {header}")]
    GasUsed {
        /// By execution.
        executed: u64,
        /// In the header.
        header: u64,
    },
    /// Root of the receipts.
    #[error("receipts root is {executed}, the header says {header}")]
    ReceiptsRoot {
        /// By execution.
        executed: B256,
        /// In the header.
        header: B256,
    },
    /// Bloom of all logs.
    #[error("logs bloom is not the header's")]
    LogsBloom {
        /// By execution.
        executed: Box<Bloom>,
        /// In the header.
        header: Box<Bloom>,
    },
    /// Hash of the requests (EIP-7685).
    #[error("requests hash is {executed}, the header says {header}")]
    RequestsHash {
        /// By execution.
        executed: B256,
        /// In the header.
        header: B256,
    },
    /// Hash of the access list (EIP-7928).
    #[error("block access list hash is {executed}, the header says {header}")]
    ListHash {
        /// Of the list that execution recorded.
        executed: B256,
        /// In the header.
        header: B256,
    },
    /// Root of the state.
    #[error("state root is {executed}, the header says {header}")]
    StateRoot {
        /// By execution.
        executed: B256,
        /// In the header.
        header: B256,
    },
    /// Total difficulty against the terminal one (EIP-3675).
    #[error("total difficulty {total} does not fit the merge at {terminal}")]
    TerminalDifficulty {
        /// Of the parent.
        total: U256,
        /// Of the chain.
        terminal: U256,
    },
}

/// Which way a call around the transactions failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SystemCallFault {
    /// The contract has no code.
    Empty,
    /// The call reverted or halted.
    Failed,
    /// A credit overflowed.
    Overflow,
}

/// This node's own trouble.
#[derive(Debug, Error)]
pub enum InternalError {
    /// State could not be read.
    #[error(transparent)]
    State(#[from] StateError),
    /// The trie could not be read, or contradicts itself.
    #[error(transparent)]
    Trie(#[from] TrieError),
    /// The interpreter gave up.
    #[error("interpreter: {0}")]
    Interpreter(String),
}

impl InvalidBlock {
    /// Whether the block's access list is at fault, or what its header says of it (EIP-7928).
    pub fn is_of_list(&self) -> bool {
        matches!(self, Self::List(_) | Self::ListMismatch(_) | Self::ListItems { .. } | Self::ListHash { .. })
    }
}

impl From<InvalidBlock> for ExecuteError {
    fn from(rule: InvalidBlock) -> Self {
        Self::Invalid(Box::new(Refusal { rule, recorded_list: None }))
    }
}

impl ExecuteError {
    pub(crate) fn transact(index: usize, error: TransactError) -> Self {
        match error {
            TransactError::Invalid(error) => InvalidBlock::Transaction { index, error }.into(),
            TransactError::State(error) => InternalError::State(error).into(),
            TransactError::Internal(message) => InternalError::Interpreter(message).into(),
        }
    }
}

impl From<PhaseError> for ExecuteError {
    fn from(error: PhaseError) -> Self {
        let message = error.to_string();
        let fault = match error {
            PhaseError::State(error) => return InternalError::State(error).into(),
            PhaseError::Internal(message) => return InternalError::Interpreter(message).into(),
            PhaseError::SystemContractEmpty(_) => SystemCallFault::Empty,
            PhaseError::SystemContractFailed { .. } => SystemCallFault::Failed,
            PhaseError::BalanceOverflow(_) => SystemCallFault::Overflow,
        };
        InvalidBlock::SystemCall(message, fault).into()
    }
}

impl From<DepositError> for ExecuteError {
    fn from(error: DepositError) -> Self {
        InvalidBlock::from(error).into()
    }
}

impl From<HeaderError> for ExecuteError {
    fn from(error: HeaderError) -> Self {
        InvalidBlock::from(error).into()
    }
}

impl From<BodyError> for ExecuteError {
    fn from(error: BodyError) -> Self {
        InvalidBlock::from(error).into()
    }
}

impl From<StateError> for ExecuteError {
    fn from(error: StateError) -> Self {
        InternalError::from(error).into()
    }
}

impl From<TrieError> for ExecuteError {
    fn from(error: TrieError) -> Self {
        InternalError::from(error).into()
    }
}
