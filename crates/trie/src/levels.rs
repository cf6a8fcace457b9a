//! Hashing level by level, the deepest first: all nodes of a level at once, eight of them side by side.
//!
//! A node that was just made has no reference in its parent yet. It waits here, by the depth at which it stands, until
//! its children, which stand deeper, have theirs. Most leaves do not wait (see `leaves`).

use crate::{
    arena::{Arena, NewBranch, View, with_views_ahead},
    leaves::Leaves,
    link::Link,
    path::Path,
    reference::Reference,
    rlp::{self, NODE_BYTES_MAX, Writer},
};
use alloy_primitives::B256;
use balsa_keccak::keccak256_many;
use std::ops::Range;

/// Nodes encoded before they are hashed: as many as the batch hasher orders by length at a time.
const BATCH: usize = 256;

/// Nodes that wait for their hash.
#[derive(Debug, Default)]
pub(crate) struct Levels {
    // By depth; empty beyond the deepest node.
    waiting: Vec<Vec<Waiting>>,
    leaves: Leaves,
    buffers: Buffers,
}

/// Nodes that wait while others are hashed.
pub(crate) struct Aside(Vec<Vec<Waiting>>);

#[derive(Clone, Copy, Debug)]
struct Waiting {
    node: Link,
    /// Who needs the reference: a branch, or with [`Link::NONE`] the caller.
    parent: Link,
    /// Which child it is of the parent, or which of the caller's roots.
    rank: u32,
}

impl Levels {
    /// Node `node` at `depth` is child `rank` of branch `parent`.
    pub(crate) fn child(&mut self, depth: usize, node: Link, parent: Link, rank: usize) {
        self.wait(depth, Waiting { node, parent, rank: rank as u32 });
    }

    /// A leaf that was just made at `depth` is child `rank` of branch `parent`, which must have its mask.
    #[inline(always)]
    pub(crate) fn leaf(
        &mut self,
        arena: &Arena,
        depth: usize,
        (leaf, view): (Link, View<'_>),
        parent: Link,
        rank: usize,
    ) {
        match view.class().is_light() {
            true => self.leaves.push(arena, depth, &view, parent, rank),
            false => self.child(depth, leaf, parent, rank),
        }
    }

    /// Node `node` at `depth` is number `index` of the roots that [`Levels::hash`] returns.
    pub(crate) fn root(&mut self, depth: usize, node: Link, index: usize) {
        self.wait(depth, Waiting { node, parent: Link::NONE, rank: index as u32 });
    }

    fn wait(&mut self, depth: usize, waiting: Waiting) {
        self.level(depth).push(waiting);
    }

    fn level(&mut self, depth: usize) -> &mut Vec<Waiting> {
        if self.waiting.len() <= depth {
            self.waiting.resize_with(depth + 1, Vec::new);
        }
        &mut self.waiting[depth]
    }

    /// Lets the children of branch `from`, which was made last at its depth, wait for branch `to` instead: the same
    /// branch, pulled up. Both have the same children, and these stand at `depth`.
    pub(crate) fn move_children(&mut self, depth: usize, from: Link, to: Link) {
        self.leaves.move_children(from, to);
        let Some(level) = self.waiting.get_mut(depth) else { return };
        let mine = level.iter_mut().rev().skip_while(|w| w.parent != from).take_while(|w| w.parent == from);
        mine.for_each(|waiting| waiting.parent = to);
    }

    /// Lets all that waits wait on while what comes is hashed, until [`Levels::resume`].
    pub(crate) fn put_aside(&mut self) -> Aside {
        Aside(std::mem::take(&mut self.waiting))
    }

    pub(crate) fn resume(&mut self, aside: Aside) {
        self.waiting = aside.0;
    }

    /// Entries of all lists.
    pub(crate) fn capacity(&self) -> usize {
        self.waiting.iter().map(Vec::capacity).sum()
    }

    /// Hashes everything that waits, and tells the references of the roots, by index.
    pub(crate) fn hash(&mut self, arena: &Arena) -> Vec<(usize, Reference)> {
        self.leaves.hash(arena);
        let mut roots = Vec::new();
        for depth in (0..self.waiting.len()).rev() {
            for batch in self.waiting[depth].chunks(BATCH) {
                let references = self.buffers.references(arena, depth, batch);
                // Children of one branch wait one after another.
                let mut parent: Option<(Link, NewBranch<'_>)> = None;
                for (waiting, reference) in batch.iter().zip(references) {
                    let rank = waiting.rank as usize;
                    if waiting.parent == Link::NONE {
                        roots.push((rank, *reference));
                        continue;
                    }
                    let open = parent.filter(|(link, _)| *link == waiting.parent);
                    let (link, branch) =
                        open.unwrap_or_else(|| (waiting.parent, NewBranch::reopen(arena.view(waiting.parent))));
                    branch.set_reference(rank, reference);
                    parent = Some((link, branch));
                }
            }
            self.waiting[depth].clear();
        }
        roots
    }
}

/// Room for the nodes of one batch; grows with the largest.
#[derive(Debug, Default)]
struct Buffers {
    bytes: Vec<[u8; NODE_BYTES_MAX]>,
    /// Where a node lies in its bytes.
    at: Vec<Range<usize>>,
    hashes: Vec<B256>,
    references: Vec<Reference>,
    // Which of the batch stand behind an extension.
    extended: Vec<(usize, Path)>,
}

impl Buffers {
    fn make_room_for(&mut self, nodes: usize) {
        if nodes > self.at.len() {
            self.bytes.resize(nodes, [0; NODE_BYTES_MAX]);
            self.at.resize(nodes, 0..0);
            self.hashes.resize(nodes, B256::ZERO);
            self.references.resize(nodes, Reference::hash(B256::ZERO));
        }
    }

    fn references(&mut self, arena: &Arena, depth: usize, batch: &[Waiting]) -> &[Reference] {
        self.make_room_for(batch.len());
        self.extended.clear();
        for (i, (_, [view])) in with_views_ahead(batch, |waiting| [arena.view(waiting.node)]).enumerate() {
            self.at[i] = rlp::node(&view, depth, &mut self.bytes[i]);
            if view.class().is_branch() && view.branch().extension_len() > 0 {
                self.extended.push((i, view.branch().extension()));
            }
        }
        self.hash(batch.len());
        for k in 0..self.extended.len() {
            let (i, path) = &self.extended[k];
            let child = self.references[*i];
            self.at[k] = 0..Writer::new(&mut self.bytes[k]).extension(path, &child);
        }
        if !self.extended.is_empty() {
            let count = self.extended.len();
            let branches = self.references[..count].to_vec();
            self.hash(count);
            let extensions = self.references[..count].to_vec();
            self.references[..count].copy_from_slice(&branches);
            for ((i, _), extension) in self.extended.iter().zip(extensions) {
                self.references[*i] = extension;
            }
        }
        &self.references[..batch.len()]
    }

    /// The references of the first `count` nodes in the buffers.
    fn hash(&mut self, count: usize) {
        let mut inputs: [&[u8]; BATCH] = [&[]; BATCH];
        for (input, (bytes, at)) in inputs.iter_mut().zip(self.bytes.iter().zip(&self.at[..count])) {
            *input = &bytes[at.clone()];
        }
        keccak256_many(&inputs[..count], &mut self.hashes[..count]);
        let hashed = inputs[..count].iter().zip(&self.hashes);
        for (reference, (input, hash)) in self.references.iter_mut().zip(hashed) {
            *reference = Reference::of_hashed(input, hash);
        }
    }
}
