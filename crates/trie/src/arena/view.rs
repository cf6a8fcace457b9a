//! The words of a node.
//!
//! ```text
//! slot      key[4] value[4]
//! plain     key[4] nonce balance[2] epoch
//! full      key[4] nonce balance[4] code_hash[4] storage_root[4] storage:u32|epoch:u32
//! branch    mask:u16|inline:u16|extension_len:u8|light:u16|_  leaves:u32|epoch:u32  (extension[4])  link:u32*  reference[4]*  (count:u8*)
//! ```
//! `inline` and `light` have a bit a child, by rank: its reference is the child itself; it is a leaf of the smaller size, in
//! memory, so that whoever weighs a branch knows what such children weigh without looking them up.
//! Keys, hashes and paths stand as their bytes; numbers as words, the low one first. Children of a branch stand in the
//! order of their nibbles. `leaves` is the number of leaves below the branch, where a subtree that is not in memory and
//! has a record in the store counts for the least it can have: so a branch is large exactly when `leaves` says so.
//! A large branch also has the `leaves` of each child, up to one more than a small one can have: without them, making
//! its record would touch all of its children. With sixteen children they fit where a node's last unit has room anyway.

use super::Class;
use crate::{SMALL_LEAVES_MAX, link::Link, path::Path, reference::Reference, sync::AtomicU64};
use alloy_primitives::{B256, U256};
use balsa_state::Account;
use std::sync::atomic::Ordering::Relaxed;

/// A node in its page.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    class: Class,
    pub(super) words: &'a [AtomicU64],
}

impl<'a> View<'a> {
    pub(super) fn new(class: Class, words: &'a [AtomicU64]) -> Self {
        Self { class, words }
    }

    #[inline]
    pub(crate) fn class(&self) -> Class {
        self.class
    }

    #[inline]
    pub(crate) fn word(&self, i: usize) -> u64 {
        self.words[i].load(Relaxed)
    }

    pub(crate) fn set_word(&self, i: usize, word: u64) {
        self.words[i].store(word, Relaxed);
    }

    pub(crate) fn hash(&self, i: usize) -> B256 {
        let words: &[AtomicU64; 4] = self.words[i..i + 4].try_into().expect("four words");
        let mut bytes = B256::ZERO;
        for (chunk, word) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(words) {
            *chunk = word.load(Relaxed).to_ne_bytes();
        }
        bytes
    }

    pub(crate) fn set_hash(&self, i: usize, hash: &B256) {
        let words: &[AtomicU64; 4] = self.words[i..i + 4].try_into().expect("four words");
        for (chunk, word) in hash.as_chunks::<8>().0.iter().zip(words) {
            word.store(u64::from_ne_bytes(*chunk), Relaxed);
        }
    }

    pub(crate) fn number(&self, i: usize) -> U256 {
        U256::from_limbs([self.word(i), self.word(i + 1), self.word(i + 2), self.word(i + 3)])
    }

    pub(crate) fn set_number(&self, i: usize, number: &U256) {
        for (k, limb) in number.as_limbs().iter().enumerate() {
            self.set_word(i + k, *limb);
        }
    }

    /// The key of a leaf.
    pub(crate) fn key(&self) -> B256 {
        debug_assert!(!self.class.is_branch());
        self.hash(0)
    }

    /// The account of a plain or full leaf.
    pub(crate) fn account(&self) -> Account {
        if self.class == Class::PLAIN {
            let balance = U256::from_limbs([self.word(5), self.word(6), 0, 0]);
            return Account { nonce: self.word(4), balance, ..Account::default() };
        }
        debug_assert!(self.class == Class::FULL);
        Account { nonce: self.word(4), balance: self.number(5), code_hash: self.hash(9), storage_root: self.hash(13) }
    }

    /// Nonce and balance of a plain leaf.
    #[inline]
    pub(crate) fn plain_fields(&self) -> Option<[u64; 3]> {
        (self.class == Class::PLAIN).then(|| [4, 5, 6].map(|i| self.word(i)))
    }

    /// The balance in a full leaf.
    pub(crate) fn full_balance(&self) -> U256 {
        debug_assert!(self.class == Class::FULL);
        self.number(5)
    }

    /// The words of the storage root and of the code hash of a full leaf.
    pub(crate) fn full_hashes(&self) -> [&'a [AtomicU64; 4]; 2] {
        debug_assert!(self.class == Class::FULL);
        [13, 9].map(|at| self.words[at..at + 4].try_into().expect("four words"))
    }

    /// The storage trie of an account's leaf.
    pub(crate) fn storage(&self) -> Link {
        if self.class == Class::FULL { Link::from_bits(self.word(FULL_LINK) as u32) } else { Link::NONE }
    }

    /// Number of leaves at or below this node; see the module for what counts.
    #[inline]
    pub(crate) fn leaves(&self) -> u32 {
        if self.class.is_branch() { self.word(1) as u32 } else { 1 }
    }

    /// Becomes the same node as `other`, of the same class, touched at `epoch`.
    pub(crate) fn copy_branch(&self, other: &View<'_>, epoch: u32) {
        debug_assert!(self.class == other.class && self.class.is_branch());
        for (to, from) in self.words.iter().zip(other.words) {
            to.store(from.load(Relaxed), Relaxed);
        }
        self.set_word(1, u64::from(self.word(1) as u32) | u64::from(epoch) << 32);
    }

    /// Becomes the same node as `other`, of the same class and of any arena.
    pub(crate) fn copy(&self, other: &View<'_>) {
        debug_assert!(self.class == other.class);
        for (to, from) in self.words.iter().zip(other.words) {
            to.store(from.load(Relaxed), Relaxed);
        }
    }

    /// When this node was made. A slot does not say; no node below this one is younger.
    pub(crate) fn epoch(&self) -> Option<u32> {
        match self.class {
            Class::SLOT => None,
            Class::PLAIN => Some(self.word(PLAIN_EPOCH) as u32),
            Class::FULL => Some((self.word(FULL_LINK) >> 32) as u32),
            _ => Some((self.word(1) >> 32) as u32),
        }
    }

    /// Changes the leaves of a branch.
    pub(crate) fn set_leaves(&self, leaves: u32) {
        debug_assert!(self.class.is_branch());
        self.set_word(1, self.word(1) >> 32 << 32 | u64::from(leaves));
    }

    /// Changes the storage trie of a full leaf.
    pub(crate) fn set_storage(&self, storage: Link) {
        debug_assert!(self.class == Class::FULL);
        self.set_word(FULL_LINK, self.word(FULL_LINK) >> 32 << 32 | u64::from(storage.bits()));
    }

    /// The node as a branch.
    #[inline(always)]
    pub(crate) fn branch(self) -> BranchView<'a> {
        debug_assert!(self.class.is_branch());
        let head = self.word(0);
        let mask = head & 0xffff;
        let links = if head & EXTENSION_MASK == 0 { 2 } else { 6 };
        BranchView { view: self, mask, links, references: links + (mask.count_ones() as usize).div_ceil(2) }
    }

    pub(crate) fn write_plain(&self, key: &B256, nonce: u64, [low, high]: [u64; 2], epoch: u32) {
        self.set_hash(0, key);
        for (i, word) in [nonce, low, high, u64::from(epoch)].into_iter().enumerate() {
            self.set_word(4 + i, word);
        }
    }

    pub(crate) fn write_full(&self, key: &B256, account: &Account, storage: Link, epoch: u32) {
        self.set_hash(0, key);
        self.set_word(4, account.nonce);
        self.set_number(5, &account.balance);
        self.set_hash(9, &account.code_hash);
        self.set_hash(13, &account.storage_root);
        self.set_word(FULL_LINK, u64::from(storage.bits()) | u64::from(epoch) << 32);
    }
}

const PLAIN_EPOCH: usize = 7;
const FULL_LINK: usize = 17;
const LIGHT_SHIFT: u32 = 40;
const EXTENSION_MASK: u64 = 0xff << 32;

/// The class of branches of so many children.
pub(super) fn branch_class(children: usize, extended: bool, leaves: u32) -> Class {
    let counts = if leaves > COUNT_MAX { children.div_ceil(8) } else { 0 };
    let words = 2 + if extended { 4 } else { 0 } + children.div_ceil(2) + 4 * children + counts;
    Class::branch(words.div_ceil(super::UNIT_WORDS))
}

/// Leaves of a small subtree.
const COUNT_MAX: u32 = SMALL_LEAVES_MAX as u32;

/// A branch, with the extension that leads to it.
#[derive(Clone, Copy)]
pub(crate) struct BranchView<'a> {
    view: View<'a>,
    // Sixteen bits, in a word: see `Class`.
    mask: u64,
    links: usize,
    references: usize,
}

impl BranchView<'_> {
    #[inline]
    pub(crate) fn class(&self) -> Class {
        self.view.class
    }

    /// A bit for every child.
    #[inline]
    pub(crate) fn mask(&self) -> u16 {
        self.mask as u16
    }

    /// Which of the children `nibble` is, if there is one.
    #[inline]
    pub(crate) fn rank(&self, nibble: usize) -> Option<usize> {
        (self.mask >> nibble & 1 == 1).then(|| rank_in(self.mask as u16, nibble))
    }

    #[inline]
    pub(crate) fn link(&self, rank: usize) -> Link {
        let pair = self.view.word(self.links + rank / 2);
        Link::from_bits(if rank.is_multiple_of(2) { pair as u32 } else { (pair >> 32) as u32 })
    }

    #[inline]
    pub(crate) fn reference(&self, rank: usize) -> Reference {
        let inline = self.view.word(0) >> 16 >> rank & 1 == 1;
        Reference { bytes: self.view.hash(self.references + 4 * rank), inline }
    }

    /// A bit for every child, by rank, whose reference is the child itself.
    #[inline]
    pub(crate) fn inline_ranks(&self) -> u16 {
        (self.view.word(0) >> 16) as u16
    }

    /// A bit for every child, by rank, that is a leaf of the smaller size in memory.
    #[inline]
    pub(crate) fn light_ranks(&self) -> u16 {
        (self.view.word(0) >> LIGHT_SHIFT) as u16
    }

    /// The words of all references, four a child.
    pub(crate) fn reference_words(&self) -> &[[AtomicU64; 4]] {
        let count = self.mask.count_ones() as usize;
        self.view.words[self.references..self.references + 4 * count].as_chunks().0
    }

    /// The words of all links, two a word, the low one first.
    #[inline]
    pub(crate) fn link_words(&self) -> impl Iterator<Item = u64> + '_ {
        self.view.words[self.links..self.references].iter().map(|word| word.load(Relaxed))
    }

    #[inline]
    pub(crate) fn extension_len(&self) -> usize {
        (self.view.word(0) >> 32) as usize & 0xff
    }

    pub(crate) fn extension(&self) -> Path {
        match self.extension_len() {
            0 => Path::ROOT,
            len => Path::of_key(&self.view.hash(2), len),
        }
    }

    #[inline]
    pub(crate) fn leaves(&self) -> u32 {
        self.view.leaves()
    }

    /// Whether the store has, or must have, a record for this branch.
    #[inline]
    pub(crate) fn is_large(&self) -> bool {
        self.leaves() > COUNT_MAX
    }

    /// The leaves of a child of a large branch; one more than a small subtree has if it is large.
    #[inline]
    pub(crate) fn count(&self, rank: usize) -> u8 {
        debug_assert!(self.is_large());
        (self.view.word(self.counts() + rank / 8) >> (rank % 8 * 8)) as u8
    }

    fn counts(&self) -> usize {
        self.references + 4 * self.mask.count_ones() as usize
    }
}

/// How many bits of `mask` stand below `nibble`.
pub(crate) fn rank_in(mask: u16, nibble: usize) -> usize {
    (mask & ((1 << nibble) - 1)).count_ones() as usize
}

/// The nibbles with a bit in `mask`, in order.
pub(crate) fn nibbles(mask: u16) -> impl Iterator<Item = usize> {
    let mut rest = mask;
    std::iter::from_fn(move || {
        let nibble = (rest != 0).then(|| rest.trailing_zeros() as usize)?;
        rest &= rest - 1;
        Some(nibble)
    })
}

/// A branch that no version holds yet.
#[derive(Clone, Copy)]
pub(crate) struct NewBranch<'a>(BranchView<'a>);

impl<'a> NewBranch<'a> {
    pub(super) fn begin(view: View<'a>, mask: u16, extension: &Path, leaves: u32, epoch: u32) -> Self {
        view.set_word(0, u64::from(mask) | (extension.len() as u64) << 32);
        view.set_word(1, u64::from(leaves) | u64::from(epoch) << 32);
        if !extension.is_empty() {
            view.set_hash(2, &extension.first_key());
        }
        Self(view.branch())
    }

    /// Opens a branch made before, while it is still its maker's own.
    pub(crate) fn reopen(view: View<'a>) -> Self {
        Self(view.branch())
    }

    /// `is_light` tells of a leaf of the smaller size.
    pub(crate) fn set_link(&self, rank: usize, link: Link, is_light: bool) {
        let at = self.0.links + rank / 2;
        let (shift, keep) = if rank.is_multiple_of(2) { (0, 0xffff_ffff_0000_0000) } else { (32, 0xffff_ffff) };
        self.0.view.set_word(at, self.0.view.word(at) & keep | u64::from(link.bits()) << shift);
        let (head, bit) = (self.0.view.word(0), 1 << (LIGHT_SHIFT + rank as u32));
        self.0.view.set_word(0, if is_light { head | bit } else { head & !bit });
    }

    /// Writes the links to all children; `light` has a bit, by rank, for each that is a leaf of the smaller size.
    pub(crate) fn set_links(&self, links: &[Link], light: u16) {
        for (word, pair) in self.0.view.words[self.0.links..].iter().zip(links.chunks(2)) {
            let high = pair.get(1).map_or(0, |link| u64::from(link.bits()));
            word.store(u64::from(pair[0].bits()) | high << 32, Relaxed);
        }
        self.0.view.set_word(0, self.0.view.word(0) & !(0xffff << LIGHT_SHIFT) | u64::from(light) << LIGHT_SHIFT);
    }

    pub(crate) fn set_reference(&self, rank: usize, reference: &Reference) {
        self.0.view.set_hash(self.0.references + 4 * rank, &reference.bytes);
        let (head, bit) = (self.0.view.word(0), 1 << (16 + rank));
        let head_now = if reference.inline { head | bit } else { head & !bit };
        if head_now != head {
            self.0.view.set_word(0, head_now);
        }
    }

    /// Writes the leaves of a child, if this branch is large.
    pub(crate) fn set_count(&self, rank: usize, leaves: u32) {
        if self.0.is_large() {
            let (at, shift) = (self.0.counts() + rank / 8, rank % 8 * 8);
            let rest = self.0.view.word(at) & !(0xff << shift);
            self.0.view.set_word(at, rest | u64::from(leaves.min(COUNT_MAX + 1)) << shift);
        }
    }

    /// Whether [`NewBranch::set_count`] writes anything.
    pub(crate) fn has_counts(&self) -> bool {
        self.0.is_large()
    }

    /// Copies the link and reference of a child of another branch.
    pub(crate) fn copy(&self, rank: usize, from: &BranchView<'_>, from_rank: usize) {
        self.set_link(rank, from.link(from_rank), from.light_ranks() >> from_rank & 1 == 1);
        for i in 0..4 {
            self.0.view.set_word(self.0.references + 4 * rank + i, from.view.word(from.references + 4 * from_rank + i));
        }
        if from.inline_ranks() >> from_rank & 1 == 1 {
            self.0.view.set_word(0, self.0.view.word(0) | 1 << (16 + rank));
        }
    }
}
