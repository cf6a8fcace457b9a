//! Following a proof: from a root down the nodes that it lists, each held against the reference before it.

use crate::path::nibble_of;
use alloy_primitives::{B256, Bytes, keccak256};
use alloy_rlp::Header;
use balsa_state::EMPTY_ROOT;

/// What is wrong with a list of nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadProof {
    /// The nodes end before the key does.
    #[error("the nodes end at depth {depth}")]
    Short {
        /// In nibbles.
        depth: usize,
    },
    /// There are nodes beyond the end of the key.
    #[error("{count} nodes are left over")]
    LeftOver {
        /// How many.
        count: usize,
    },
    /// A node is not the one that is named above it.
    #[error("the node at depth {depth} hashes to {found}, not {expected}")]
    WrongNode {
        /// In nibbles.
        depth: usize,
        /// What is named above it, or the root.
        expected: B256,
        /// What it hashes to.
        found: B256,
    },
    /// A node is no node of a trie.
    #[error("the node at depth {depth} is malformed")]
    Malformed {
        /// In nibbles.
        depth: usize,
    },
    /// The nodes prove another value, or that there is a value or none.
    #[error("the nodes prove another value")]
    OtherValue,
}

/// The value that the nodes prove for a key: as the leaf holds it, or that there is none.
pub(crate) fn proved_value(root: B256, key: &B256, nodes: &[Bytes]) -> Result<Option<Vec<u8>>, BadProof> {
    let mut nodes = nodes.iter();
    let mut depth = 0;
    if nodes.len() == 0 && root == EMPTY_ROOT {
        return Ok(None);
    }
    let mut node = named(&mut nodes, root, depth)?;
    let value = loop {
        let malformed = BadProof::Malformed { depth };
        let items = items(node).ok_or(malformed)?;
        let child = match items.as_slice() {
            [path, below] => {
                let (nibbles, is_leaf) = path_of(path).ok_or(malformed)?;
                let on_the_way = nibbles.len() <= 64 - depth
                    && nibbles.iter().enumerate().all(|(i, nibble)| nibble_of(key, depth + i) == *nibble);
                if is_leaf {
                    let value = string(below).ok_or(malformed)?;
                    break (on_the_way && depth + nibbles.len() == 64).then(|| value.to_vec());
                }
                if !on_the_way {
                    break None;
                }
                if nibbles.is_empty() {
                    return Err(malformed);
                }
                depth += nibbles.len();
                *below
            }
            children if children.len() == 17 && depth < 64 => {
                let child = children[nibble_of(key, depth)];
                depth += 1;
                child
            }
            _ => return Err(malformed),
        };
        node = match child {
            [0x80] => break None,
            [0xa0, hash @ ..] if hash.len() == 32 => named(&mut nodes, B256::from_slice(hash), depth)?,
            [first, ..] if *first >= 0xc0 && child.len() < 32 => child,
            _ => return Err(malformed),
        };
    };
    match nodes.len() {
        0 => Ok(value),
        count => Err(BadProof::LeftOver { count }),
    }
}

fn named<'n>(nodes: &mut std::slice::Iter<'n, Bytes>, expected: B256, depth: usize) -> Result<&'n [u8], BadProof> {
    let node = nodes.next().ok_or(BadProof::Short { depth })?;
    let found = keccak256(node);
    if found == expected { Ok(node) } else { Err(BadProof::WrongNode { depth, expected, found }) }
}

/// The items of a list, each with its header.
fn items(mut node: &[u8]) -> Option<Vec<&[u8]>> {
    let header = Header::decode(&mut node).ok().filter(|header| header.list && header.payload_length == node.len())?;
    let mut items = Vec::with_capacity(if header.payload_length > 100 { 17 } else { 2 });
    while !node.is_empty() {
        let mut rest = node;
        let item = Header::decode(&mut rest).ok()?;
        let end = node.len() - rest.len() + item.payload_length;
        items.push(node.get(..end)?);
        node = &node[end..];
    }
    Some(items)
}

fn string(mut item: &[u8]) -> Option<&[u8]> {
    Header::decode_bytes(&mut item, false).ok()
}

/// The nibbles of a hex-prefixed path, and whether a leaf ends it.
fn path_of(item: &[u8]) -> Option<(Vec<usize>, bool)> {
    let (first, rest) = string(item)?.split_first()?;
    let (flag, odd) = (first >> 5, first >> 4 & 1 == 1);
    if flag > 1 || !odd && first & 15 != 0 {
        return None;
    }
    let start = odd.then_some(usize::from(first & 15));
    let nibbles = start.into_iter().chain(rest.iter().flat_map(|b| [usize::from(b >> 4), usize::from(b & 15)]));
    Some((nibbles.collect(), flag == 1))
}
