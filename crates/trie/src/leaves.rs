//! Leaves on the way to their hash, from where they are made.
//!
//! A leaf waits for no other hash. So it is encoded at once, from words that were just written, and not looked up again among all
//! nodes of its depth; and leaves of any depth are hashed together.

use crate::{
    arena::{Arena, NewBranch, View},
    link::Link,
    reference::Reference,
    rlp::{self, LIGHT_LEAF_ROOM},
};
use alloy_primitives::B256;
use balsa_keccak::keccak256_short;
use std::ops::Range;

/// Leaves hashed together: what they are encoded to lies in a first-level cache. Few in the tests of this crate, where tries are small: so
/// leaves are hashed while the branches above them are made.
const TOGETHER: usize = if cfg!(test) { 3 } else { 128 };

/// Leaves of the smaller size that are not hashed yet.
#[derive(Debug, Default)]
pub(crate) struct Leaves {
    // Of each, in the order of `parents`; as long as they ever get.
    bytes: Vec<[u8; LIGHT_LEAF_ROOM]>,
    /// Where the leaf lies in them.
    at: Vec<Range<usize>>,
    hashes: Vec<B256>,
    parents: Vec<Parent>,
}

/// Who needs a leaf's reference.
#[derive(Clone, Copy, Debug)]
struct Parent {
    branch: Link,
    rank: u32,
}

impl Leaves {
    /// Takes a leaf that was just made at `depth`, child `rank` of `branch`, which gets the reference soon.
    #[inline(always)]
    pub(crate) fn push(&mut self, arena: &Arena, depth: usize, leaf: &View<'_>, branch: Link, rank: usize) {
        debug_assert!(leaf.class().is_light());
        if self.parents.len() == self.bytes.len() {
            self.hash_all(arena);
        }
        let i = self.parents.len();
        self.at[i] = rlp::leaf(leaf, depth, &mut self.bytes[i]);
        self.parents.push(Parent { branch, rank: rank as u32 });
    }

    /// Lets branch `to` have the references that `from` would get.
    pub(crate) fn move_children(&mut self, from: Link, to: Link) {
        self.parents.iter_mut().filter(|parent| parent.branch == from).for_each(|parent| parent.branch = to);
    }

    /// Hands on all references.
    pub(crate) fn hash(&mut self, arena: &Arena) {
        let count = self.parents.len();
        let mut inputs: [&[u8]; TOGETHER] = [&[]; TOGETHER];
        for (input, (bytes, at)) in inputs.iter_mut().zip(self.bytes.iter().zip(&self.at[..count])) {
            *input = &bytes[at.clone()];
        }
        keccak256_short(&inputs[..count], &mut self.hashes[..count]);
        let mut parent: Option<(Link, NewBranch<'_>)> = None;
        for (i, Parent { branch, rank }) in self.parents.drain(..).enumerate() {
            let open = parent.filter(|(link, _)| *link == branch);
            let (link, to) = open.unwrap_or_else(|| (branch, NewBranch::reopen(arena.view(branch))));
            to.set_reference(rank as usize, &Reference::of_hashed(inputs[i], &self.hashes[i]));
            parent = Some((link, to));
        }
    }

    /// Makes room for the next.
    #[cold]
    #[inline(never)]
    fn hash_all(&mut self, arena: &Arena) {
        self.hash(arena);
        self.bytes.resize(TOGETHER, [0; LIGHT_LEAF_ROOM]);
        self.at.resize(TOGETHER, 0..0);
        self.hashes.resize(TOGETHER, B256::ZERO);
        self.parents.reserve_exact(TOGETHER);
    }
}
