//! Hashing many inputs in one call.

use crate::keccak256;
use alloy_primitives::B256;

/// Hashes each of `inputs`, all `N` bytes long (20 for addresses, 32 for slots), into the same place of `hashes`.
///
/// # Panics
/// If the two slices differ in length.
pub fn keccak256_fixed<const N: usize>(inputs: &[[u8; N]], hashes: &mut [B256]) {
    assert_eq!(inputs.len(), hashes.len(), "one place for each hash");
    for (input, hash) in inputs.iter().zip(hashes) {
        *hash = keccak256(input);
    }
}

/// Hashes each of `inputs`, of any lengths, into the same place of `hashes`.
///
/// # Panics
/// If the two slices differ in length.
pub fn keccak256_many(inputs: &[&[u8]], hashes: &mut [B256]) {
    assert_eq!(inputs.len(), hashes.len(), "one place for each hash");
    for (input, hash) in inputs.iter().zip(hashes) {
        *hash = keccak256(input);
    }
}
