//! Encoded nodes, and what their parents call them.

use alloy_primitives::{B256, keccak256};
use alloy_rlp::Header;
use balsa_keccak::keccak256_many;

/// How a parent names a child, as an item of its RLP: by hash, or the child itself if that is under 32 bytes
/// (Yellow Paper, appendix D).
#[derive(Clone, Copy, Debug)]
pub(super) struct Name {
    bytes: [u8; 33],
    len: u8,
}

impl Name {
    pub(super) const NONE: Self = Self { bytes: [0; 33], len: 0 };

    pub(super) fn of(node: &[u8], hash: impl FnOnce() -> B256) -> Self {
        let mut bytes = [0; 33];
        if node.len() < 32 {
            bytes[..node.len()].copy_from_slice(node);
            return Self { bytes, len: node.len() as u8 };
        }
        bytes[0] = 0xa0;
        bytes[1..].copy_from_slice(hash().as_slice());
        Self { bytes, len: 33 }
    }

    pub(super) fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.len.into()]
    }

    /// The root is named by hash, however short it is.
    pub(super) fn to_root(self) -> B256 {
        match self.as_slice() {
            [0xa0, hash @ ..] => B256::from_slice(hash),
            node => keccak256(node),
        }
    }
}

/// Encoded nodes, one behind the other.
#[derive(Debug, Default)]
pub(super) struct Nodes {
    pub(super) bytes: Vec<u8>,
    /// Where each ends.
    ends: Vec<usize>,
    /// A payload before its header is known.
    payload: Vec<u8>,
}

impl Nodes {
    /// Adds the list with the payload that `write` appends.
    pub(super) fn push(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        self.payload.clear();
        write(&mut self.payload);
        Header { list: true, payload_length: self.payload.len() }.encode(&mut self.bytes);
        self.bytes.extend_from_slice(&self.payload);
        self.ends.push(self.bytes.len());
    }

    /// How their parents name the nodes, in order, hashed together; none of them remains.
    pub(super) fn names(&mut self) -> Vec<Name> {
        let mut start = 0;
        let nodes: Vec<&[u8]> =
            self.ends.iter().map(|&end| &self.bytes[std::mem::replace(&mut start, end)..end]).collect();
        let mut hashes = vec![B256::ZERO; nodes.len()];
        keccak256_many(&nodes, &mut hashes);
        let names = nodes.iter().zip(hashes).map(|(node, hash)| Name::of(node, || hash)).collect();
        self.bytes.clear();
        self.ends.clear();
        names
    }
}
