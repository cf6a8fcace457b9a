//! The bytes that are hashed: nodes as RLP (Yellow Paper, appendix D).

use crate::{Path, path::nibble_of, reference::Reference};
use alloy_primitives::{B256, U256};
use alloy_rlp::{Encodable, Header};
use balsa_state::Account;

/// A value at a leaf of one of the two kinds of trie.
pub(crate) trait LeafValue: Clone + Send + Sync {
    /// Appends the bytes that the leaf holds, without the string header that the leaf puts around them.
    fn encode_value(&self, out: &mut Vec<u8>);
}

impl LeafValue for U256 {
    fn encode_value(&self, out: &mut Vec<u8>) {
        Encodable::encode(self, out);
    }
}

/// Appends the RLP of an account: nonce, balance, storage root, code hash.
pub(crate) fn encode_account(account: &Account, out: &mut Vec<u8>) {
    let payload_length = account.nonce.length() + account.balance.length() + 66;
    Header { list: true, payload_length }.encode(out);
    account.nonce.encode(out);
    account.balance.encode(out);
    account.storage_root.encode(out);
    account.code_hash.encode(out);
}

/// The RLP of a leaf at `depth` whose value is `value`.
pub(crate) fn leaf(key: &B256, depth: usize, value: &impl LeafValue) -> Vec<u8> {
    let mut inner = Vec::with_capacity(112);
    value.encode_value(&mut inner);
    let path = hex_prefix(64 - depth, true, |i| nibble_of(key, depth + i));
    list_of(&[&path, &inner])
}

/// The RLP of an extension that leads over `path` to `child`.
pub(crate) fn extension(path: &Path, child: &Reference) -> Vec<u8> {
    let path = hex_prefix(path.len(), false, |i| path.nibble(i));
    let mut payload = Vec::with_capacity(70);
    path.as_slice().encode(&mut payload);
    child.encode(&mut payload);
    with_list_header(&payload)
}

/// The RLP of a branch; `children` has a reference or nothing for each nibble.
pub(crate) fn branch(children: [Option<&Reference>; 16]) -> Vec<u8> {
    let mut payload = Vec::with_capacity(16 * 33 + 1);
    for child in children {
        match child {
            Some(reference) => reference.encode(&mut payload),
            None => payload.push(0x80),
        }
    }
    payload.push(0x80);
    with_list_header(&payload)
}

/// The hex-prefix encoding of `len` nibbles (Yellow Paper, appendix C).
fn hex_prefix(len: usize, is_leaf: bool, nibble: impl Fn(usize) -> usize) -> Vec<u8> {
    let flag = if is_leaf { 0x20 } else { 0 };
    let odd = len % 2;
    let mut out = Vec::with_capacity(33);
    out.push(if odd == 1 { flag | 0x10 | nibble(0) as u8 } else { flag });
    out.extend((odd..len).step_by(2).map(|i| (nibble(i) << 4 | nibble(i + 1)) as u8));
    out
}

fn list_of(strings: &[&[u8]]) -> Vec<u8> {
    let mut payload = Vec::with_capacity(160);
    for string in strings {
        string.encode(&mut payload);
    }
    with_list_header(&payload)
}

fn with_list_header(payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.len() + 3);
    Header { list: true, payload_length: payload.len() }.encode(&mut out);
    out.extend_from_slice(payload);
    out
}
