//! What can go wrong when state is read.

use std::sync::Arc;

use alloy_primitives::{Address, B256, U256};
use thiserror::Error;

/// A read of state failed.
///
/// [`UnlistedAccount`](Self::UnlistedAccount) and [`UnlistedSlot`](Self::UnlistedSlot) speak about the block's access
/// list; the others speak about this node and never about a block.
#[derive(Clone, Debug, Error)]
pub enum StateError {
    /// The store could not answer: disk, format, or engine failure.
    #[error("state store: {0}")]
    Store(Arc<dyn std::error::Error + Send + Sync>),
    /// An account names code that the store does not hold: the database is damaged.
    #[error("code {0} is missing from the store")]
    MissingCode(B256),
    /// `BLOCKHASH` needed an ancestor that is not known.
    #[error("hash of ancestor block {0} is not known")]
    MissingBlockHash(u64),
    /// Execution reached an account that the access list does not name (EIP-7928).
    #[error("account {0} is not in the block access list")]
    UnlistedAccount(Address),
    /// Execution reached a slot that the access list does not name (EIP-7928).
    #[error("slot {slot:#x} of account {address} is not in the block access list")]
    UnlistedSlot {
        /// The account.
        address: Address,
        /// The slot.
        slot: U256,
    },
}

impl StateError {
    /// Wraps an engine's error.
    pub fn store(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Store(Arc::new(error))
    }

    /// Whether the error is about the access list rather than about this node.
    pub fn is_unlisted(&self) -> bool {
        matches!(self, Self::UnlistedAccount(_) | Self::UnlistedSlot { .. })
    }
}
