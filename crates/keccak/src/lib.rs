//! Keccak-256, one input at a time and many at once.
//!
//! A Merkle-Patricia trie, the keys of the flat state and the roots of transactions and receipts are all hashed
//! with Keccak-256, and seldom one at a time. The batch functions here take all inputs of a level, a list or a block
//! in one call.
//!
//! Every function returns what [`alloy_primitives::keccak256`] returns.

mod batch;

pub use alloy_primitives::Keccak256;
pub use batch::{keccak256_fixed, keccak256_many};

use alloy_primitives::B256;

/// The Keccak-256 of one input.
#[inline]
pub fn keccak256(input: &[u8]) -> B256 {
    alloy_primitives::keccak256(input)
}
