//! A cursor over RLP that accepts the canonical form only.
//!
//! A list is compared with an execution by its content, never by encoding it again. Equal content proves an equal
//! hash only if each content has exactly one encoding that is accepted, so every other form is refused here, each
//! with a fault of its own.
//!
//! Every read takes `end`, the offset at which the surrounding list ends: an item may not reach over it. `end` never
//! exceeds the number of bytes, and the cursor never passes `end`.

use alloy_primitives::{Address, U256};

/// Bytes that are not canonical RLP of the expected shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at byte {offset}: {fault}")]
pub struct RlpError {
    /// Where the faulty item starts, in bytes from the start of the list.
    pub offset: usize,
    /// What is wrong with it.
    pub fault: RlpFault,
}

/// One rule of canonical RLP, or of the shape of a block access list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RlpFault {
    /// A record has fewer items than it must have.
    #[error("an item is missing")]
    MissingItem,
    /// A record has more items than it may have.
    #[error("{size} bytes of further items in a record")]
    ExtraItems {
        /// Bytes after the last item.
        size: usize,
    },
    /// Bytes follow the outermost list.
    #[error("{size} bytes after the list")]
    TrailingBytes {
        /// Bytes after the list.
        size: usize,
    },
    /// An item reaches over the end of its list, or of the bytes.
    #[error("an item of {size} bytes where {present} are left")]
    Truncated {
        /// Bytes that the item claims.
        size: usize,
        /// Bytes left in the surrounding list.
        present: usize,
    },
    /// A string stands where a list must stand.
    #[error("a string instead of a list")]
    ListExpected,
    /// A list stands where a string must stand.
    #[error("a list instead of a string")]
    StringExpected,
    /// A byte below 0x80 is its own encoding; it was given a length prefix.
    #[error("the single byte {byte:#04x} in long form")]
    LongFormOfSingleByte {
        /// The byte.
        byte: u8,
    },
    /// A length below 56 belongs into the first byte.
    #[error("the length {length} in long form")]
    NonMinimalLength {
        /// The length.
        length: usize,
    },
    /// A length starts with a zero byte.
    #[error("a length with a leading zero")]
    LengthLeadingZero,
    /// An integer starts with a zero byte; zero itself is the empty string.
    #[error("an integer with a leading zero")]
    IntegerLeadingZero,
    /// An integer has more bytes than its type.
    #[error("an integer of {size} bytes where {size_max} are the most")]
    IntegerTooWide {
        /// Bytes of the integer.
        size: usize,
        /// Bytes of its type.
        size_max: usize,
    },
    /// An address has a length other than 20.
    #[error("an address of {size} bytes")]
    AddressSize {
        /// Bytes of the address.
        size: usize,
    },
}

type Read<T> = Result<T, RlpError>;

/// The payload of a string item, as offsets into the bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Payload {
    pub(crate) start: usize,
    pub(crate) size: usize,
}

pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Opens the outermost list, which must fill the bytes. Returns its end.
    pub(crate) fn outermost_list(&mut self) -> Read<usize> {
        let end = self.list(self.bytes.len())?;
        match self.bytes.len() - end {
            0 => Ok(end),
            size => Err(RlpError { offset: end, fault: RlpFault::TrailingBytes { size } }),
        }
    }

    /// Opens a list. Returns its end.
    #[inline]
    pub(crate) fn list(&mut self, end: usize) -> Read<usize> {
        let first = self.first(end)?;
        if first < 0xc0 {
            return Err(fault(self.at, RlpFault::ListExpected));
        }
        let payload = if first < 0xf8 { self.short(end, first - 0xc0)? } else { self.long(end, first - 0xf7)? };
        self.at = payload.start;
        Ok(payload.start + payload.size)
    }

    /// Whether the list that ends at `end` has a further item.
    #[inline]
    pub(crate) fn more(&self, end: usize) -> bool {
        self.at < end
    }

    /// Closes a record: nothing may stand between its last item and its end.
    #[inline]
    pub(crate) fn close(&self, end: usize) -> Read<()> {
        if self.at == end { Ok(()) } else { Err(fault(self.at, RlpFault::ExtraItems { size: end - self.at })) }
    }

    #[inline]
    pub(crate) fn string(&mut self, end: usize) -> Read<Payload> {
        let first = self.first(end)?;
        let payload = if first < 0x80 {
            Payload { start: self.at, size: 1 }
        } else if first < 0xb8 {
            let payload = self.short(end, first - 0x80)?;
            if payload.size == 1 && self.bytes[payload.start] < 0x80 {
                let byte = self.bytes[payload.start];
                return Err(fault(self.at, RlpFault::LongFormOfSingleByte { byte }));
            }
            payload
        } else if first < 0xc0 {
            self.long(end, first - 0xb7)?
        } else {
            return Err(fault(self.at, RlpFault::StringExpected));
        };
        self.at = payload.start + payload.size;
        Ok(payload)
    }

    #[inline]
    pub(crate) fn address(&mut self, end: usize) -> Read<Address> {
        let offset = self.at;
        let payload = self.string(end)?;
        match self.bytes[payload.start..payload.start + payload.size].try_into() {
            Ok(address) => Ok(Address::new(address)),
            Err(_) => Err(fault(offset, RlpFault::AddressSize { size: payload.size })),
        }
    }

    #[inline]
    pub(crate) fn u256(&mut self, end: usize) -> Read<U256> {
        let Payload { start, size } = self.integer(end, 32)?;
        Ok(U256::from_limbs(limbs(self.bytes, start + size, size)))
    }

    #[inline]
    pub(crate) fn u64(&mut self, end: usize) -> Read<u64> {
        let Payload { start, size } = self.integer(end, 8)?;
        Ok(small(&self.bytes[start..start + size]))
    }

    #[inline]
    pub(crate) fn u32(&mut self, end: usize) -> Read<u32> {
        let Payload { start, size } = self.integer(end, 4)?;
        Ok(small(&self.bytes[start..start + size]) as u32)
    }

    #[inline]
    fn integer(&mut self, end: usize, size_max: usize) -> Read<Payload> {
        let offset = self.at;
        let payload = self.string(end)?;
        if payload.size > size_max {
            return Err(fault(offset, RlpFault::IntegerTooWide { size: payload.size, size_max }));
        }
        if payload.size > 0 && self.bytes[payload.start] == 0 {
            return Err(fault(offset, RlpFault::IntegerLeadingZero));
        }
        Ok(payload)
    }

    #[inline]
    fn first(&self, end: usize) -> Read<u8> {
        if self.at < end { Ok(self.bytes[self.at]) } else { Err(fault(self.at, RlpFault::MissingItem)) }
    }

    /// The payload of an item whose length is in its first byte.
    #[inline]
    fn short(&self, end: usize, length: u8) -> Read<Payload> {
        self.payload(end, self.at + 1, length as usize)
    }

    /// The payload of an item whose length takes `length_size` bytes after the first.
    #[inline(never)]
    fn long(&self, end: usize, length_size: u8) -> Read<Payload> {
        let Payload { start, size } = self.payload(end, self.at + 1, length_size as usize)?;
        let length_bytes = &self.bytes[start..start + size];
        if length_bytes[0] == 0 {
            return Err(fault(self.at, RlpFault::LengthLeadingZero));
        }
        let length = usize::try_from(small(length_bytes)).unwrap_or(usize::MAX);
        if length < 56 {
            return Err(fault(self.at, RlpFault::NonMinimalLength { length }));
        }
        self.payload(end, start + size, length)
    }

    #[inline]
    fn payload(&self, end: usize, start: usize, size: usize) -> Read<Payload> {
        // `start <= end`: a first byte was read before `end`, and length bytes were found before it.
        let present = end - start;
        if size > present {
            return Err(fault(self.at, RlpFault::Truncated { size, present }));
        }
        Ok(Payload { start, size })
    }
}

#[cold]
fn fault(offset: usize, fault: RlpFault) -> RlpError {
    RlpError { offset, fault }
}

/// A big-endian integer of at most 8 bytes.
#[inline]
fn small(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte))
}

/// A big-endian integer of `size <= 32` bytes that ends at `end`, as limbs, least significant first.
///
/// Loads 32 bytes at a fixed size and masks off what stands before the integer: a copy of variable size costs a call.
#[inline]
fn limbs(bytes: &[u8], end: usize, size: usize) -> [u64; 4] {
    let Some(start) = end.checked_sub(32) else {
        return limbs_near_start(&bytes[..end], size);
    };
    let window = &bytes[start..end];
    let limb = |i: usize| {
        let mut limb = [0; 8];
        limb.copy_from_slice(&window[24 - 8 * i..32 - 8 * i]);
        u64::from_be_bytes(limb) & MASKS[size][i]
    };
    [limb(0), limb(1), limb(2), limb(3)]
}

/// The same for an integer with fewer than 32 bytes of list before its end.
#[cold]
fn limbs_near_start(bytes: &[u8], size: usize) -> [u64; 4] {
    let mut window = [0; 32];
    window[32 - bytes.len()..].copy_from_slice(bytes);
    limbs(&window, 32, size)
}

/// `MASKS[size][i]` keeps of limb `i` what an integer of `size` bytes has there.
const MASKS: [[u64; 4]; 33] = {
    let mut masks = [[0; 4]; 33];
    let mut size = 0;
    while size <= 32 {
        let mut byte = 0;
        while byte < size {
            masks[size][byte / 8] |= 0xff << (8 * (byte % 8));
            byte += 1;
        }
        size += 1;
    }
    masks
};
