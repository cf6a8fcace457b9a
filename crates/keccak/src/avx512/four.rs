//! Four states, one word of each in 256 bits: for the few inputs that would leave most of eight lanes empty.
#![expect(unsafe_code, reason = "intrinsics; sound by the witness rule of `Lanes`")]

use super::{load_64, load_last_word};
use crate::permutation::{Lanes, RATE_WORDS};
use crate::transpose::transpose;
use alloy_primitives::B256;
use std::arch::x86_64::*;

/// One word of four states.
#[derive(Clone, Copy)]
pub(super) struct Four(__m256i);

// SAFETY, of every block below: a value exists, or the caller of a constructor promised, so the processor has
// AVX-512 F, VL and BW.
impl Lanes<4> for Four {
    #[inline(always)]
    unsafe fn zero() -> Self {
        // SAFETY: see above.
        Self(unsafe { _mm256_setzero_si256() })
    }

    #[inline(always)]
    unsafe fn load(rests: &[&[u8]; 4]) -> [Self; RATE_WORDS] {
        // SAFETY: see above.
        unsafe {
            let mut words = [Self::zero(); RATE_WORDS];
            for part in 0..2 {
                let mut low = [_mm256_setzero_si256(); 4];
                let mut high = [_mm256_setzero_si256(); 4];
                for (i, rest) in rests.iter().enumerate() {
                    let row = load_64(rest, 64 * part);
                    low[i] = _mm512_castsi512_si256(row);
                    high[i] = _mm512_extracti64x4_epi64::<1>(row);
                }
                let columns = transpose(low).into_iter().chain(transpose(high));
                for (word, column) in words[8 * part..].iter_mut().zip(columns) {
                    *word = Self(column);
                }
            }
            let mut last = [0; 4];
            for (word, rest) in last.iter_mut().zip(rests) {
                *word = load_last_word(rest);
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
        // SAFETY: see above. The constant is the truth table of `a ^ b ^ c`.
        Self(unsafe { _mm256_ternarylogic_epi64::<0x96>(self.0, b.0, c.0) })
    }

    #[inline(always)]
    fn chi(self, b: Self, c: Self) -> Self {
        // SAFETY: see above. The constant is the truth table of `a ^ (!b & c)`.
        Self(unsafe { _mm256_ternarylogic_epi64::<0xd2>(self.0, b.0, c.0) })
    }

    #[inline(always)]
    fn rotate_left<const LEFT: i32, const RIGHT: i32>(self) -> Self {
        // SAFETY: see above.
        Self(unsafe { _mm256_rol_epi64::<LEFT>(self.0) })
    }

    #[inline(always)]
    fn xor_constant(self, constant: u64) -> Self {
        // SAFETY: see above.
        Self(unsafe { _mm256_xor_si256(self.0, _mm256_set1_epi64x(constant.cast_signed())) })
    }
}
