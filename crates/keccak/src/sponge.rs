//! The sponge around the permutation: blocks in, hashes out, for the inputs of one group of lanes.
//!
//! Keccak-256 is the sponge of FIPS 202, section 4, with a rate of 136 bytes and the padding of the original Keccak
//! submission (`0x01` instead of SHA-3's `0x06`).
#![expect(unsafe_code, reason = "the constructors of `Lanes`")]

use crate::RATE;
use crate::batch;
use crate::permutation::{Lanes, RATE_WORDS, permute};
use alloy_primitives::B256;

/// The hashes of `L` inputs. It takes as many permutations as the longest has blocks.
///
/// # Safety
/// The processor must have the instruction set of `V`.
#[inline(always)]
pub(crate) unsafe fn hash<const L: usize, V: Lanes<L>>(inputs: &[&[u8]; L]) -> [B256; L] {
    let mut blocks = [0; L];
    let mut blocks_max = 0;
    for i in 0..L {
        blocks[i] = batch::blocks(inputs[i]);
        blocks_max = blocks_max.max(blocks[i]);
    }

    let mut hashes = [B256::ZERO; L];
    let mut rests = *inputs;
    // SAFETY: the caller's promise.
    let mut state = [unsafe { V::zero() }; 25];
    for block in 0..blocks_max {
        // A lane that is done goes on with its last block; its hash has been taken.
        for i in 0..L {
            rests[i] = inputs[i].get(RATE * block..).unwrap_or(rests[i]);
        }
        // SAFETY: the caller's promise.
        let words = unsafe { V::load(&rests) };
        for i in 0..RATE_WORDS {
            state[i] = state[i].xor(words[i]);
        }
        permute(&mut state);
        if blocks.contains(&(block + 1)) {
            let squeezed = V::squeeze([state[0], state[1], state[2], state[3]]);
            for i in 0..L {
                if blocks[i] == block + 1 {
                    hashes[i] = squeezed[i];
                }
            }
        }
    }
    hashes
}

/// The hashes of `L` inputs of one block each. Of arrays the compiler settles all masks and drops the words that are always zero.
///
/// # Safety
/// The processor must have the instruction set of `V`.
#[inline(always)]
pub(crate) unsafe fn hash_short<const L: usize, T: AsRef<[u8]>, V: Lanes<L>>(inputs: &[T; L]) -> [B256; L] {
    let mut rests: [&[u8]; L] = [&[]; L];
    for i in 0..L {
        rests[i] = inputs[i].as_ref();
    }
    // SAFETY: the caller's promise.
    let (zero, words) = unsafe { (V::zero(), V::load(&rests)) };
    let mut state = [zero; 25];
    state[..RATE_WORDS].copy_from_slice(&words);
    permute(&mut state);
    V::squeeze([state[0], state[1], state[2], state[3]])
}

/// Hashes at least one and at most `L` inputs of one block each.
///
/// # Safety
/// The processor must have the instruction set of `V`.
#[inline(always)]
pub(crate) unsafe fn hash_short_some<const L: usize, T: AsRef<[u8]> + Copy, V: Lanes<L>>(
    inputs: &[T],
    hashes: &mut [B256],
) {
    // As in `hash_places`.
    let mut group = [inputs[0]; L];
    group[..inputs.len()].copy_from_slice(inputs);
    // SAFETY: the caller's promise.
    let hashed = unsafe { hash_short::<L, T, V>(&group) };
    hashes.copy_from_slice(&hashed[..hashes.len()]);
}

/// Hashes `inputs[i]` for all `i` of `order`, at least one and at most `L`, into `hashes[i]`.
///
/// # Safety
/// The processor must have the instruction set of `V`.
#[inline(always)]
pub(crate) unsafe fn hash_places<const L: usize, V: Lanes<L>>(inputs: &[&[u8]], order: &[u8], hashes: &mut [B256]) {
    // Lanes left over repeat the first input: empty slices would point to no memory, and a masked load from there takes
    // ten times as long although it reads nothing.
    let mut group = [inputs[order[0] as usize]; L];
    for (lane, &place) in group.iter_mut().zip(order) {
        *lane = inputs[place as usize];
    }
    // SAFETY: the caller's promise.
    let hashed = unsafe { hash::<L, V>(&group) };
    for (&place, hash) in order.iter().zip(hashed) {
        hashes[place as usize] = hash;
    }
}
