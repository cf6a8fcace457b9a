//! Keccak-f\[1600\] on several states at once.
//!
//! A state is 25 words of 64 bits. Here one register holds the same word of `L` states, one a lane, and no
//! operation of the permutation crosses lanes: `L` permutations cost what one costs. The round is written once, over
//! [`Lanes`]; what differs between instruction sets is only how wide a register is and which of the round's
//! operations are a single instruction.
//!
//! Specification: FIPS 202, section 3.2; the names of the steps and of the word `A[x, y]` are the document's.

#![expect(unsafe_code, reason = "the contract of `Lanes`")]

use crate::RATE;
use alloy_primitives::B256;

/// The same word of `L` states: `L` 64-bit integers in one register.
///
/// A value of such a type is the proof that the processor has the instructions: only the two `unsafe` constructors
/// make one out of nothing, so all other operations are safe. Everything here must be inlined into a function that
/// enables the instructions, or each operation would be a call.
pub(crate) trait Lanes<const L: usize>: Copy {
    /// All lanes zero.
    ///
    /// # Safety
    /// The processor must have the instruction set of the type.
    unsafe fn zero() -> Self;

    /// The words of the next block of `L` inputs. `rests` are what is left of them; one shorter than a block is
    /// padded, which makes this its last block.
    ///
    /// # Safety
    /// The processor must have the instruction set of the type.
    unsafe fn load(rests: &[&[u8]; L]) -> [Self; RATE_WORDS];

    /// The first four words of each state, as the bytes of `L` hashes.
    fn squeeze(words: [Self; 4]) -> [B256; L];

    /// `self ^ b`.
    fn xor(self, b: Self) -> Self;

    /// `self ^ b ^ c`.
    fn xor3(self, b: Self, c: Self) -> Self;

    /// `self ^ (!b & c)`, the step χ.
    fn chi(self, b: Self, c: Self) -> Self;

    /// Every lane rotated left by `LEFT` bits, given with `RIGHT == 64 - LEFT` for sets that only shift.
    fn rotate_left<const LEFT: i32, const RIGHT: i32>(self) -> Self;

    /// The same constant xored into each lane.
    fn xor_constant(self, constant: u64) -> Self;
}

/// The words of a state that take in a block.
pub(crate) const RATE_WORDS: usize = RATE / 8;

/// The 25 words of `L` states, `A[x, y]` at `5 * y + x`.
pub(crate) type State<V> = [V; 25];

/// What step ι adds to `A[0, 0]` in each round.
const ROUND_CONSTANTS: [u64; 24] = [
    0x0000_0000_0000_0001,
    0x0000_0000_0000_8082,
    0x8000_0000_0000_808a,
    0x8000_0000_8000_8000,
    0x0000_0000_0000_808b,
    0x0000_0000_8000_0001,
    0x8000_0000_8000_8081,
    0x8000_0000_0000_8009,
    0x0000_0000_0000_008a,
    0x0000_0000_0000_0088,
    0x0000_0000_8000_8009,
    0x0000_0000_8000_000a,
    0x0000_0000_8000_808b,
    0x8000_0000_0000_008b,
    0x8000_0000_0000_8089,
    0x8000_0000_0000_8003,
    0x8000_0000_0000_8002,
    0x8000_0000_0000_0080,
    0x0000_0000_0000_800a,
    0x8000_0000_8000_000a,
    0x8000_0000_8000_8081,
    0x8000_0000_0000_8080,
    0x0000_0000_8000_0001,
    0x8000_0000_8000_8008,
];

/// The 24 rounds of Keccak-f\[1600\].
#[inline(always)]
pub(crate) fn permute<const L: usize, V: Lanes<L>>(state: &mut State<V>) {
    for constant in ROUND_CONSTANTS {
        *state = round(*state, constant);
    }
}

/// One round: θ, ρ, π, χ, ι.
#[inline(always)]
fn round<const L: usize, V: Lanes<L>>(a: State<V>, constant: u64) -> State<V> {
    // θ: the parity of each column, and the same rotated by one.
    let parity = |x: usize| a[x].xor3(a[x + 5], a[x + 10]).xor3(a[x + 15], a[x + 20]);
    let c = [parity(0), parity(1), parity(2), parity(3), parity(4)];
    let column = |left: usize, right: usize| c[left].xor(c[right].rotate_left::<1, 63>());
    let d = [column(4, 1), column(0, 2), column(1, 3), column(2, 4), column(3, 0)];
    let theta = |word: usize, x: usize| a[word].xor(d[x]);

    // ρ and π: where each word goes, and how far it turns on the way.
    let b00 = theta(0, 0);
    let b01 = theta(6, 1).rotate_left::<44, 20>();
    let b02 = theta(12, 2).rotate_left::<43, 21>();
    let b03 = theta(18, 3).rotate_left::<21, 43>();
    let b04 = theta(24, 4).rotate_left::<14, 50>();
    let b05 = theta(3, 3).rotate_left::<28, 36>();
    let b06 = theta(9, 4).rotate_left::<20, 44>();
    let b07 = theta(10, 0).rotate_left::<3, 61>();
    let b08 = theta(16, 1).rotate_left::<45, 19>();
    let b09 = theta(22, 2).rotate_left::<61, 3>();
    let b10 = theta(1, 1).rotate_left::<1, 63>();
    let b11 = theta(7, 2).rotate_left::<6, 58>();
    let b12 = theta(13, 3).rotate_left::<25, 39>();
    let b13 = theta(19, 4).rotate_left::<8, 56>();
    let b14 = theta(20, 0).rotate_left::<18, 46>();
    let b15 = theta(4, 4).rotate_left::<27, 37>();
    let b16 = theta(5, 0).rotate_left::<36, 28>();
    let b17 = theta(11, 1).rotate_left::<10, 54>();
    let b18 = theta(17, 2).rotate_left::<15, 49>();
    let b19 = theta(23, 3).rotate_left::<56, 8>();
    let b20 = theta(2, 2).rotate_left::<62, 2>();
    let b21 = theta(8, 3).rotate_left::<55, 9>();
    let b22 = theta(14, 4).rotate_left::<39, 25>();
    let b23 = theta(15, 0).rotate_left::<41, 23>();
    let b24 = theta(21, 1).rotate_left::<2, 62>();

    // χ by rows, and ι on the first word.
    [
        b00.chi(b01, b02).xor_constant(constant),
        b01.chi(b02, b03),
        b02.chi(b03, b04),
        b03.chi(b04, b00),
        b04.chi(b00, b01),
        b05.chi(b06, b07),
        b06.chi(b07, b08),
        b07.chi(b08, b09),
        b08.chi(b09, b05),
        b09.chi(b05, b06),
        b10.chi(b11, b12),
        b11.chi(b12, b13),
        b12.chi(b13, b14),
        b13.chi(b14, b10),
        b14.chi(b10, b11),
        b15.chi(b16, b17),
        b16.chi(b17, b18),
        b17.chi(b18, b19),
        b18.chi(b19, b15),
        b19.chi(b15, b16),
        b20.chi(b21, b22),
        b21.chi(b22, b23),
        b22.chi(b23, b24),
        b23.chi(b24, b20),
        b24.chi(b20, b21),
    ]
}
