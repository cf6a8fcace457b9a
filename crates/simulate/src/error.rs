//! Why a question has no answer.

use std::time::Duration;

use alloy_primitives::{Address, Bytes, U256};
use balsa_evm::{Fault, InvalidTransaction, PhaseError, TransactError, Transaction};
use balsa_state::StateError;
use thiserror::Error;

use crate::{OverrideError, Refusal, RequestError, fault_text, revert_message};

/// A call did not give an answer.
#[derive(Clone, Debug, Error)]
pub enum CallError {
    /// The request is no transaction.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The overrides do not fit the block, or each other.
    #[error(transparent)]
    Override(#[from] OverrideError),
    /// The transaction may not stand in the block.
    #[error("{0}")]
    Refused(Box<Refusal>),
    /// The sender cannot pay for what the estimate would need at least.
    #[error("insufficient funds for transfer")]
    InsufficientFunds,
    /// The call reverted.
    #[error("{}", revert_message(.0))]
    Reverted(Bytes),
    /// The call halted.
    #[error("{}", fault_text(*.0))]
    Halted(Fault),
    /// No gas limit within the allowance is enough.
    #[error("gas required exceeds allowance ({0})")]
    Allowance(u64),
    /// Lists that a run makes with the help of the last list do not settle.
    #[error("the access list does not settle in {0} rounds")]
    Unsettled(usize),
    /// The answer took too long.
    #[error("execution aborted (timeout = {0:?})")]
    TimedOut(Duration),
    /// State could not be read.
    #[error(transparent)]
    State(#[from] StateError),
    /// The interpreter gave up for a reason of its own.
    #[error("interpreter: {0}")]
    Internal(String),
}

impl CallError {
    /// The JSON-RPC error code.
    pub fn code(&self) -> i32 {
        match self {
            Self::Reverted(_) => 3,
            Self::State(_) | Self::Internal(_) => -32603,
            _ => -32000,
        }
    }

    /// What goes with it: what the call reverted with.
    pub fn data(&self) -> Option<&Bytes> {
        match self {
            Self::Reverted(data) => Some(data),
            _ => None,
        }
    }

    pub(crate) fn refused(
        reason: InvalidTransaction,
        transaction: &Transaction,
        sender: Address,
        base_fee: u64,
    ) -> Self {
        Self::Refused(Box::new(Refusal::new(reason, transaction, sender, base_fee)))
    }

    pub(crate) fn transact(error: TransactError, transaction: &Transaction, sender: Address, base_fee: u64) -> Self {
        match error {
            TransactError::Invalid(reason) => Self::refused(reason, transaction, sender, base_fee),
            TransactError::State(error) => error.into(),
            TransactError::Internal(message) => Self::Internal(message),
        }
    }
}

/// Blocks could not be simulated.
#[derive(Clone, Debug, Error)]
pub enum SimulateError {
    /// Nothing was asked for.
    #[error("empty input")]
    Empty,
    /// More blocks than are simulated at once.
    #[error("too many blocks")]
    TooManyBlocks,
    /// More calls than are simulated at once.
    #[error("too many calls: {count} > {max}")]
    TooManyCalls {
        /// Asked for.
        count: usize,
        /// The limit.
        max: usize,
    },
    /// Numbers must rise.
    #[error("block numbers must be in order: {number} <= {previous}")]
    NumberOrder {
        /// Of the block.
        number: U256,
        /// Of the block before it.
        previous: u64,
    },
    /// Time must pass.
    #[error("block timestamps must be in order: {timestamp} <= {previous}")]
    TimestampOrder {
        /// Of the block.
        timestamp: u64,
        /// Of the block before it.
        previous: u64,
    },
    /// No number or timestamp comes after the last.
    #[error("block numbers or timestamps end at 2^64")]
    EndOfTime,
    /// The block has too little gas left.
    #[error("block gas limit reached: remaining: {remaining}, required: {required}")]
    BlockGas {
        /// What the block has left.
        remaining: u64,
        /// The call's gas limit.
        required: u64,
    },
    /// What the calls may use together is used up.
    #[error("RPC gas cap exhausted: need {need}, remaining {remaining}")]
    GasCap {
        /// What the call used.
        need: u64,
        /// What was left.
        remaining: u64,
    },
    /// A call could not be run.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The protocol's own calls in a block failed.
    #[error(transparent)]
    Phase(#[from] PhaseError),
    /// A log of the deposit contract is no deposit.
    #[error(transparent)]
    Deposit(#[from] balsa_evm::DepositError),
    /// The root could not be computed.
    #[error("trie: {0}")]
    Trie(String),
}

impl SimulateError {
    /// The JSON-RPC error code
    /// ([execution-apis](https://github.com/ethereum/execution-apis/blob/main/src/eth/execute.yaml)).
    pub fn code(&self) -> i32 {
        match self {
            Self::Empty => -32602,
            Self::TooManyBlocks | Self::TooManyCalls { .. } | Self::GasCap { .. } => -38026,
            Self::NumberOrder { .. } | Self::EndOfTime => -38020,
            Self::TimestampOrder { .. } => -38021,
            Self::BlockGas { .. } => -38015,
            Self::Call(CallError::Refused(refusal)) => refusal.simulate_code(),
            Self::Call(CallError::Override(OverrideError::MovedToItself(_))) => -38022,
            Self::Call(CallError::TimedOut(_)) => -32016,
            Self::Call(error) => error.code(),
            Self::Phase(_) | Self::Deposit(_) | Self::Trie(_) => -32603,
        }
    }

    /// What goes with it.
    pub fn data(&self) -> Option<&Bytes> {
        match self {
            Self::Call(error) => error.data(),
            _ => None,
        }
    }
}

impl From<StateError> for SimulateError {
    fn from(error: StateError) -> Self {
        Self::Call(error.into())
    }
}

impl From<OverrideError> for SimulateError {
    fn from(error: OverrideError) -> Self {
        Self::Call(error.into())
    }
}
