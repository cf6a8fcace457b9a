//! Keccak-256, one input at a time and many at once.
//!
//! A Merkle-Patricia trie, the keys of the flat state and the roots of transactions and receipts are all hashed
//! with Keccak-256, and seldom one at a time. The batch functions take all inputs of a trie level, an access list or
//! a block in one call and hash 8 of them side by side with AVX-512, 4 with AVX2, and one after the other elsewhere;
//! which of these is looked up at run time. All of them return what [`alloy_primitives::keccak256`] returns.
//!
//! | module        | what it knows                                                          |
//! |---------------|------------------------------------------------------------------------|
//! | `backend`     | the instruction sets, and how many lanes to use for how many inputs     |
//! | `batch`       | which inputs go side by side, so that lanes stay full                  |
//! | `sponge`      | blocks, and which lane is done when                                    |
//! | `permutation` | Keccak-f\[1600\] on several states, written once for all registers     |
//! | `avx512`, `avx2` | the registers: loading, the round's operations, storing            |
//!
//! This is the one crate of the core in which `unsafe` is expected, for the intrinsics.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod backend;
mod batch;
#[cfg(target_arch = "x86_64")]
mod permutation;
#[cfg(target_arch = "x86_64")]
mod sponge;
#[cfg(target_arch = "x86_64")]
mod transpose;

pub use alloy_primitives::Keccak256;
pub use backend::Backend;

use alloy_primitives::B256;

/// Bytes of input taken in by one permutation.
const RATE: usize = 136;

/// The Keccak-256 of one input.
#[inline]
pub fn keccak256(input: &[u8]) -> B256 {
    alloy_primitives::keccak256(input)
}

/// Hashes each of `inputs`, all `N` bytes long (20 for addresses, 32 for slots), into the same place of `hashes`.
/// `N` must be less than 136, the bytes in a block: longer inputs do not compile.
///
/// # Panics
/// If the two slices differ in length.
pub fn keccak256_fixed<const N: usize>(inputs: &[[u8; N]], hashes: &mut [B256]) {
    Backend::detected().keccak256_fixed(inputs, hashes);
}

/// Hashes each of `inputs`, all of less than 136 bytes, the bytes in a block, into the same place of `hashes`. The same as
/// [`keccak256_many`], which would first look which inputs have the same number of blocks.
///
/// # Panics
/// If the two slices differ in length, or an input is too long.
pub fn keccak256_short(inputs: &[&[u8]], hashes: &mut [B256]) {
    Backend::detected().keccak256_short(inputs, hashes);
}

/// Hashes each of `inputs`, of any lengths in any order, into the same place of `hashes`.
///
/// # Panics
/// If the two slices differ in length.
pub fn keccak256_many<T: AsRef<[u8]>>(inputs: &[T], hashes: &mut [B256]) {
    Backend::detected().keccak256_many(inputs, hashes);
}
