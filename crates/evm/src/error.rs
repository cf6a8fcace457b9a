//! Why a transaction or a phase could not run.

use alloy_primitives::{Address, U256};
use balsa_state::StateError;
use thiserror::Error;

/// A transaction that may not stand in a block. One variant a rule.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InvalidTransaction {
    /// EIP-1559.
    #[error("priority fee is above the maximum fee")]
    PriorityFeeAboveMaxFee,
    /// EIP-1559.
    #[error("fee per gas is below the block's base fee")]
    FeeBelowBaseFee,
    /// The gas limit does not fit the block.
    #[error("gas limit is above the block's")]
    GasLimitAboveBlock,
    /// Yellow Paper, section 6: intrinsic gas.
    #[error("intrinsic gas {intrinsic} is above the gas limit {gas_limit}")]
    IntrinsicGas {
        /// Gas needed before execution.
        intrinsic: u64,
        /// The transaction's gas limit.
        gas_limit: u64,
    },
    /// EIP-7623, EIP-7976.
    #[error("floor gas {floor} is above the gas limit {gas_limit}")]
    FloorGas {
        /// Gas that the calldata costs at least.
        floor: u64,
        /// The transaction's gas limit.
        gas_limit: u64,
    },
    /// EIP-3607, with EIP-7702's exception for delegations.
    #[error("sender has code")]
    SenderHasCode,
    /// The sender cannot pay value and fees in full.
    #[error("sender's balance {balance} is below the maximum cost {cost}")]
    InsufficientFunds {
        /// Value, gas and blob gas at the maximum fees, wei.
        cost: U256,
        /// The sender's balance, wei.
        balance: U256,
    },
    /// Value and fees do not fit 256 bits.
    #[error("cost of the transaction overflows")]
    CostOverflow,
    /// EIP-2681.
    #[error("nonce is at its maximum")]
    NonceMax,
    /// Nonce ahead of the sender's.
    #[error("nonce {transaction} is too high, the sender's is {sender}")]
    NonceTooHigh {
        /// In the transaction.
        transaction: u64,
        /// In the state.
        sender: u64,
    },
    /// Nonce behind the sender's.
    #[error("nonce {transaction} is too low, the sender's is {sender}")]
    NonceTooLow {
        /// In the transaction.
        transaction: u64,
        /// In the state.
        sender: u64,
    },
    /// EIP-3860, EIP-7954.
    #[error("initcode is above the size limit")]
    InitcodeSize,
    /// EIP-155.
    #[error("chain id is not this chain's")]
    ChainId,
    /// EIP-7825.
    #[error("gas limit {gas_limit} is above the cap {cap}")]
    GasLimitAboveCap {
        /// The transaction's gas limit.
        gas_limit: u64,
        /// The most that a transaction may ask for.
        cap: u64,
    },
    /// The transaction's type is not known to the block's fork (EIP-2718).
    #[error("transaction type {transaction_type} is not active")]
    TypeNotActive {
        /// EIP-2718 type.
        transaction_type: u8,
    },
    /// EIP-4844.
    #[error("blob fee cap {max} is below the block's blob base fee {base}")]
    BlobFeeBelowBaseFee {
        /// wei per blob gas.
        base: u128,
        /// wei per blob gas.
        max: u128,
    },
    /// EIP-4844.
    #[error("blob transaction without blobs")]
    NoBlobs,
    /// EIP-4844.
    #[error("blob transaction creates a contract")]
    BlobCreate,
    /// EIP-4844, EIP-7594.
    #[error("{count} blobs are above the limit of {max} a transaction")]
    BlobCount {
        /// Blobs in the transaction.
        count: usize,
        /// The fork's limit.
        max: usize,
    },
    /// EIP-4844.
    #[error("versioned hash of unknown version")]
    BlobVersion,
    /// EIP-7702.
    #[error("set-code transaction without authorizations")]
    NoAuthorizations,
    /// EIP-7702.
    #[error("set-code transaction creates a contract")]
    AuthorizationCreate,
    /// A rule of the interpreter that has no name here.
    #[error("{0}")]
    Other(String),
}

/// A transaction did not run.
#[derive(Clone, Debug, Error)]
pub enum TransactError {
    /// The transaction may not stand here.
    #[error(transparent)]
    Invalid(#[from] InvalidTransaction),
    /// State could not be read, or the access list does not name what was reached.
    #[error(transparent)]
    State(#[from] StateError),
    /// The interpreter gave up for a reason of its own: our fault, never the block's.
    #[error("interpreter: {0}")]
    Internal(String),
}

/// The calls around the transactions failed.
#[derive(Clone, Debug, Error)]
pub enum PhaseError {
    /// A request predeploy has no code: the block is invalid (EIP-7002, EIP-7251, EIP-8282).
    #[error("system contract {0} has no code")]
    SystemContractEmpty(Address),
    /// A request predeploy's call failed: the block is invalid.
    #[error("call to system contract {address} failed: {reason}")]
    SystemContractFailed {
        /// The contract.
        address: Address,
        /// How it ended.
        reason: String,
    },
    /// A balance passed 2^256 - 1.
    #[error("credit to {0} overflows its balance")]
    BalanceOverflow(Address),
    /// State could not be read, or the access list does not name what was reached.
    #[error(transparent)]
    State(#[from] StateError),
    /// The interpreter gave up for a reason of its own.
    #[error("interpreter: {0}")]
    Internal(String),
}

impl From<TransactError> for PhaseError {
    fn from(error: TransactError) -> Self {
        match error {
            TransactError::State(error) => Self::State(error),
            TransactError::Invalid(invalid) => Self::Internal(invalid.to_string()),
            TransactError::Internal(message) => Self::Internal(message),
        }
    }
}
