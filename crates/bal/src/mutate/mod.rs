//! Every single mutation of a valid list, each with a name. None of them may be accepted for the block that the list
//! belongs to: not by decoding, not by any executor.
//!
//! Mutations of the content are made on records, one account at a time, and encoded canonically; mutations of the form
//! are made on the bytes. The enumeration is lazy, deterministic and complete for each kind: all places of the list
//! are visited.

mod changes;
mod content;
mod form;

use crate::{AccountChanges, Field, encode};
use alloy_primitives::Bytes;
use std::fmt;

pub use form::Form;

/// A list with one thing wrong.
#[derive(Clone, Debug)]
pub struct Mutation {
    /// What was done.
    pub kind: MutationKind,
    /// To what it was done.
    pub place: String,
    /// The mutated list.
    pub bytes: Bytes,
}

impl fmt::Display for Mutation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.place)
    }
}

/// What a mutation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MutationKind {
    /// Leaves something out.
    Drop(Target),
    /// Adds what the block does not do.
    Add(Target),
    /// Repeats something.
    Duplicate(Target),
    /// Changes a value, or the name of something.
    Alter(Target),
    /// Swaps two neighbours.
    Reorder(Target),
    /// Gives a change another index of the block.
    Reindex(Field),
    /// Gives a change an index beyond the block.
    ReindexBeyondBlock(Field),
    /// Empties the change list of a slot.
    EmptySlot,
    /// Declares a written slot as read.
    WriteToRead,
    /// Declares a read slot as written.
    ReadToWrite,
    /// Keeps a written slot as written and declares it as read too.
    WriteAndRead,
    /// Gives a thing of one account or slot to its neighbour.
    Move(Target),
    /// Writes the same content in another form of RLP.
    Reencode(Form),
}

/// What is mutated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// A whole account.
    Account,
    /// A slot with all its changes.
    SlotChanges,
    /// One change, or one read, of a field.
    Entry(Field),
}

impl MutationKind {
    /// Whether the list's form alone gives the mutation away, so that decoding must refuse it; if not, decoding must
    /// accept it, and execution must find it out.
    pub fn is_structural(&self) -> bool {
        matches!(
            self,
            Self::Duplicate(_)
                | Self::Reorder(_)
                | Self::ReindexBeyondBlock(_)
                | Self::EmptySlot
                | Self::WriteAndRead
                | Self::Reencode(_)
        )
    }
}

/// Every single mutation of `accounts`, a valid list of a block whose last index is `index_max`.
pub fn mutations(accounts: &[AccountChanges], index_max: u32) -> impl Iterator<Item = Mutation> + '_ {
    content::edits(accounts, index_max)
        .map(move |edit| {
            let mut mutated = accounts.to_vec();
            mutated.splice(edit.accounts, edit.replacement);
            Mutation { kind: edit.kind, place: edit.place, bytes: encode(&mutated) }
        })
        .chain(form::mutations(accounts))
}

impl fmt::Display for MutationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Drop(target) => write!(f, "drop {target}"),
            Self::Add(target) => write!(f, "add {target}"),
            Self::Duplicate(target) => write!(f, "duplicate {target}"),
            Self::Alter(target) => write!(f, "alter {target}"),
            Self::Reorder(target) => write!(f, "reorder {target}"),
            Self::Reindex(field) => write!(f, "re-index {field}"),
            Self::ReindexBeyondBlock(field) => write!(f, "re-index {field} beyond the block"),
            Self::EmptySlot => f.write_str("empty slot"),
            Self::WriteToRead => f.write_str("write to read"),
            Self::ReadToWrite => f.write_str("read to write"),
            Self::WriteAndRead => f.write_str("write and read"),
            Self::Move(target) => write!(f, "move {target}"),
            Self::Reencode(form) => write!(f, "re-encode {form}"),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account => f.write_str("account"),
            Self::SlotChanges => f.write_str("slot"),
            Self::Entry(field) => field.fmt(f),
        }
    }
}
