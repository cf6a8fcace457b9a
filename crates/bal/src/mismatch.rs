//! Where an execution and a list disagree.

use crate::Field;
use alloy_primitives::{Address, Bytes, U256, hex};
use std::fmt;

/// Where execution and list disagree.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// An account was accessed that is not listed.
    #[error("index {index}: account {address} is accessed and not listed")]
    MissingAccount {
        /// Block access index.
        index: u32,
        /// The account.
        address: Address,
    },
    /// A slot was accessed that is not listed.
    #[error("index {index}: account {address}: slot {slot:#x} is accessed and not listed")]
    MissingSlot {
        /// Block access index.
        index: u32,
        /// The account.
        address: Address,
        /// The slot.
        slot: U256,
    },
    /// A change was made that the list does not have at this index.
    #[error("index {index}: account {address}: {item} became {executed}, which is not listed")]
    MissingChange {
        /// Block access index.
        index: u32,
        /// The account.
        address: Address,
        /// What changed.
        item: Item,
        /// Its value after the index.
        executed: Value,
    },
    /// A change was made to another value than the list has.
    #[error("index {index}: account {address}: {item} became {executed}, listed is {listed}")]
    WrongValue {
        /// Block access index.
        index: u32,
        /// The account.
        address: Address,
        /// What changed.
        item: Item,
        /// The value that the list has.
        listed: Value,
        /// Its value after the index.
        executed: Value,
    },
    /// The list has changes at this index that were not made.
    #[error("index {index}: {listed} changes are listed, {executed} were made")]
    SurplusChanges {
        /// Block access index.
        index: u32,
        /// Changes that the list has at the index.
        listed: u32,
        /// Changes that were made and found.
        executed: u32,
    },
}

impl Mismatch {
    /// The official test suites' name for the class of this error (`BlockException.*`).
    pub fn exception_name(&self) -> &'static str {
        "INVALID_BLOCK_ACCESS_LIST"
    }

    /// The block access index at which execution and list disagree.
    pub fn index(&self) -> u32 {
        match *self {
            Self::MissingAccount { index, .. }
            | Self::MissingSlot { index, .. }
            | Self::MissingChange { index, .. }
            | Self::WrongValue { index, .. }
            | Self::SurplusChanges { index, .. } => index,
        }
    }
}

/// What of an account a change is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Item {
    /// A slot.
    Slot(U256),
    /// The balance.
    Balance,
    /// The nonce.
    Nonce,
    /// The code.
    Code,
}

impl Item {
    /// The field of `AccountChanges` in which changes of this stand.
    pub fn field(&self) -> Field {
        match self {
            Self::Slot(_) => Field::StorageChanges,
            Self::Balance => Field::BalanceChanges,
            Self::Nonce => Field::NonceChanges,
            Self::Code => Field::CodeChanges,
        }
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Slot(slot) => write!(f, "slot {slot:#x}"),
            Self::Balance => f.write_str("balance"),
            Self::Nonce => f.write_str("nonce"),
            Self::Code => f.write_str("code"),
        }
    }
}

/// A value after an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Of a slot.
    Word(U256),
    /// A balance, in wei.
    Balance(U256),
    /// A nonce.
    Nonce(u64),
    /// A code.
    Code(Bytes),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(word) => write!(f, "{word:#x}"),
            Self::Balance(balance) => write!(f, "{balance} wei"),
            Self::Nonce(nonce) => write!(f, "{nonce}"),
            // A code of some kilobytes helps nobody; its ends and its size tell two apart.
            Self::Code(code) if code.len() <= 32 => write!(f, "{code}"),
            Self::Code(code) => write!(
                f,
                "0x{}..{} ({} bytes)",
                hex::encode(&code[..8]),
                hex::encode(&code[code.len() - 8..]),
                code.len()
            ),
        }
    }
}
