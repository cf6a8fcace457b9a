//! Four rows of four words into four columns, in 256-bit registers.
#![expect(unsafe_code, reason = "intrinsics")]

use std::arch::x86_64::*;

/// Word `j` of row `i` to word `i` of column `j`.
///
/// # Safety
/// The processor must have AVX2.
#[inline(always)]
pub(crate) unsafe fn transpose(rows: [__m256i; 4]) -> [__m256i; 4] {
    // SAFETY: the caller's promise.
    unsafe {
        let even_01 = _mm256_unpacklo_epi64(rows[0], rows[1]);
        let odd_01 = _mm256_unpackhi_epi64(rows[0], rows[1]);
        let even_23 = _mm256_unpacklo_epi64(rows[2], rows[3]);
        let odd_23 = _mm256_unpackhi_epi64(rows[2], rows[3]);
        [
            _mm256_permute2x128_si256::<0x20>(even_01, even_23),
            _mm256_permute2x128_si256::<0x20>(odd_01, odd_23),
            _mm256_permute2x128_si256::<0x31>(even_01, even_23),
            _mm256_permute2x128_si256::<0x31>(odd_01, odd_23),
        ]
    }
}
