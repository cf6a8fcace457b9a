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
use std::sync::atomic::Ordering::Relaxed;

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

/// A node being written into a buffer.
pub(crate) struct Writer<'a> {
    to: &'a mut [u8; NODE_BYTES_MAX],
    len: usize,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(to: &'a mut [u8; NODE_BYTES_MAX]) -> Self {
        Self { to, len: 0 }
    }

    /// Writes a leaf that stands at `depth`, or a branch without its extension. Its length.
    pub(crate) fn node(mut self, view: &View<'_>, depth: usize) -> usize {
        match view.class() {
            Class::SLOT => self.slot(view, depth),
            Class::PLAIN | Class::FULL => self.account(view, depth),
            _ => self.branch(&view.branch()),
        }
        self.len
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

    fn slot(&mut self, view: &View<'_>, depth: usize) {
        let value = view.number(4);
        // The value is RLP inside a string: one byte under 0x80 stands for itself in both.
        let inner = number_len(&value);
        let is_byte = inner == 1 && !value.is_zero();
        self.leaf_path(view, depth, inner + usize::from(!is_byte));
        if !is_byte {
            self.byte(0x80 + inner as u8);
        }
        self.number(&value);
    }

    fn account(&mut self, view: &View<'_>, depth: usize) {
        let (is_plain, nonce, balance) = match view.plain_fields() {
            Some([nonce, low, high]) => (true, nonce, U256::from_limbs([low, high, 0, 0])),
            None => (false, view.word(4), view.full_balance()),
        };
        let nonce = U256::from_limbs([nonce, 0, 0, 0]);
        let fields = number_len(&nonce) + number_len(&balance) + HASHES_BYTES;
        // Two hashes alone are over 55 bytes: both headers have the long form with one byte of length.
        self.leaf_path(view, depth, 4 + fields);
        self.array(&[0xb8, 2 + fields as u8, 0xf8, fields as u8]);
        self.number(&nonce);
        self.number(&balance);
        if is_plain {
            self.array(&NO_STORAGE_NO_CODE);
        } else {
            for words in view.full_hashes() {
                self.hash(words);
            }
        }
    }

    /// What a leaf at `depth` has before its value: the header of the list, with the length of the value in it, and the rest of the key.
    fn leaf_path(&mut self, view: &View<'_>, depth: usize, value_len: usize) {
        // After the odd nibble, or from the start, whole bytes follow: the path ends where the key does.
        let start = depth.div_ceil(2);
        let packed = 33 - start;
        self.list_header(value_len + packed + usize::from(packed > 1));
        if packed > 1 {
            self.byte(0x80 + packed as u8);
        }
        let key: [u64; 4] = std::array::from_fn(|i| u64::from_le(view.word(i)));
        let is_odd = depth % 2 == 1;
        self.byte(if is_odd { 0x30 | (key[depth / 16] >> (depth / 2 % 8 * 8)) as u8 & 0xf } else { 0x20 });
        // The key from there on, moved to the front.
        let (words, bits) = (start / 8, start % 8 * 8);
        let word = |i: usize| key.get(i + words).copied().unwrap_or_default();
        let rest: [u64; 4] = std::array::from_fn(|i| word(i) >> bits | word(i + 1) << 1 << (63 - bits));
        let to = self.to[self.len..self.len + 32].as_chunks_mut::<8>().0;
        to.iter_mut().zip(rest).for_each(|(to, word)| *to = word.to_le_bytes());
        self.len += 32 - start;
    }

    /// A number of [`number_len`] bytes.
    fn number(&mut self, number: &U256) {
        let [low, high, third, fourth] = *number.as_limbs();
        let len = number_len(number);
        if third | fourth != 0 {
            let bytes = number.to_be_bytes::<32>();
            return self.string(&bytes[33 - len..]);
        }
        let low = u128::from(high) << 64 | u128::from(low);
        if len == 1 && low != 0 {
            return self.byte(low as u8);
        }
        self.byte(0x80 + len as u8 - 1);
        // What comes after the number is written over with what follows.
        let len = len - 1;
        let at: &mut [u8; 16] = (&mut self.to[self.len..self.len + 16]).try_into().expect("16 bytes");
        *at = low.rotate_right(8 * len as u32).to_be_bytes();
        self.len += len;
    }

    fn branch(&mut self, branch: &BranchView<'_>) {
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
        self.len += payload;
    }

    fn hash(&mut self, words: &[AtomicU64; 4]) {
        write_hash(&mut self.to[self.len..self.len + 33], words);
        self.len += 33;
    }

    #[cold]
    fn branch_with_inline(&mut self, branch: &BranchView<'_>) {
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

    fn array<const N: usize>(&mut self, bytes: &[u8; N]) {
        self.to[self.len..self.len + N].copy_from_slice(bytes);
        self.len += N;
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

/// Length of the RLP of a number.
fn number_len(number: &U256) -> usize {
    let [low, high, third, fourth] = *number.as_limbs();
    if third | fourth != 0 {
        return 1 + number.byte_len();
    }
    let low = u128::from(high) << 64 | u128::from(low);
    if low < 0x80 { 1 } else { 17 - low.leading_zeros() as usize / 8 }
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
            let node = pen.leaf(depth, &key, &value).unwrap();
            let mut buffer = [0xee; NODE_BYTES_MAX];
            let len = Writer::new(&mut buffer).node(&arena.view(node), depth);
            let mut packed = [0; 33];
            let packed = Bytes::copy_from_slice(hex_prefix(&key, depth, 64, true, &mut packed));
            let expected = alloy_rlp::encode(vec![packed, Bytes::from(encoded.clone())]);
            assert_eq!(Bytes::copy_from_slice(&buffer[..len]), Bytes::from(expected), "at depth {depth}");
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
