//! Eight states, one word of each in 512 bits.
#![expect(unsafe_code, reason = "intrinsics; sound by the witness rule of `Lanes`")]

use super::{load_64, load_last_word};
use crate::permutation::{Lanes, RATE_WORDS};
use alloy_primitives::B256;
use std::arch::x86_64::*;

/// One word of eight states.
#[derive(Clone, Copy)]
pub(super) struct Eight(__m512i);

// SAFETY, of every block below: a value exists, or the caller of a constructor promised, so the processor has
// AVX-512 F, VL and BW.
impl Lanes<8> for Eight {
    #[inline(always)]
    unsafe fn zero() -> Self {
        // SAFETY: see above.
        Self(unsafe { _mm512_setzero_si512() })
    }

    #[inline(always)]
    unsafe fn load(rests: &[&[u8]; 8]) -> [Self; RATE_WORDS] {
        // SAFETY: see above.
        unsafe {
            let mut words = [Self::zero(); RATE_WORDS];
            for part in 0..2 {
                let mut rows = [_mm512_setzero_si512(); 8];
                for (row, rest) in rows.iter_mut().zip(rests) {
                    *row = load_64(rest, 64 * part);
                }
                let columns = transpose(rows);
                for (word, column) in words[8 * part..].iter_mut().zip(columns) {
                    *word = Self(column);
                }
            }
            let mut last = [0; 8];
            for (word, rest) in last.iter_mut().zip(rests) {
                *word = load_last_word(rest);
            }
            let [a, b, c, d, e, f, g, h] = last;
            words[16] = Self(_mm512_setr_epi64(a, b, c, d, e, f, g, h));
            words
        }
    }

    #[inline(always)]
    fn squeeze([a, b, c, d]: [Self; 4]) -> [B256; 8] {
        let mut hashes = [B256::ZERO; 8];
        // SAFETY: see above; each place has the 32 bytes that are stored.
        unsafe {
            let zero = _mm512_setzero_si512();
            let rows = transpose([a.0, b.0, c.0, d.0, zero, zero, zero, zero]);
            for (hash, row) in hashes.iter_mut().zip(rows) {
                _mm256_storeu_si256(hash.as_mut_ptr().cast(), _mm512_castsi512_si256(row));
            }
        }
        hashes
    }

    #[inline(always)]
    fn xor(self, b: Self) -> Self {
        // SAFETY: see above.
        Self(unsafe { _mm512_xor_si512(self.0, b.0) })
    }

    #[inline(always)]
    fn xor3(self, b: Self, c: Self) -> Self {
        // SAFETY: see above. The constant is the truth table of `a ^ b ^ c`.
        Self(unsafe { _mm512_ternarylogic_epi64::<0x96>(self.0, b.0, c.0) })
    }

    #[inline(always)]
    fn chi(self, b: Self, c: Self) -> Self {
        // SAFETY: see above. The constant is the truth table of `a ^ (!b & c)`.
        Self(unsafe { _mm512_ternarylogic_epi64::<0xd2>(self.0, b.0, c.0) })
    }

    #[inline(always)]
    fn rotate_left<const LEFT: i32, const RIGHT: i32>(self) -> Self {
        // SAFETY: see above.
        Self(unsafe { _mm512_rol_epi64::<LEFT>(self.0) })
    }

    #[inline(always)]
    fn xor_constant(self, constant: u64) -> Self {
        // SAFETY: see above.
        Self(unsafe { _mm512_xor_si512(self.0, _mm512_set1_epi64(constant.cast_signed())) })
    }
}

/// Word `j` of row `i` to word `i` of column `j`.
///
/// # Safety
/// The processor must have AVX-512 F.
#[inline(always)]
unsafe fn transpose(rows: [__m512i; 8]) -> [__m512i; 8] {
    // SAFETY: the caller's promise.
    unsafe {
        // Each quarter of 128 bits: one word of a row and the same of the next row.
        let [c0, c2, c4, c6] = transpose_quarters([
            _mm512_unpacklo_epi64(rows[0], rows[1]),
            _mm512_unpacklo_epi64(rows[2], rows[3]),
            _mm512_unpacklo_epi64(rows[4], rows[5]),
            _mm512_unpacklo_epi64(rows[6], rows[7]),
        ]);
        let [c1, c3, c5, c7] = transpose_quarters([
            _mm512_unpackhi_epi64(rows[0], rows[1]),
            _mm512_unpackhi_epi64(rows[2], rows[3]),
            _mm512_unpackhi_epi64(rows[4], rows[5]),
            _mm512_unpackhi_epi64(rows[6], rows[7]),
        ]);
        [c0, c1, c2, c3, c4, c5, c6, c7]
    }
}

/// Quarter `j` of row `i` to quarter `i` of column `j`.
///
/// # Safety
/// The processor must have AVX-512 F.
#[inline(always)]
unsafe fn transpose_quarters([a, b, c, d]: [__m512i; 4]) -> [__m512i; 4] {
    // SAFETY: the caller's promise.
    unsafe {
        let ab_01 = _mm512_shuffle_i64x2::<0b01_00_01_00>(a, b);
        let ab_23 = _mm512_shuffle_i64x2::<0b11_10_11_10>(a, b);
        let cd_01 = _mm512_shuffle_i64x2::<0b01_00_01_00>(c, d);
        let cd_23 = _mm512_shuffle_i64x2::<0b11_10_11_10>(c, d);
        [
            _mm512_shuffle_i64x2::<0b10_00_10_00>(ab_01, cd_01),
            _mm512_shuffle_i64x2::<0b11_01_11_01>(ab_01, cd_01),
            _mm512_shuffle_i64x2::<0b10_00_10_00>(ab_23, cd_23),
            _mm512_shuffle_i64x2::<0b11_01_11_01>(ab_23, cd_23),
        ]
    }
}
