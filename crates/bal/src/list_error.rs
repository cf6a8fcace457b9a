//! What can be wrong with a list by itself, before anything is executed.

use crate::RlpError;
use alloy_primitives::{Address, U256};
use std::fmt;

/// A rule of EIP-7928 that the bytes of a list break. One variant a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    /// The bytes are more than offsets of 32 bits can name.
    #[error("a list of {size} bytes")]
    TooLarge {
        /// Bytes of the list.
        size: usize,
    },
    /// Not canonical RLP of the list's shape.
    #[error("not canonical RLP: {0}")]
    Rlp(#[from] RlpError),
    /// An account after one with a greater address.
    #[error("account {address} stands after {previous}")]
    AccountOrder {
        /// The account before it.
        previous: Address,
        /// The account out of order.
        address: Address,
    },
    /// An account twice.
    #[error("account {address} stands twice")]
    DuplicateAccount {
        /// The account.
        address: Address,
    },
    /// A slot after a greater one in the same field.
    #[error("account {address}: slot {slot:#x} stands after {previous:#x} in {field}")]
    SlotOrder {
        /// The account.
        address: Address,
        /// `storage_changes` or `storage_reads`.
        field: Field,
        /// The slot before it.
        previous: U256,
        /// The slot out of order.
        slot: U256,
    },
    /// A slot twice in the same field.
    #[error("account {address}: slot {slot:#x} stands twice in {field}")]
    DuplicateSlot {
        /// The account.
        address: Address,
        /// `storage_changes` or `storage_reads`.
        field: Field,
        /// The slot.
        slot: U256,
    },
    /// A slot in both the changes and the reads of its account.
    #[error("account {address}: slot {slot:#x} is both changed and read")]
    SlotChangedAndRead {
        /// The account.
        address: Address,
        /// The slot.
        slot: U256,
    },
    /// A changed slot without a change.
    #[error("account {address}: slot {slot:#x} has no change")]
    EmptySlotChanges {
        /// The account.
        address: Address,
        /// The slot.
        slot: U256,
    },
    /// A change after one with a greater index.
    #[error("account {address}: {field} has index {index} after {previous}")]
    IndexOrder {
        /// The account.
        address: Address,
        /// The field of the change.
        field: Field,
        /// The index before it.
        previous: u32,
        /// The index out of order.
        index: u32,
    },
    /// Two changes of one thing at one index.
    #[error("account {address}: {field} has index {index} twice")]
    DuplicateIndex {
        /// The account.
        address: Address,
        /// The field of the change.
        field: Field,
        /// The index.
        index: u32,
    },
    /// An index that the block does not have.
    #[error("account {address}: {field} has index {index}, the block's last is {index_max}")]
    IndexBeyondBlock {
        /// The account.
        address: Address,
        /// The field of the change.
        field: Field,
        /// The index.
        index: u32,
        /// The block's last index: transactions + 1.
        index_max: u32,
    },
    /// A code larger than any that can be deployed.
    #[error("account {address}: code of {size} bytes at index {index}, {size_max} are the most")]
    CodeTooLarge {
        /// The account.
        address: Address,
        /// The index of the change.
        index: u32,
        /// Bytes of the code.
        size: usize,
        /// The most that the fork allows.
        size_max: usize,
    },
    /// More addresses and storage keys than the block's gas pays for.
    #[error("{items} items, the gas limit allows {items_max}")]
    TooManyItems {
        /// Addresses plus storage keys.
        items: u64,
        /// Gas limit / item cost.
        items_max: u64,
    },
}

impl ListError {
    /// The official test suites' name for the class of this error (`BlockException.*`).
    pub fn exception_name(&self) -> &'static str {
        match self {
            // The suites have a class of its own for an account that stands twice, and none for bytes that are not
            // RLP; the same class says it best.
            Self::TooLarge { .. } | Self::Rlp(_) | Self::DuplicateAccount { .. } => "INCORRECT_BLOCK_FORMAT",
            Self::TooManyItems { .. } => "BLOCK_ACCESS_LIST_GAS_LIMIT_EXCEEDED",
            _ => "INVALID_BLOCK_ACCESS_LIST",
        }
    }
}

/// A field of `AccountChanges` that holds changes or reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// `storage_changes`, or one slot of them.
    StorageChanges,
    /// `storage_reads`.
    StorageReads,
    /// `balance_changes`.
    BalanceChanges,
    /// `nonce_changes`.
    NonceChanges,
    /// `code_changes`.
    CodeChanges,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::StorageChanges => "storage_changes",
            Self::StorageReads => "storage_reads",
            Self::BalanceChanges => "balance_changes",
            Self::NonceChanges => "nonce_changes",
            Self::CodeChanges => "code_changes",
        })
    }
}
