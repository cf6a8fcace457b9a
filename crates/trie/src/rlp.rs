//! The bytes that are hashed: nodes as RLP (Yellow Paper, appendix D), written from the words of the arena.

use crate::{
    arena::{BranchView, Class, View, nibbles},
    link::Link,
    path::{Path, nibble_of},
    reference::Reference,
    sync::AtomicU64,
};
use alloy_primitives::{B256, U256};
use alloy_rlp::Encodable;
use balsa_state::{Account, EMPTY_CODE_HASH, EMPTY_ROOT};
use std::{ops::Range, sync::atomic::Ordering::Relaxed};

/// The longest node, a branch of sixteen hashes, has 532 bytes.
pub(crate) const NODE_BYTES_MAX: usize = 544;

/// A value at a leaf of one of the two kinds of trie.
pub(crate) trait Leaf: Copy + Send + Sync {
    fn class(&self) -> Class;
    /// Writes a leaf of this class.
    fn write(&self, key: &B256, epoch: u32, to: &View<'_>);
    fn read(from: &View<'_>) -> Self;
    /// Whether both are the same in every word.
    fn is_same(&self, other: &Self) -> bool;
    /// Whether leaves of both have the same hash.
    fn hashes_alike(&self, other: &Self) -> bool;
}

impl Leaf for U256 {
    fn class(&self) -> Class {
        Class::SLOT
    }

    fn write(&self, key: &B256, _: u32, to: &View<'_>) {
        to.set_hash(0, key);
        to.set_number(4, self);
    }

    fn read(from: &View<'_>) -> Self {
        from.number(4)
    }

    fn is_same(&self, other: &Self) -> bool {
        self == other
    }

    fn hashes_alike(&self, other: &Self) -> bool {
        self == other
    }
}

/// An account, and its storage trie as far as that is in memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AccountLeaf {
    pub(crate) account: Account,
    /// [`Link::NONE`] where there is no storage.
    pub(crate) storage: Link,
}

impl AccountLeaf {
    /// An account from the store.
    pub(crate) fn unread(account: Account) -> Self {
        let storage = if account.storage_root == EMPTY_ROOT { Link::NONE } else { Link::UNKNOWN };
        Self { account, storage }
    }
}

impl Leaf for AccountLeaf {
    fn class(&self) -> Class {
        let Account { storage_root, code_hash, balance, .. } = &self.account;
        let [.., third, fourth] = balance.as_limbs();
        let plain = *storage_root == EMPTY_ROOT && *code_hash == EMPTY_CODE_HASH && third | fourth == 0;
        if plain { Class::PLAIN } else { Class::FULL }
    }

    fn write(&self, key: &B256, epoch: u32, to: &View<'_>) {
        if to.class() == Class::PLAIN {
            let [low, high, ..] = *self.account.balance.as_limbs();
            to.write_plain(key, self.account.nonce, [low, high], epoch);
        } else {
            to.write_full(key, &self.account, self.storage, epoch);
        }
    }

    fn read(from: &View<'_>) -> Self {
        Self { account: from.account(), storage: from.storage() }
    }

    fn is_same(&self, other: &Self) -> bool {
        self.account == other.account && self.storage == other.storage
    }

    fn hashes_alike(&self, other: &Self) -> bool {
        self.account == other.account
    }
}

/// The RLP of an account, as its leaf holds it.
pub(crate) fn encoded_account(account: &Account) -> Vec<u8> {
    let fields: [&dyn Encodable; 4] = [&account.nonce, &account.balance, &account.storage_root, &account.code_hash];
    let mut out = Vec::with_capacity(110);
    alloy_rlp::encode_list::<_, dyn Encodable>(&fields, &mut out);
    out
}

/// Writes a leaf that stands at `depth`, or a branch without its extension, into `to`, and tells where.
#[inline]
pub(crate) fn node(view: &View<'_>, depth: usize, to: &mut [u8; NODE_BYTES_MAX]) -> Range<usize> {
    if view.class().is_branch() { 0..Writer::new(to).branch(&view.branch()) } else { leaf(view, depth, to) }
}

/// Where a leaf's whole key is written, so that it need not be moved: what the path is begins in the middle of it, and what stands
/// before the path is written over the rest.
const KEY_AT: usize = 8;
const VALUE_AT: usize = KEY_AT + 32;

/// Room for a leaf of the smaller size: a value of at most 96 bytes, with its headers.
pub(crate) const LIGHT_LEAF_ROOM: usize = VALUE_AT + 96;

/// Writes a leaf that stands at `depth` into `to`, which has room for it, and tells where.
#[inline(always)]
pub(crate) fn leaf<const N: usize>(view: &View<'_>, depth: usize, to: &mut [u8; N]) -> Range<usize> {
    const { assert!(N >= LIGHT_LEAF_ROOM) };
    let value_end = if view.class() == Class::SLOT { slot(view, to) } else { account(view, to) };
    for i in 0..4 {
        put(to, KEY_AT + 8 * i, view.word(i).to_ne_bytes());
    }
    // After the odd nibble, or from the start, whole bytes follow: the path ends where the key does.
    let start = depth.div_ceil(2);
    let (packed, mut begin) = (33 - start, KEY_AT - 1 + start);
    to[begin] = if depth % 2 == 1 { 0x30 | to[begin] & 0xf } else { 0x20 };
    if packed > 1 {
        begin -= 1;
        to[begin] = 0x80 + packed as u8;
    }
    let payload = value_end - begin;
    begin -= 1;
    if payload <= 55 {
        to[begin] = 0xc0 + payload as u8;
    } else {
        to[begin] = payload as u8;
        begin -= 1;
        to[begin] = 0xf8;
    }
    begin..value_end
}

/// Writes the value of a slot, where it ends.
#[inline(always)]
fn slot(view: &View<'_>, to: &mut [u8]) -> usize {
    let value = view.number(4);
    // The value is RLP inside a string: one byte under 0x80 stands for itself in both.
    let end = number(&value, to, VALUE_AT + 1);
    let inner = end - VALUE_AT - 1;
    if inner == 1 && !value.is_zero() {
        to[VALUE_AT] = to[VALUE_AT + 1];
        return VALUE_AT + 1;
    }
    to[VALUE_AT] = 0x80 + inner as u8;
    end
}

/// Writes the value of an account, where it ends.
#[inline(always)]
fn account(view: &View<'_>, to: &mut [u8]) -> usize {
    let plain = view.plain_fields();
    let at = medium_number(view.word(4).into(), to, VALUE_AT + 4);
    let end = if let Some([_, low, high]) = plain {
        let at = medium_number(u128::from(high) << 64 | u128::from(low), to, at);
        put(to, at, NO_STORAGE_NO_CODE);
        at + HASHES_BYTES
    } else {
        let at = number(&view.full_balance(), to, at);
        let [storage_root, code_hash] = view.full_hashes();
        write_hash(&mut to[at..at + 33], storage_root);
        write_hash(&mut to[at + 33..at + 66], code_hash);
        at + HASHES_BYTES
    };
    // Two hashes alone are over 55 bytes: both headers have the long form with one byte of length.
    let fields = end - VALUE_AT - 4;
    put(to, VALUE_AT, [0xb8, 2 + fields as u8, 0xf8, fields as u8]);
    end
}

/// Writes a number at `at`, where it ends. What lies in the sixteen bytes behind that is lost.
#[inline(always)]
fn number(number: &U256, to: &mut [u8], at: usize) -> usize {
    let [low, high, third, fourth] = *number.as_limbs();
    if third | fourth == 0 {
        return medium_number(u128::from(high) << 64 | u128::from(low), to, at);
    }
    let (bytes, len) = (number.to_be_bytes::<32>(), number.byte_len());
    to[at] = 0x80 + len as u8;
    to[at + 1..][..len].copy_from_slice(&bytes[32 - len..]);
    at + 1 + len
}

#[inline(always)]
fn medium_number(number: u128, to: &mut [u8], at: usize) -> usize {
    let len = 16 - number.leading_zeros() as usize / 8;
    to[at] = 0x80 + len as u8;
    // One byte under 0x80 is written over its header.
    let is_byte = number.wrapping_sub(1) < 0x7f;
    let at = at + usize::from(!is_byte);
    put(to, at, number.rotate_right(8 * len as u32).to_be_bytes());
    at + len
}

#[inline(always)]
fn put<const M: usize>(to: &mut [u8], at: usize, bytes: [u8; M]) {
    to[at..at + M].copy_from_slice(&bytes);
}

/// A branch or an extension being written into a buffer.
pub(crate) struct Writer<'a> {
    to: &'a mut [u8; NODE_BYTES_MAX],
    len: usize,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(to: &'a mut [u8; NODE_BYTES_MAX]) -> Self {
        Self { to, len: 0 }
    }

    /// Writes an extension that leads over `path` to `child`. Its length.
    pub(crate) fn extension(mut self, path: &Path, child: &Reference) -> usize {
        let mut packed = [0; 33];
        let packed = hex_prefix(&path.first_key(), 0, path.len(), false, &mut packed);
        self.list_header(string_len(packed) + child.len());
        self.string(packed);
        self.reference(child);
        self.len
    }

    /// Writes a branch. Its length.
    fn branch(mut self, branch: &BranchView<'_>) -> usize {
        let references = branch.reference_words();
        if branch.inline_ranks() != 0 {
            return self.branch_with_inline(branch);
        }
        let payload = 32 * references.len() + 17;
        self.list_header(payload);
        // As if all were absent, and then those that are there.
        let to = &mut self.to[self.len..self.len + payload];
        to.fill(0x80);
        for (rank, (nibble, reference)) in nibbles(branch.mask()).zip(references).enumerate() {
            let at = nibble + 32 * rank;
            write_hash(&mut to[at..at + 33], reference);
        }
        self.len + payload
    }

    #[cold]
    fn branch_with_inline(mut self, branch: &BranchView<'_>) -> usize {
        let references: Vec<_> = (0..branch.mask().count_ones() as usize).map(|rank| branch.reference(rank)).collect();
        let absent = 17 - references.len();
        self.list_header(absent + references.iter().map(Reference::len).sum::<usize>());
        for nibble in 0..16 {
            match branch.rank(nibble) {
                Some(rank) => self.reference(&references[rank]),
                None => self.byte(0x80),
            }
        }
        self.byte(0x80);
        self.len
    }

    fn reference(&mut self, reference: &Reference) {
        if reference.inline {
            self.bytes(reference.inline_rlp());
        } else {
            self.byte(0xa0);
            self.bytes(reference.bytes.as_slice());
        }
    }

    fn list_header(&mut self, payload: usize) {
        match payload {
            0..=55 => self.byte(0xc0 + payload as u8),
            56..=255 => self.bytes(&[0xf8, payload as u8]),
            _ => self.bytes(&[0xf9, (payload >> 8) as u8, payload as u8]),
        }
    }

    /// A string of up to 55 bytes.
    fn string(&mut self, bytes: &[u8]) {
        if string_len(bytes) > bytes.len() {
            self.byte(0x80 + bytes.len() as u8);
        }
        self.bytes(bytes);
    }

    fn byte(&mut self, byte: u8) {
        self.to[self.len] = byte;
        self.len += 1;
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.to[self.len..self.len + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }
}

/// Length of the RLP of a string of up to 55 bytes.
fn string_len(bytes: &[u8]) -> usize {
    if matches!(bytes, [byte] if *byte < 0x80) { 1 } else { 1 + bytes.len() }
}

fn write_hash(to: &mut [u8], words: &[AtomicU64; 4]) {
    let to: &mut [u8; 33] = to.try_into().expect("33 bytes");
    to[0] = 0xa0;
    for (chunk, word) in to[1..].as_chunks_mut::<8>().0.iter_mut().zip(words) {
        *chunk = word.load(Relaxed).to_ne_bytes();
    }
}

/// Two hashes, each with its header.
const HASHES_BYTES: usize = 66;

/// What ends an account without storage and code.
const NO_STORAGE_NO_CODE: [u8; HASHES_BYTES] = {
    let mut bytes = [0xa0; HASHES_BYTES];
    let mut i = 0;
    while i < 32 {
        bytes[1 + i] = EMPTY_ROOT.0[i];
        bytes[34 + i] = EMPTY_CODE_HASH.0[i];
        i += 1;
    }
    bytes
};

/// The hex-prefix encoding of nibbles `start..end` of a key (Yellow Paper, appendix C).
pub(crate) fn hex_prefix<'a>(key: &B256, start: usize, end: usize, is_leaf: bool, out: &'a mut [u8; 33]) -> &'a [u8] {
    let flag = if is_leaf { 0x20 } else { 0 };
    let len = end - start;
    out[0] = if len % 2 == 1 { flag | 0x10 | nibble_of(key, start) as u8 } else { flag };
    // What follows the odd nibble starts at a whole byte of the key, or half a byte into it.
    let first = start + len % 2;
    let bytes = &mut out[1..1 + len / 2];
    if first.is_multiple_of(2) {
        bytes.copy_from_slice(&key[first / 2..first / 2 + len / 2]);
    } else {
        for (i, byte) in bytes.iter_mut().enumerate() {
            *byte = key[first / 2 + i] << 4 | key[first / 2 + i + 1] >> 4;
        }
    }
    &out[..1 + len / 2]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        HeapMemory,
        arena::{Arena, Pen},
    };
    use alloy_primitives::{Bytes, keccak256};
    use std::sync::Arc;

    fn check<L: Leaf>(value: L, encoded: Vec<u8>) {
        let (arena, key) = (Arena::new(Arc::new(HeapMemory)), keccak256(&encoded));
        let mut pen = Pen::new(&arena, 1);
        for depth in 0..=64 {
            let node = pen.leaf(depth, &key, &value).unwrap().0;
            let mut buffer = [0xee; NODE_BYTES_MAX];
            let at = super::node(&arena.view(node), depth, &mut buffer);
            let mut packed = [0; 33];
            let packed = Bytes::copy_from_slice(hex_prefix(&key, depth, 64, true, &mut packed));
            let expected = alloy_rlp::encode(vec![packed, Bytes::from(encoded.clone())]);
            assert_eq!(Bytes::copy_from_slice(&buffer[at]), Bytes::from(expected), "at depth {depth}");
        }
    }

    /// Numbers at the edges of their lengths.
    fn numbers() -> impl Iterator<Item = U256> {
        let edges = (0..256).step_by(8).chain([7]).map(|bits| U256::from(1) << bits);
        edges.flat_map(|edge| [edge - U256::from(1), edge]).chain([U256::MAX])
    }

    #[test]
    fn leaves_are_what_a_library_writes() {
        for number in numbers() {
            check(number, alloy_rlp::encode(number));
            for nonce in [0, 1, 0x7f, 0x80, 0x1234, u64::MAX] {
                let plain = Account { nonce, balance: number, ..Account::default() };
                let full = Account { storage_root: keccak256([1]), code_hash: keccak256([2]), ..plain };
                for account in [plain, full] {
                    check(AccountLeaf::unread(account), encoded_account(&account));
                }
            }
        }
    }
}
