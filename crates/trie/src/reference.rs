//! How a parent names a child: by its hash, or by the child itself when its RLP is under 32 bytes.

use alloy_primitives::{B256, keccak256};

/// The reference to a node inside its parent (Yellow Paper, appendix D: the function `n`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    /// The hash, or the node's RLP, zero beyond its end.
    pub(crate) bytes: B256,
    /// Whether `bytes` is the RLP itself. Its length is then in its first byte: it is a list under 56 bytes.
    pub(crate) inline: bool,
}

impl Reference {
    /// The reference to the node with this RLP.
    pub(crate) fn of(rlp: &[u8]) -> Self {
        if rlp.len() >= 32 { Self::hash(keccak256(rlp)) } else { Self::inline(rlp) }
    }

    /// The same, with the node's hash at hand.
    #[inline]
    pub(crate) fn of_hashed(rlp: &[u8], hash: &B256) -> Self {
        if rlp.len() >= 32 { Self::hash(*hash) } else { Self::inline(rlp) }
    }

    fn inline(rlp: &[u8]) -> Self {
        let mut bytes = B256::ZERO;
        bytes[..rlp.len()].copy_from_slice(rlp);
        Self { bytes, inline: true }
    }

    pub(crate) fn hash(bytes: B256) -> Self {
        Self { bytes, inline: false }
    }

    /// The hash of the node: of the RLP, where that stands inline. Roots are always named by hash.
    pub(crate) fn to_hash(self) -> B256 {
        if self.inline { keccak256(self.inline_rlp()) } else { self.bytes }
    }

    pub(crate) fn inline_rlp(&self) -> &[u8] {
        &self.bytes[..1 + usize::from(self.bytes[0] - 0xc0)]
    }

    /// Length as an item of the parent's list.
    pub(crate) fn len(&self) -> usize {
        if self.inline { self.inline_rlp().len() } else { 33 }
    }
}
