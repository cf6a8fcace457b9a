//! A cursor over RLP that accepts the canonical form only.
//!
//! A list is compared with an execution by its content, never by encoding it again. Equal content proves an equal
//! hash only if each content has exactly one encoding that is accepted, so every other form is refused here, each
//! with a fault of its own.
//!
//! Every read takes `within`: the bytes from the start of the outermost list to the end of the innermost open one. An
//! item may not reach over that end, so one bounds check is both the list's and the slice's.
//!
//! # Fast and slow
//! Each kind of item has a path that takes the frequent good cases without a branch on what they look like: whether an
//! integer is a single byte, has a prefix, or how long it is, follows no pattern that a processor could learn, and a
//! wrong guess costs more than the decoding. So the first byte is looked up in a table, 32 (or 8, or 4) bytes that end
//! where the integer ends are loaded, what stands before it is masked off, and all that can be wrong is folded into
//! one condition. Whatever is not such a case goes to a slow path, which reads by the book, and names the fault if
//! there is one.

use crate::{RlpError, RlpFault};
use alloy_primitives::U256;

/// Boxed: a fault is rare, and a small `Result` is cheap.
type Read<T> = Result<T, Box<RlpError>>;

/// The payload of a string item, as offsets into the bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Payload {
    pub(crate) start: usize,
    pub(crate) size: usize,
}

pub(crate) struct Reader {
    /// Where the next item starts.
    at: usize,
    /// 32 zeros and the first 32 bytes of the list: windows that reach over its start.
    head: [u8; 64],
}

impl Reader {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        let mut head = [0; 64];
        let size = bytes.len().min(32);
        head[32..32 + size].copy_from_slice(&bytes[..size]);
        Self { at: 0, head }
    }

    /// Opens the outermost list, which must fill the bytes.
    pub(crate) fn outermost_list<'a>(&mut self, bytes: &'a [u8]) -> Read<&'a [u8]> {
        let within = self.list(bytes)?;
        match bytes.len() - within.len() {
            0 => Ok(within),
            size => Err(fault(within.len(), RlpFault::TrailingBytes { size })),
        }
    }

    /// Opens a list. Returns what its items are within.
    #[inline(always)]
    pub(crate) fn list<'a>(&mut self, within: &'a [u8]) -> Read<&'a [u8]> {
        let size = match within.get(self.at) {
            Some(first) => usize::from(first.wrapping_sub(0xc0)),
            None => usize::MAX,
        };
        if size < LONG
            && let Some(list) = within.get(..self.at + 1 + size)
        {
            self.at += 1;
            return Ok(list);
        }
        self.list_slow(within)
    }

    /// Whether the list has a further item.
    #[inline(always)]
    pub(crate) fn more(&self, within: &[u8]) -> bool {
        self.at < within.len()
    }

    /// Closes a record: nothing may stand between its last item and its end.
    #[inline(always)]
    pub(crate) fn close(&self, within: &[u8]) -> Read<()> {
        if self.at == within.len() { Ok(()) } else { Err(self.extra_items(within)) }
    }

    /// An address has one form only: its prefix and 20 bytes.
    #[inline(always)]
    pub(crate) fn address<'a>(&mut self, within: &'a [u8]) -> Read<&'a [u8; 20]> {
        match within[self.at..].first_chunk::<21>() {
            Some([0x94, address @ ..]) => {
                self.at += 21;
                Ok(address)
            }
            _ => Err(self.address_fault(within)),
        }
    }

    #[inline(always)]
    pub(crate) fn u256(&mut self, within: &[u8]) -> Read<U256> {
        let Payload { start, size } = self.integer::<32>(within)?;
        let end = start + size;
        let window = match end.checked_sub(32) {
            Some(from) => within[from..].first_chunk(),
            None => self.head[end..].first_chunk(),
        };
        // There are 32 bytes from either place.
        Ok(window.map(|window| U256::from_limbs(limbs(window, size))).unwrap_or_default())
    }

    #[inline(always)]
    pub(crate) fn u64(&mut self, within: &[u8]) -> Read<u64> {
        let Payload { start, size } = self.integer::<8>(within)?;
        Ok(small(&within[start..start + size]))
    }

    #[inline(always)]
    pub(crate) fn u32(&mut self, within: &[u8]) -> Read<u32> {
        let Payload { start, size } = self.integer::<4>(within)?;
        Ok(small(&within[start..start + size]) as u32)
    }

    /// The payload of an integer of at most `N` bytes.
    #[inline(always)]
    fn integer<const N: usize>(&mut self, within: &[u8]) -> Read<Payload> {
        if let Some(&first) = within.get(self.at)
            && let Prefix { prefix_size, size } = PREFIXES[usize::from(first)]
            && let start = self.at + usize::from(prefix_size)
            && let size = usize::from(size)
            && size <= N
            && start + size <= within.len()
            // For the empty string, which is zero, the lead is the prefix.
            && let lead = within[start - usize::from(size == 0)]
            && (lead != 0) & !((first == 0x81) & (lead < 0x80))
        {
            self.at = start + size;
            return Ok(Payload { start, size });
        }
        self.integer_slow(within, N)
    }
}

/// By the book.
impl Reader {
    #[inline(never)]
    fn list_slow<'a>(&mut self, within: &'a [u8]) -> Read<&'a [u8]> {
        let payload = match self.first(within)? {
            0..0xc0 => return Err(fault(self.at, RlpFault::ListExpected)),
            first @ 0xc0..0xf8 => self.payload(within, self.at + 1, usize::from(first - 0xc0))?,
            first @ 0xf8.. => self.long(within, first - 0xf7)?,
        };
        self.at = payload.start;
        Ok(&within[..payload.start + payload.size])
    }

    #[inline(never)]
    pub(crate) fn string(&mut self, within: &[u8]) -> Read<Payload> {
        let payload = match self.first(within)? {
            0..0x80 => Payload { start: self.at, size: 1 },
            first @ 0x80..0xb8 => self.payload(within, self.at + 1, usize::from(first - 0x80))?,
            first @ 0xb8..0xc0 => self.long(within, first - 0xb7)?,
            0xc0.. => return Err(fault(self.at, RlpFault::StringExpected)),
        };
        let byte = within.get(payload.start).copied().unwrap_or_default();
        if payload.size == 1 && payload.start > self.at && byte < 0x80 {
            return Err(fault(self.at, RlpFault::LongFormOfSingleByte { byte }));
        }
        self.at = payload.start + payload.size;
        Ok(payload)
    }

    #[cold]
    fn address_fault(&mut self, within: &[u8]) -> Box<RlpError> {
        let offset = self.at;
        self.string(within)
            .map_or_else(|error| error, |Payload { size, .. }| fault(offset, RlpFault::AddressSize { size }))
    }

    #[inline(never)]
    fn integer_slow(&mut self, within: &[u8], size_max: usize) -> Read<Payload> {
        let offset = self.at;
        let payload = self.string(within)?;
        if payload.size > size_max {
            return Err(fault(offset, RlpFault::IntegerTooWide { size: payload.size, size_max }));
        }
        if payload.size > 0 && within[payload.start] == 0 {
            return Err(fault(offset, RlpFault::IntegerLeadingZero));
        }
        Ok(payload)
    }

    fn first(&self, within: &[u8]) -> Read<u8> {
        within.get(self.at).copied().ok_or_else(|| fault(self.at, RlpFault::MissingItem))
    }

    /// The payload of an item whose length takes `length_size` bytes after the first.
    fn long(&self, within: &[u8], length_size: u8) -> Read<Payload> {
        let Payload { start, size } = self.payload(within, self.at + 1, usize::from(length_size))?;
        let length_bytes = &within[start..start + size];
        if length_bytes[0] == 0 {
            return Err(fault(self.at, RlpFault::LengthLeadingZero));
        }
        let length = usize::try_from(small(length_bytes)).unwrap_or(usize::MAX);
        if length < LONG {
            return Err(fault(self.at, RlpFault::NonMinimalLength { length }));
        }
        self.payload(within, start + size, length)
    }

    /// `start` is at most the end: what stands before it was found.
    fn payload(&self, within: &[u8], start: usize, size: usize) -> Read<Payload> {
        let present = within.len() - start;
        if size > present {
            return Err(fault(self.at, RlpFault::Truncated { size, present }));
        }
        Ok(Payload { start, size })
    }

    #[cold]
    fn extra_items(&self, within: &[u8]) -> Box<RlpError> {
        fault(self.at, RlpFault::ExtraItems { size: within.len() - self.at })
    }
}

#[cold]
fn fault(offset: usize, fault: RlpFault) -> Box<RlpError> {
    Box::new(RlpError { offset, fault })
}

/// A big-endian integer of at most 8 bytes.
#[inline(always)]
fn small(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte))
}

/// The big-endian integer in the last `size` bytes of a window, as limbs, least significant first.
#[inline(always)]
fn limbs(window: &[u8; 32], size: usize) -> [u64; 4] {
    let limb = |i: usize| {
        let mut limb = [0; 8];
        limb.copy_from_slice(&window[24 - 8 * i..32 - 8 * i]);
        u64::from_be_bytes(limb) & MASKS[size][i]
    };
    [limb(0), limb(1), limb(2), limb(3)]
}

/// Payloads of this size and more have their length in bytes of its own.
const LONG: usize = 56;

/// What a first byte says of an integer.
#[derive(Clone, Copy)]
struct Prefix {
    /// 0 if the byte is the integer itself, else 1.
    prefix_size: u8,
    /// Bytes of the integer; more than any has if the byte does not start one of at most 32 bytes.
    size: u8,
}

const PREFIXES: [Prefix; 256] = {
    let mut prefixes = [Prefix { prefix_size: 0, size: u8::MAX }; 256];
    let mut first = 0;
    while first <= 0xa0 {
        prefixes[first] = match first {
            0..0x80 => Prefix { prefix_size: 0, size: 1 },
            _ => Prefix { prefix_size: 1, size: (first - 0x80) as u8 },
        };
        first += 1;
    }
    prefixes
};

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
