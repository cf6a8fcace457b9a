//! Why a transaction is not taken. Texts begin with the words that users and tools know from geth.

use std::{
    io,
    path::{Path, PathBuf},
};

use alloy_primitives::{Address, U256};
use balsa_executor::SenderError;
use balsa_state::StateError;
use thiserror::Error;

/// A transaction is not taken into the pool. One variant a rule.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum PoolError {
    /// The bytes are no transaction.
    #[error("rlp: {0}")]
    Malformed(alloy_eips::eip2718::Eip2718Error),
    /// A blob transaction as it stands in blocks: nobody could publish its blobs.
    #[error("missing sidecar in blob transaction")]
    MissingSidecar,
    /// It is here already.
    #[error("already known")]
    AlreadyKnown,
    /// EIP-2718.
    #[error("transaction type not supported: type {transaction_type} rejected, pool not yet in {needs}")]
    TypeNotSupported {
        /// EIP-2718 type.
        transaction_type: u8,
        /// The fork that brings it.
        needs: balsa_chainspec::Fork,
    },
    /// The encoding is too long.
    #[error("oversized data: transaction size {bytes}, limit {max}")]
    Oversized {
        /// Of the encoding, without its sidecar.
        bytes: usize,
        /// The pool's limit.
        max: usize,
    },
    /// EIP-3860, EIP-7954.
    #[error("max initcode size exceeded: code size {bytes}, limit {max}")]
    InitcodeSize {
        /// Of the initcode.
        bytes: usize,
        /// The fork's limit.
        max: usize,
    },
    /// No block has room for it.
    #[error("exceeds block gas limit: gas {gas_limit}, block {block}")]
    GasLimitAboveBlock {
        /// The transaction's.
        gas_limit: u64,
        /// The head's.
        block: u64,
    },
    /// EIP-7825.
    #[error("transaction gas limit too high (cap: {cap}, tx: {gas_limit})")]
    GasLimitAboveCap {
        /// The transaction's.
        gas_limit: u64,
        /// The fork's.
        cap: u64,
    },
    /// EIP-1559.
    #[error("max priority fee per gas higher than max fee per gas: tip {priority_fee}, fee cap {max_fee}")]
    PriorityFeeAboveMaxFee {
        /// wei a gas.
        priority_fee: u128,
        /// wei a gas.
        max_fee: u128,
    },
    /// EIP-155: signed for another chain.
    #[error("invalid chain id for signer: have {found} want {expected}")]
    ChainId {
        /// The transaction's.
        found: u64,
        /// Ours.
        expected: u64,
    },
    /// EIP-155: a signature that holds on every chain.
    #[error("only replay-protected (EIP-155) transactions allowed over RPC")]
    NotReplayProtected,
    /// The signature names nobody.
    #[error("invalid sender: {0}")]
    InvalidSender(SenderError),
    /// EIP-2681.
    #[error("nonce has max value: {0}")]
    NonceMax(Address),
    /// Yellow Paper, section 6; EIP-2028, 2930, 3860, 7702, 2780.
    #[error("intrinsic gas too low: gas {gas_limit}, minimum needed {needed}")]
    IntrinsicGas {
        /// The transaction's.
        gas_limit: u64,
        /// What it costs before its first instruction.
        needed: u64,
    },
    /// EIP-7623, EIP-7976.
    #[error("insufficient gas for floor data gas cost: gas {gas_limit}, minimum needed {needed}")]
    FloorGas {
        /// The transaction's.
        gas_limit: u64,
        /// What its data costs at least.
        needed: u64,
    },
    /// The priority fee is below the pool's least.
    #[error("transaction gas price below minimum: gas tip cap {priority_fee}, minimum needed {min}")]
    PriorityFeeBelowMinimum {
        /// wei a gas.
        priority_fee: u128,
        /// wei a gas.
        min: u128,
    },
    /// EIP-4844.
    #[error("transaction gas price below minimum: blob fee cap {max_fee}, minimum needed 1")]
    BlobFeeBelowMinimum {
        /// wei a blob gas.
        max_fee: u128,
    },
    /// EIP-4844.
    #[error("blobless blob transaction")]
    NoBlobs,
    /// EIP-4844, EIP-7594.
    #[error("transaction blob limit exceeded: blob count {count}, limit {max}")]
    BlobCount {
        /// In the transaction.
        count: usize,
        /// The fork's limit.
        max: usize,
    },
    /// EIP-7594: proofs of cells from Osaka on, of blobs before.
    #[error("Wrong sidecar format: unexpected sidecar version, want: {expected}, got: {found}")]
    SidecarVersion {
        /// 1 with cell proofs.
        found: u8,
        /// What the fork asks for.
        expected: u8,
    },
    /// Blobs, commitments, proofs and versioned hashes do not belong together.
    #[error("KZG verification error: {0}")]
    Sidecar(String),
    /// EIP-7702.
    #[error("set code tx must have at least one authorization tuple")]
    NoAuthorizations,
    /// EIP-3607.
    #[error("sender not an eoa: address {0}")]
    SenderNotEoa(Address),
    /// Used before.
    #[error("nonce too low: next nonce {next}, tx nonce {nonce}")]
    NonceTooLow {
        /// The account's.
        next: u64,
        /// The transaction's.
        nonce: u64,
    },
    /// A blob transaction may not wait for others.
    #[error("nonce too high: tx nonce {nonce}, gapped nonce {gap}")]
    NonceTooHigh {
        /// The transaction's.
        nonce: u64,
        /// The first that is missing.
        gap: u64,
    },
    /// The sender cannot pay for it together with those before it.
    #[error(
        "insufficient funds for gas * price + value: balance {balance}, tx cost {cost}, overshot {}",
        .cost.saturating_sub(*.balance)
    )]
    InsufficientFunds {
        /// Value and fees at their maximum, of it and those before it, in wei.
        cost: U256,
        /// The account's, in wei.
        balance: U256,
    },
    /// Value and fees do not fit 256 bits.
    #[error("insufficient funds for gas * price + value: cost overflows 256 bits")]
    CostOverflow,
    /// Too many of one sender.
    #[error("account limit exceeded: pooled {count} txs")]
    AccountLimit {
        /// Transactions, or queued ones, that the sender has.
        count: usize,
    },
    /// A sender's transactions have blobs, or none has: the two compete under different rules.
    #[error("address already reserved")]
    AddressReserved,
    /// EIP-7702: one at a time where a delegation can move the funds.
    #[error("in-flight transaction limit reached for delegated accounts")]
    DelegatedLimit,
    /// The one that it would replace offers nearly as much.
    #[error(
        "replacement transaction underpriced: new fee cap {max_fee} and tip {priority_fee}, needs {max_fee_min} and {priority_fee_min}"
    )]
    ReplacementUnderpriced {
        /// wei a gas.
        max_fee: u128,
        /// wei a gas.
        priority_fee: u128,
        /// wei a gas.
        max_fee_min: u128,
        /// wei a gas.
        priority_fee_min: u128,
    },
    /// The blob transaction that it would replace offers nearly as much for its blobs.
    #[error("replacement transaction underpriced: new blob fee cap {max_fee}, needs {max_fee_min}")]
    ReplacementBlobUnderpriced {
        /// wei a blob gas.
        max_fee: u128,
        /// wei a blob gas.
        max_fee_min: u128,
    },
    /// The pool is full of better ones.
    #[error("transaction underpriced")]
    Underpriced,
    /// State could not be read: says nothing about the transaction.
    #[error("state: {0}")]
    State(#[from] StateError),
}

impl PoolError {
    /// The JSON-RPC error code: as geth, -32000 for all that is about the transaction.
    pub fn code(&self) -> i32 {
        match self {
            Self::State(_) => -32603,
            _ => -32000,
        }
    }
}

/// The journal could not be used. The pool goes on without.
#[derive(Debug, Error)]
#[error("{path}: cannot {action} the journal: {source}", path = path.display())]
pub struct JournalError {
    /// The file.
    pub path: PathBuf,
    /// What was tried.
    pub action: &'static str,
    /// The system's words.
    pub source: io::Error,
}

impl JournalError {
    pub(crate) fn new(path: &Path, action: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self { path: path.into(), action, source }
    }
}
