//! The bytes that are hashed: nodes as RLP (Yellow Paper, appendix D), written from the words of the arena.

use crate::{
    arena::{BranchView, Class, View},
    link::Link,
    path::{Path, nibble_of},
    reference::Reference,
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
            to.write_plain(key, &self.account, epoch);
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
        let value = view.number(4).to_be_bytes::<32>();
        let value = trimmed(&value);
        let mut packed = [0; 33];
        let packed = hex_prefix(&view.key(), depth, 64, true, &mut packed);
        // The value is RLP inside a string: one byte under 0x80 stands for itself in both.
        let inner = string_len(value);
        let outer = if inner == 1 && value.len() == 1 { 1 } else { 1 + inner };
        self.list_header(string_len(packed) + outer);
        self.string(packed);
        if outer > inner {
            self.byte(0x80 + inner as u8);
        }
        self.string(value);
    }

    fn account(&mut self, view: &View<'_>, depth: usize) {
        let account = view.account();
        let (nonce, balance) = (account.nonce.to_be_bytes(), account.balance.to_be_bytes::<32>());
        let (nonce, balance) = (trimmed(&nonce), trimmed(&balance));
        let mut packed = [0; 33];
        let packed = hex_prefix(&view.key(), depth, 64, true, &mut packed);
        let fields = string_len(nonce) + string_len(balance) + 66;
        // Two hashes alone are over 55 bytes: both headers have the long form with one byte of length.
        self.list_header(string_len(packed) + 2 + 2 + fields);
        self.string(packed);
        self.bytes(&[0xb8, 2 + fields as u8, 0xf8, fields as u8]);
        self.string(nonce);
        self.string(balance);
        for hash in [&account.storage_root, &account.code_hash] {
            self.byte(0xa0);
            self.bytes(hash.as_slice());
        }
    }

    fn branch(&mut self, branch: &BranchView<'_>) {
        let children = branch.mask().count_ones() as usize;
        if branch.inline_ranks() != 0 {
            return self.branch_with_inline(branch);
        }
        self.list_header(32 * children + 17);
        let mut references = branch.reference_words().iter();
        for nibble in 0..16 {
            if branch.mask() >> nibble & 1 == 0 {
                self.byte(0x80);
                continue;
            }
            let Some(reference) = references.next() else { unreachable!("a reference for every bit") };
            let at: &mut [u8; 33] = (&mut self.to[self.len..self.len + 33]).try_into().expect("33 bytes");
            at[0] = 0xa0;
            for (chunk, word) in at[1..].as_chunks_mut::<8>().0.iter_mut().zip(reference) {
                *chunk = word.load(Relaxed).to_ne_bytes();
            }
            self.len += 33;
        }
        self.byte(0x80);
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

    fn bytes(&mut self, bytes: &[u8]) {
        self.to[self.len..self.len + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }
}

/// Length of the RLP of a string of up to 55 bytes.
fn string_len(bytes: &[u8]) -> usize {
    if matches!(bytes, [byte] if *byte < 0x80) { 1 } else { 1 + bytes.len() }
}

fn trimmed(bytes: &[u8]) -> &[u8] {
    &bytes[bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len())..]
}

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
