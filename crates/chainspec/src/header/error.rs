//! Why a header is refused: one variant per rule, each with the value found and the one that bounds it.

use crate::Fork;
use alloy_primitives::{B64, B256, Bytes, U256};
use std::fmt;

/// The rule that a header breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the fields of a variant are the values in its message")]
pub enum HeaderError {
    /// The number is not the parent's plus one.
    #[error("block number {found} does not follow the parent's number {parent}")]
    Number { parent: u64, found: u64 },
    /// The timestamp, in seconds, is not after the parent's.
    #[error("timestamp {found} is not after the parent's timestamp {parent}")]
    Timestamp { parent: u64, found: u64 },
    /// The extra data is too long; lengths in bytes.
    #[error("extra data of {found} bytes is longer than {max} bytes")]
    ExtraDataTooLong { found: usize, max: usize },
    /// The extra data must, or must not, be that of the DAO fork.
    #[error("extra data {found} {} be that of the DAO fork", if *expected { "must" } else { "must not" })]
    ExtraDataDao { found: Bytes, expected: bool },
    /// A field is missing that this fork's headers have.
    #[error("header field {field} is missing, which {fork} requires")]
    MissingField { field: HeaderField, fork: Fork },
    /// A field is there that this fork's headers do not have.
    #[error("header field {field} is present, which {fork} does not know")]
    UnexpectedField { field: HeaderField, fork: Fork },
    /// The proof-of-work difficulty is not the one that the parent asks for.
    #[error("difficulty {found} does not match the expected {expected}")]
    Difficulty { expected: U256, found: U256 },
    /// A proof-of-stake block claims a difficulty.
    #[error("difficulty {found} of a proof-of-stake block is not zero")]
    DifficultyAfterMerge { found: U256 },
    /// A proof-of-stake block has a nonce.
    #[error("nonce {found} of a proof-of-stake block is not zero")]
    NonceAfterMerge { found: B64 },
    /// A proof-of-stake block has ommers.
    #[error("ommers hash {found} of a proof-of-stake block is not that of the empty list")]
    OmmersAfterMerge { found: B256 },
    /// The gas limit exceeds the highest one.
    #[error("gas limit {found} is above {max}")]
    GasLimitTooHigh { found: u64, max: u64 },
    /// The gas limit falls below the lowest one.
    #[error("gas limit {found} is below {min}")]
    GasLimitTooLow { found: u64, min: u64 },
    /// The gas limit moves too far; `base` is the parent's, doubled at the London block.
    #[error("gas limit {found} is 1/1024 or more away from {base}")]
    GasLimitStep { base: u64, found: u64 },
    /// More gas is used than the limit allows.
    #[error("gas used {found} is above the gas limit {gas_limit}")]
    GasUsedAboveLimit { gas_limit: u64, found: u64 },
    /// The base fee, in wei, is not the one that the parent asks for.
    #[error("base fee {found} does not match the expected {expected}")]
    BaseFee { expected: u64, found: u64 },
    /// More blob gas is used than the limit allows.
    #[error("blob gas used {found} is above the limit {max}")]
    BlobGasUsedAboveLimit { found: u64, max: u64 },
    /// The blob gas used is not that of a whole number of blobs.
    #[error("blob gas used {found} is not a multiple of the {per_blob} of a blob")]
    BlobGasUsedNotWhole { found: u64, per_blob: u64 },
    /// The excess blob gas is not the one that the parent asks for.
    #[error("excess blob gas {found} does not match the expected {expected}")]
    ExcessBlobGas { expected: u64, found: u64 },
    /// The slot number is not after the parent's.
    #[error("slot number {found} is not after the parent's slot number {parent}")]
    SlotNumber { parent: u64, found: u64 },
}

impl HeaderError {
    /// The name of this rule's exception in the official test suites.
    pub const fn exception_name(&self) -> &'static str {
        match self {
            Self::Number { .. } => "BlockException.INVALID_BLOCK_NUMBER",
            Self::Timestamp { .. } => "BlockException.INVALID_BLOCK_TIMESTAMP_OLDER_THAN_PARENT",
            Self::ExtraDataTooLong { .. } => "BlockException.EXTRA_DATA_TOO_BIG",
            Self::ExtraDataDao { .. } => "BlockException.EXTRA_DATA_INVALID_DAO",
            Self::MissingField { field: HeaderField::BaseFeePerGas, .. } => "BlockException.IMPORT_IMPOSSIBLE_LEGACY",
            Self::MissingField { field: HeaderField::WithdrawalsRoot, .. } => {
                "BlockException.IMPORT_IMPOSSIBLE_PARIS_OVER_SHANGHAI"
            }
            Self::UnexpectedField { field: HeaderField::BaseFeePerGas, .. } => {
                "BlockException.IMPORT_IMPOSSIBLE_LONDON_WRONG_PARENT"
            }
            Self::UnexpectedField { field: HeaderField::WithdrawalsRoot, .. } => {
                "BlockException.IMPORT_IMPOSSIBLE_SHANGHAI"
            }
            Self::MissingField { .. }
            | Self::UnexpectedField { .. }
            | Self::NonceAfterMerge { .. }
            | Self::SlotNumber { .. } => "BlockException.INCORRECT_BLOCK_FORMAT",
            Self::Difficulty { .. } => "BlockException.INVALID_DIFFICULTY",
            Self::DifficultyAfterMerge { .. } => "BlockException.IMPORT_IMPOSSIBLE_DIFFICULTY_OVER_PARIS",
            Self::OmmersAfterMerge { .. } => "BlockException.IMPORT_IMPOSSIBLE_UNCLES_OVER_PARIS",
            Self::GasLimitTooHigh { .. } => "BlockException.GASLIMIT_TOO_BIG",
            Self::GasLimitTooLow { .. } | Self::GasLimitStep { .. } => "BlockException.INVALID_GASLIMIT",
            Self::GasUsedAboveLimit { .. } => "BlockException.INVALID_GAS_USED_ABOVE_LIMIT",
            Self::BaseFee { .. } => "BlockException.INVALID_BASEFEE_PER_GAS",
            Self::BlobGasUsedAboveLimit { .. } => "BlockException.BLOB_GAS_USED_ABOVE_LIMIT",
            Self::BlobGasUsedNotWhole { .. } => "BlockException.INCORRECT_BLOB_GAS_USED",
            Self::ExcessBlobGas { .. } => "BlockException.INCORRECT_EXCESS_BLOB_GAS",
        }
    }
}

/// A header field that came with a fork.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the header's fields")]
pub enum HeaderField {
    BaseFeePerGas,
    WithdrawalsRoot,
    BlobGasUsed,
    ExcessBlobGas,
    ParentBeaconBlockRoot,
    RequestsHash,
    BlockAccessListHash,
    SlotNumber,
}

impl fmt::Display for HeaderField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BaseFeePerGas => "base_fee_per_gas",
            Self::WithdrawalsRoot => "withdrawals_root",
            Self::BlobGasUsed => "blob_gas_used",
            Self::ExcessBlobGas => "excess_blob_gas",
            Self::ParentBeaconBlockRoot => "parent_beacon_block_root",
            Self::RequestsHash => "requests_hash",
            Self::BlockAccessListHash => "block_access_list_hash",
            Self::SlotNumber => "slot_number",
        })
    }
}
