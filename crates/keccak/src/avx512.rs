//! AVX-512: eight states in 512-bit registers, four in 256-bit ones.
//!
//! `vpternlogq` is any function of three bits, so χ and the xor of three words are one instruction each; `vprolq`
//! rotates. With 32 registers the 25 words stay in registers through all rounds.
//!
//! Loading is half of the matter for short inputs: fetching 17 words from each of 8 places, or copying each input
//! behind its padding first, costs half as much as the permutation. Here a masked load takes an input's bytes as
//! they lie, a second mask puts the padding behind them, and words change from rows to lanes in registers: 3 ns a
//! hash instead of 30.
#![expect(unsafe_code, reason = "intrinsics; sound by the witness rule of `Lanes`")]

mod eight;
mod four;

use crate::{RATE, sponge};
use alloy_primitives::B256;
use eight::Eight;
use four::Four;
use std::arch::x86_64::*;

/// Inputs left at which four lanes do. Where 512 bits are taken in two halves, four lanes take half as long as
/// eight; and even a single input is faster in one of four lanes than in the scalar code.
const FOUR_LANES_MAX: usize = 4;

/// Hashes `inputs[i]` into `hashes[i]` for every `i` of `order`, neighbours of `order` side by side.
#[target_feature(enable = "avx512f,avx512vl,avx512bw")]
pub(crate) fn hash_in_order(inputs: &[&[u8]], order: &[u8], hashes: &mut [B256]) {
    for order in order.chunks(8) {
        // SAFETY: this function is only entered where the processor has the instructions.
        unsafe {
            if order.len() <= FOUR_LANES_MAX {
                sponge::hash_places::<4, Four>(inputs, order, hashes);
            } else {
                sponge::hash_places::<8, Eight>(inputs, order, hashes);
            }
        }
    }
}

/// Hashes each of `inputs`, of one block each, into the same place of `hashes`.
#[target_feature(enable = "avx512f,avx512vl,avx512bw")]
pub(crate) fn hash_short<T: AsRef<[u8]> + Copy>(inputs: &[T], hashes: &mut [B256]) {
    let (groups, inputs_left) = inputs.as_chunks::<8>();
    let (hashed, hashes_left) = hashes.as_chunks_mut::<8>();
    // SAFETY: this function is only entered where the processor has the instructions.
    unsafe {
        for (group, hashes) in groups.iter().zip(hashed) {
            *hashes = sponge::hash_short::<8, T, Eight>(group);
        }
        match inputs_left.len() {
            0 => {}
            1..=FOUR_LANES_MAX => sponge::hash_short_some::<4, T, Four>(inputs_left, hashes_left),
            _ => sponge::hash_short_some::<8, T, Eight>(inputs_left, hashes_left),
        }
    }
}

/// Bytes `from .. from + 64` of a block: what `rest` has of them, then the first byte of the padding, then zeros.
///
/// The branches are cheaper than masks for all: what comes in one batch is of a kind, and so are their outcomes.
///
/// # Safety
/// The processor must have AVX-512 F and BW.
#[inline(always)]
unsafe fn load_64(rest: &[u8], from: usize) -> __m512i {
    // SAFETY: the caller's promise; bytes outside of the mask are not accessed, and those in it lie in `present`.
    unsafe {
        let Some(present) = rest.get(from..) else { return _mm512_setzero_si512() };
        if let Some(whole) = present.first_chunk::<64>() {
            return _mm512_loadu_si512(whole.as_ptr().cast());
        }
        let padding = 1 << present.len();
        let bytes = _mm512_maskz_loadu_epi8(padding - 1, present.as_ptr().cast());
        _mm512_mask_mov_epi8(bytes, padding, _mm512_set1_epi8(0x01))
    }
}

/// The word at byte 128, the last of a block, with the last bit of the padding if the input ends in this block.
///
/// # Safety
/// The processor must have AVX-512 VL and BW.
#[inline(always)]
unsafe fn load_last_word(rest: &[u8]) -> i64 {
    let Some(present) = rest.get(RATE - 8..) else {
        return i64::MIN;
    };
    if let Some(word) = present.first_chunk() {
        return i64::from_le_bytes(*word);
    }
    let bytes = (1 << present.len()) - 1;
    // SAFETY: the caller's promise; bytes outside of the mask are not accessed, and those in it lie in `present`.
    let word = unsafe { _mm_cvtsi128_si64(_mm_maskz_loadu_epi8(bytes, present.as_ptr().cast())) };
    word ^ i64::MIN ^ (0x01 << (8 * present.len()))
}
