//! The persisted form of a branch.
//!
//! A store keeps one record for every position of a trie with more than [`SMALL_LEAVES_MAX`] leaves below it: the
//! branch found there, with the nibbles of the extension that leads to it, if any, and the references of all its
//! children. Smaller subtrees have no record: they are rebuilt from the flat leaves, which one short scan reads. A
//! random trie of five million accounts has a million branches over five leaves each; leaving those out makes the
//! records a tenth of what they would be.
//!
//! ```text
//! record    = extension_len:u8  extension:⌈len/2⌉ bytes  state_mask:u16  tree_mask:u16  inline_mask:u16  child*
//! child     = leaves:u8 (only where the tree mask has no bit)  reference:32 bytes
//! ```
//! Integers are big endian. Children stand in the order of their nibbles.

use crate::{Path, reference::Reference};
use alloy_primitives::{B256, Bytes};

/// A subtree with no more leaves than this has no record in the store.
pub const SMALL_LEAVES_MAX: u8 = 16;

/// The branch record of one position. See the module for its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branch {
    bytes: Bytes,
}

/// Bytes that are not a branch record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a branch record of {len} bytes: {reason}")]
pub struct BranchError {
    /// Length of the bytes.
    pub len: usize,
    /// What is wrong with them.
    pub reason: &'static str,
}

/// One child in a record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RecordChild {
    pub(crate) nibble: usize,
    /// Number of leaves below; nothing if the child has a record of its own.
    pub(crate) leaves: Option<u8>,
    pub(crate) reference: Reference,
}

impl Branch {
    /// Bytes of a record with sixteen children, none of them large, and no extension: most have no more.
    pub(crate) const BYTES_USUAL: usize = 1 + 6 + 16 * 33;

    /// Takes bytes from a store.
    ///
    /// # Errors
    /// If they are not what [`Branch::as_bytes`] gave.
    pub fn from_bytes(bytes: Bytes) -> Result<Self, BranchError> {
        let refuse = |reason| Err(BranchError { len: bytes.len(), reason });
        let Some(&extension_len) = bytes.first() else {
            return refuse("empty");
        };
        let header = 1 + usize::from(extension_len).div_ceil(2);
        if extension_len > 63 {
            return refuse("the extension is over 63 nibbles");
        }
        if bytes.len() < header + 6 || Path::from_bytes(&bytes[..header]).is_none() {
            return refuse("the header is cut short or padded");
        }
        let branch = Self { bytes };
        let (state, tree, inline) = (branch.state_mask(), branch.tree_mask(), branch.mask(2));
        let refuse = |reason| Err(BranchError { len: branch.bytes.len(), reason });
        if state.count_ones() < 2 {
            return refuse("fewer than two children");
        }
        if tree & !state != 0 || inline & !state != 0 {
            return refuse("a mask names a child that is not there");
        }
        if branch.bytes.len() != header + 6 + (33 * state.count_ones() - tree.count_ones()) as usize {
            return refuse("the children do not fill the record");
        }
        if branch.children().any(|child| child.leaves.is_some_and(|n| n == 0 || n > SMALL_LEAVES_MAX)) {
            return refuse("a leaf count is out of range");
        }
        if branch.children().any(|child| child.reference.inline && !(0xc0..0xdf).contains(&child.reference.bytes[0])) {
            return refuse("an inline child is no short list");
        }
        Ok(branch)
    }

    /// The record, as a store keeps it.
    pub fn as_bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The nibbles between the record's position and the branch.
    pub fn extension(&self) -> Path {
        Path::from_bytes(&self.bytes[..self.header_len()]).expect("checked when the record was made")
    }

    /// A bit for every child.
    pub fn state_mask(&self) -> u16 {
        self.mask(0)
    }

    /// A bit for every child with a record of its own.
    pub fn tree_mask(&self) -> u16 {
        self.mask(1)
    }

    /// Appends the bytes of a record.
    pub(crate) fn write(extension: &Path, children: impl Iterator<Item = RecordChild>, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&extension.to_bytes());
        let masks_at = bytes.len();
        bytes.extend_from_slice(&[0; 6]);
        let mut masks = [0u16; 3];
        for child in children {
            let bit = 1 << child.nibble;
            masks[0] |= bit;
            masks[2] |= if child.reference.inline { bit } else { 0 };
            match child.leaves {
                Some(leaves) => bytes.push(leaves),
                None => masks[1] |= bit,
            }
            bytes.extend_from_slice(child.reference.bytes.as_slice());
        }
        for (i, mask) in masks.iter().enumerate() {
            bytes[masks_at + 2 * i..][..2].copy_from_slice(&mask.to_be_bytes());
        }
    }

    /// A record that [`Branch::write`] wrote.
    pub(crate) fn written(bytes: Bytes) -> Self {
        Self { bytes }
    }

    pub(crate) fn children(&self) -> impl Iterator<Item = RecordChild> + '_ {
        let (state, tree, inline) = (self.state_mask(), self.tree_mask(), self.mask(2));
        let mut at = self.header_len() + 6;
        (0..16).filter(move |nibble| state & (1 << nibble) != 0).map(move |nibble| {
            let leaves = (tree & (1 << nibble) == 0).then(|| self.bytes[at]);
            at += usize::from(leaves.is_some());
            let reference =
                Reference { bytes: B256::from_slice(&self.bytes[at..at + 32]), inline: inline & (1 << nibble) != 0 };
            at += 32;
            RecordChild { nibble, leaves, reference }
        })
    }

    fn header_len(&self) -> usize {
        1 + usize::from(self.bytes[0]).div_ceil(2)
    }

    fn mask(&self, i: usize) -> u16 {
        let at = self.header_len() + 2 * i;
        u16::from_be_bytes([self.bytes[at], self.bytes[at + 1]])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Branch {
        let child = |nibble, leaves| RecordChild {
            nibble,
            leaves,
            reference: Reference::hash(B256::repeat_byte(nibble as u8 + 1)),
        };
        let mut bytes = Vec::new();
        let children = [child(0, Some(3)), child(9, None), child(15, Some(16))];
        Branch::write(&Path::ROOT.child(7).child(3).child(9), children.into_iter(), &mut bytes);
        Branch::written(bytes.into())
    }

    #[test]
    fn bytes_come_back() {
        let branch = sample();
        let back = Branch::from_bytes(branch.as_bytes().clone()).unwrap();
        assert_eq!(back, branch);
        assert_eq!(back.extension(), Path::ROOT.child(7).child(3).child(9));
        assert_eq!((back.state_mask(), back.tree_mask()), (0x8201, 0x0200));
        let children: Vec<_> = back.children().map(|c| (c.nibble, c.leaves, c.reference.bytes[0])).collect();
        assert_eq!(children, [(0, Some(3), 1), (9, None, 10), (15, Some(16), 16)]);
    }

    #[test]
    fn damaged_bytes_are_refused() {
        let good = sample().as_bytes().to_vec();
        for len in 0..good.len() {
            assert!(Branch::from_bytes(good[..len].to_vec().into()).is_err(), "cut to {len}");
        }
        let damaged = |at: usize, byte: u8| {
            let mut bytes = good.clone();
            bytes[at] = byte;
            Branch::from_bytes(bytes.into())
        };
        // Extension length, padding of the extension, tree mask, inline mask, a leaf count of zero and of 17.
        for (at, byte) in [(0, 1), (0, 64), (2, 0x95), (5, 0xff), (7, 0x40), (9, 0), (9, 17)] {
            assert!(damaged(at, byte).is_err(), "byte {at} = {byte:#x}");
        }
    }
}
