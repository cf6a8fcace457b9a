//! What can be wrong with a list as RLP.

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
