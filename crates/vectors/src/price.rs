//! What instructions cost whose price follows from their operands: neither the state nor the fork has a say in it.
//!
//! The interpreter does not tell what an instruction would have cost that it could not pay for; a trace wants it.

use alloy_primitives::U256;

/// Operands that a price can depend on, the stack's top first.
pub(crate) type Operands = [U256; 3];

/// Beyond this the price of memory has no 64 bits.
const MEMORY_BYTES_MAX: u64 = 0x1f_ffff_ffe0;

/// The whole price of an instruction, its memory included. Nothing where it depends on more than its operands, or where
/// these are beyond all memory.
pub(crate) fn price(opcode: u8, memory_len: usize, operands: &Operands) -> Option<u64> {
    let base = base(opcode)?;
    let grown = grown(opcode, memory_len, operands)?;
    let memory = memory_price(grown).checked_sub(memory_price(memory_len as u64))?;
    by_length(opcode, operands)?.checked_add(base)?.checked_add(memory)
}

/// The part of the price that is charged before the operands are looked at.
pub(crate) fn constant(opcode: u8) -> Option<u64> {
    if (0xa0..=0xa4).contains(&opcode) { Some(0) } else { base(opcode) }
}

/// Bytes of memory once the instruction has what it needs of it.
pub(crate) fn grown(opcode: u8, memory_len: usize, operands: &Operands) -> Option<u64> {
    let [first, second, third] = *operands;
    let (offset, length) = match opcode {
        0x20 | 0xa0..=0xa4 | 0xf3 | 0xfd => (first, second),
        0x51 | 0x52 => (first, U256::from(32)),
        0x53 => (first, U256::ONE),
        0x37 | 0x39 | 0x3e => (first, third),
        0x5e => (first.max(second), third),
        _ => (U256::ZERO, U256::ZERO),
    };
    if length.is_zero() {
        return Some(memory_len as u64);
    }
    let end = u64::try_from(offset.checked_add(length)?).ok().filter(|end| *end <= MEMORY_BYTES_MAX)?;
    Some(end.next_multiple_of(32).max(memory_len as u64))
}

fn memory_price(bytes: u64) -> u64 {
    let words = bytes / 32;
    3 * words + words * words / 512
}

/// What the bytes cost that an instruction reads, copies or writes.
fn by_length(opcode: u8, operands: &Operands) -> Option<u64> {
    let [_, second, third] = *operands;
    let (bytes, per_word, per_byte) = match opcode {
        0x20 => (second, 6, 0),
        0x37 | 0x39 | 0x3e | 0x5e => (third, 3, 0),
        0xa0..=0xa4 => (second, 0, 8),
        _ => (U256::ZERO, 0, 0),
    };
    let bytes = u64::try_from(bytes).ok()?;
    bytes.div_ceil(32).checked_mul(per_word)?.checked_add(bytes.checked_mul(per_byte)?)
}

fn base(opcode: u8) -> Option<u64> {
    Some(match opcode {
        0x00 | 0xf3 | 0xfd => 0,
        0x5b => 1,
        0x30 | 0x32..=0x34 | 0x36 | 0x38 | 0x3a | 0x3d | 0x41..=0x46 | 0x48 | 0x4a | 0x50 | 0x58..=0x5a | 0x5f => 2,
        0x01 | 0x03 | 0x10..=0x1d | 0x35 | 0x37 | 0x39 | 0x3e | 0x49 | 0x51..=0x53 | 0x5e | 0x60..=0x9f => 3,
        0x02 | 0x04..=0x07 | 0x0b | 0x1e | 0x47 => 5,
        0x08 | 0x09 | 0x56 => 8,
        0x57 => 10,
        0x40 => 20,
        0x20 => 30,
        0x5c | 0x5d => 100,
        0xa0..=0xa4 => 375 * (u64::from(opcode - 0xa0) + 1),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(opcode: u8, memory_len: usize, operands: [u64; 3], expected: Option<u64>) {
        assert_eq!(price(opcode, memory_len, &operands.map(U256::from)), expected, "{opcode:#x} {operands:?}");
    }

    #[test]
    fn prices_are_those_of_the_yellow_paper() {
        check(0x01, 0, [0; 3], Some(3));
        check(0x52, 0, [0, 9, 0], Some(6));
        check(0x52, 32, [0, 9, 0], Some(3));
        check(0x20, 0, [0, 33, 0], Some(30 + 12 + 6));
        check(0x3e, 64, [0, 5, 33], Some(3 + 6));
        check(0xa2, 0, [0, 32, 1], Some(375 * 3 + 256 + 3));
        check(0x5e, 0, [0, 1 << 14, 32], Some(3 + 3 + 3 * 513 + 514));
        check(0x55, 0, [0; 3], None);
        check(
            0x51,
            0,
            [MEMORY_BYTES_MAX - 32, 0, 0],
            Some(3 + 3 * 0xffff_ffff + (0xffff_ffff_u64 * 0xffff_ffff) / 512),
        );
        check(0x51, 0, [MEMORY_BYTES_MAX, 0, 0], None);
    }
}
