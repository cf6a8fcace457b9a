//! The Merkle Patricia trie as the Yellow Paper's appendix D defines it, by recursion over a map.
//!
//! The tries of the official TrieTests have keys and values of any form, which the client's state trie, whose keys are
//! hashes, does not take. They judge this one, and this one judges the state trie.

use alloy_primitives::{B256, keccak256};
use alloy_rlp::{BufMut, Encodable, Header};
use std::collections::BTreeMap;

/// The root of the trie that maps these keys to these values.
pub(super) fn root(items: &BTreeMap<Vec<u8>, Vec<u8>>) -> B256 {
    if items.is_empty() {
        return keccak256([0x80]);
    }
    let items: Vec<_> = items.iter().map(|(key, value)| (nibbles(key), value.as_slice())).collect();
    keccak256(node(&items, 0))
}

fn nibbles(key: &[u8]) -> Vec<u8> {
    key.iter().flat_map(|byte| [byte >> 4, byte & 15]).collect()
}

/// The RLP of the node over `items`, sorted, whose keys agree in their first `depth` nibbles.
fn node(items: &[(Vec<u8>, &[u8])], depth: usize) -> Vec<u8> {
    if let [(key, value)] = items {
        return list(&[string(&hex_prefix(&key[depth..], true)), string(value)]);
    }
    let (first, last) = (&items[0].0, &items[items.len() - 1].0);
    let common = first[depth..].iter().zip(&last[depth..]).take_while(|(a, b)| a == b).count();
    if common > 0 {
        let path = hex_prefix(&first[depth..depth + common], false);
        return list(&[string(&path), reference(&node(items, depth + common))]);
    }
    let ends_here = first.len() == depth;
    let value = if ends_here { items[0].1 } else { &[] };
    let items = &items[usize::from(ends_here)..];
    let child = |nibble: u8| {
        let from = items.partition_point(|(key, _)| key[depth] < nibble);
        let to = items.partition_point(|(key, _)| key[depth] <= nibble);
        if from == to { string(&[]) } else { reference(&node(&items[from..to], depth + 1)) }
    };
    let mut parts: Vec<_> = (0..16).map(child).collect();
    parts.push(string(value));
    list(&parts)
}

/// How a parent holds a node: itself if it is short, its hash if not.
fn reference(node: &[u8]) -> Vec<u8> {
    if node.len() < 32 { node.to_vec() } else { string(keccak256(node).as_slice()) }
}

/// Appendix C. `terminated` marks the path of a leaf.
pub(super) fn hex_prefix(nibbles: &[u8], terminated: bool) -> Vec<u8> {
    let flag = u8::from(terminated) * 2;
    let odd = nibbles.len() % 2 == 1;
    let head = if odd { (flag + 1) << 4 | nibbles[0] } else { flag << 4 };
    let rest = nibbles[usize::from(odd)..].chunks(2).map(|pair| pair[0] << 4 | pair[1]);
    std::iter::once(head).chain(rest).collect()
}

fn string(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    bytes.encode(&mut out);
    out
}

fn list(parts: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    Header { list: true, payload_length: parts.iter().map(Vec::len).sum() }.encode(&mut out);
    parts.iter().for_each(|part| out.put_slice(part));
    out
}
