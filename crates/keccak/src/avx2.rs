//! AVX2: four states in 256-bit registers.
//!
//! With 16 registers most of the 25 words live on the stack, and a rotation is two shifts and an or.
#![expect(unsafe_code, reason = "intrinsics; sound by the witness rule of `Lanes`")]

use crate::keccak256;
use crate::permutation::{Lanes, RATE_WORDS};
use crate::transpose::transpose;
use crate::{RATE, sponge};
use alloy_primitives::B256;
use std::arch::x86_64::*;

/// Hashes `inputs[i]` into `hashes[i]` for every `i` of `order`, neighbours of `order` side by side.
#[target_feature(enable = "avx2")]
pub(crate) fn hash_in_order(inputs: &[&[u8]], order: &[u8], hashes: &mut [B256]) {
    for order in order.chunks(4) {
        match *order {
            // Four lanes take longer than one input in the scalar code, but not than two.
            [place] => hashes[place as usize] = keccak256(inputs[place as usize]),
            // SAFETY: this function is only entered where the processor has the instructions.
            _ => unsafe { sponge::hash_places::<4, Four>(inputs, order, hashes) },
        }
    }
}

/// Hashes each of `inputs`, of one block each, into the same place of `hashes`.
#[target_feature(enable = "avx2")]
pub(crate) fn hash_short<T: AsRef<[u8]> + Copy>(inputs: &[T], hashes: &mut [B256]) {
    let (groups, inputs_left) = inputs.as_chunks::<4>();
    let (hashed, hashes_left) = hashes.as_chunks_mut::<4>();
    // SAFETY: this function is only entered where the processor has the instructions.
    unsafe {
        for (group, hashes) in groups.iter().zip(hashed) {
            *hashes = sponge::hash_short::<4, T, Four>(group);
        }
        match inputs_left {
            [] => {}
            [input] => hashes_left[0] = keccak256(input.as_ref()),
            _ => sponge::hash_short_some::<4, T, Four>(inputs_left, hashes_left),
        }
    }
}

/// One word of four states.
#[derive(Clone, Copy)]
struct Four(__m256i);

// SAFETY, of every block below: a value exists, or the caller of a constructor promised, so the processor has AVX2.
impl Lanes<4> for Four {
    #[inline(always)]
    unsafe fn zero() -> Self {
        // SAFETY: see above.
        Self(unsafe { _mm256_setzero_si256() })
    }

    #[inline(always)]
    unsafe fn load(rests: &[&[u8]; 4]) -> [Self; RATE_WORDS] {
        // A whole block is read where it lies; a last one is copied behind its padding.
        let mut copies = Aligned([[0; RATE]; 4]);
        let mut blocks = [&[0; RATE]; 4];
        for ((block, copy), rest) in blocks.iter_mut().zip(&mut copies.0).zip(rests) {
            *block = match rest.first_chunk() {
                Some(whole) => whole,
                None => padded(copy, rest),
            };
        }
        // SAFETY: see above; 32 bytes at `32 * part` and 8 at 128 lie within the 136 of a block.
        unsafe {
            let mut words = [Self::zero(); RATE_WORDS];
            for part in 0..4 {
                let mut rows = [_mm256_setzero_si256(); 4];
                for (row, block) in rows.iter_mut().zip(blocks) {
                    *row = _mm256_loadu_si256(block.as_ptr().add(32 * part).cast());
                }
                let columns = transpose(rows);
                for (word, column) in words[4 * part..].iter_mut().zip(columns) {
                    *word = Self(column);
                }
            }
            let mut last = [0; 4];
            for (word, block) in last.iter_mut().zip(blocks) {
                *word = block.as_ptr().add(128).cast::<i64>().read_unaligned();
            }
            let [a, b, c, d] = last;
            words[16] = Self(_mm256_setr_epi64x(a, b, c, d));
            words
        }
    }

    #[inline(always)]
    fn squeeze([a, b, c, d]: [Self; 4]) -> [B256; 4] {
        let mut hashes = [B256::ZERO; 4];
        // SAFETY: see above; each place has the 32 bytes that are stored.
        unsafe {
            let rows = transpose([a.0, b.0, c.0, d.0]);
            for (hash, row) in hashes.iter_mut().zip(rows) {
                _mm256_storeu_si256(hash.as_mut_ptr().cast(), row);
            }
        }
        hashes
    }

    #[inline(always)]
    fn xor(self, b: Self) -> Self {
        // SAFETY: see above.
        Self(unsafe { _mm256_xor_si256(self.0, b.0) })
    }

    #[inline(always)]
    fn xor3(self, b: Self, c: Self) -> Self {
        self.xor(b).xor(c)
    }

    #[inline(always)]
    fn chi(self, b: Self, c: Self) -> Self {
        // SAFETY: see above.
        Self(unsafe { _mm256_xor_si256(self.0, _mm256_andnot_si256(b.0, c.0)) })
    }

    #[inline(always)]
    fn rotate_left<const LEFT: i32, const RIGHT: i32>(self) -> Self {
        // SAFETY: see above.
        Self(unsafe { _mm256_or_si256(_mm256_slli_epi64::<LEFT>(self.0), _mm256_srli_epi64::<RIGHT>(self.0)) })
    }

    #[inline(always)]
    fn xor_constant(self, constant: u64) -> Self {
        // SAFETY: see above.
        Self(unsafe { _mm256_xor_si256(self.0, _mm256_set1_epi64x(constant.cast_signed())) })
    }
}

/// On a boundary of 32 bytes. It is here for its neighbours: with an aligned variable in the frame, the compiler also
/// aligns the registers it saves there, and each round saves most of the state. A save across two cache lines costs
/// twice as much; without this a hash took 105 to 230 ns, by where the stack happened to begin.
#[repr(align(32))]
struct Aligned<T>(T);

/// The last block of an input of which `rest` is left, made in `block`, which is zero.
#[inline(always)]
fn padded<'a>(block: &'a mut [u8; RATE], rest: &[u8]) -> &'a [u8; RATE] {
    block[..rest.len()].copy_from_slice(rest);
    block[rest.len()] = 0x01;
    block[RATE - 1] |= 0x80;
    block
}
