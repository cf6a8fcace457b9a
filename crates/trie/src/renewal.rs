//! Versions once more, in an arena of their own, without what was not changed for long: that is read from the store
//! again when it is needed.
//!
//! Every node carries the epoch at which it was made, and no node is older than what lies below it: whoever changes a leaf
//! makes all branches above it anew. So what was changed since an epoch is a part of the trie that begins at its root: the
//! upper levels and the hot paths. That part is carried over; where it ends, a link to the store stands in place of a
//! handle.
//!
//! # Why this is right
//! The store holds the first version of the family, and all others descend from it. A node of one of them that is no
//! younger than the first version was made in that version or above it, and came down to its descendant through it: the
//! first version has it too, and the store has its records and leaves. Younger nodes are all carried.
//!
//! # Why a new arena
//! Versions that readers still hold must stay as they are, links and all. To make new versions in the old arena would tie
//! old and new ones together (they would share leaves), and each that is dropped would have to be compared with all those.
//! Apart, the old ones are one family as before, whose last member takes the arena with it in one piece; and the pages of
//! the new one are full, while those of an arena in which every second node was freed are half empty for good. The price
//! is that what is kept is copied, some hundred nanoseconds a node, once in as long as it takes to fill the rest of the
//! budget.

use crate::{
    ArenaError, PageMemory, StateTrie,
    arena::{Arena, BranchView, Class, NewBranch, Pen, View, nibbles},
    link::Link,
    versions::Forest,
    walk::Cursor,
};
use rayon::prelude::*;
use smallvec::SmallVec;
use std::sync::Arc;

/// A version among its relatives.
#[derive(Clone, Copy, Debug)]
pub struct Relative<'t> {
    /// The version.
    pub trie: &'t StateTrie,
    /// Position of the version that it was derived from, which stands before it; nothing for the first.
    pub parent: Option<usize>,
}

/// The same versions in fresh memory, with at most about `bytes_max` of nodes that the store has too, the youngest. Runs on the
/// current rayon pool.
///
/// The first of `family` is the one that the store holds; all others descend from it. The old versions are left as they are.
///
/// # Errors
/// If there is no memory. No version is lost then.
///
/// # Panics
/// If `family` is not one: of different origin, or not in order.
pub fn renewed(
    family: &[Relative<'_>],
    bytes_max: u64,
    memory: Arc<dyn PageMemory>,
) -> Result<Vec<StateTrie>, ArenaError> {
    let Some(Relative { trie: first, parent: None }) = family.first() else {
        assert!(family.is_empty(), "the first of a family has no parent in it");
        return Ok(Vec::new());
    };
    let old = &first.version.forest;
    let oldest = oldest_kept(first, bytes_max);
    let forest = Forest::since(old.last_epoch(), memory);
    let mut tries: Vec<StateTrie> = Vec::with_capacity(family.len());
    for (i, Relative { trie, parent }) in family.iter().enumerate() {
        assert!(Arc::ptr_eq(&trie.version.forest, old), "a version of another family");
        assert!(parent.is_some() == (i > 0), "only the first of a family has no parent in it");
        let parent = parent.map(|parent| (&family[parent].trie.version, &tries[parent].version));
        let beside = parent.map_or(Beside::NOTHING, |(old, new)| Beside::root(old.root, new.root));
        let carrier = || Carrier { from: &old.arena, pen: Pen::new(&forest.arena, 0), oldest };
        let (link, epoch) = (trie.version.root, trie.version.epoch());
        let version = match parent {
            None => forest.first(carried_apart(carrier, link)?, epoch),
            Some((_, parent)) => {
                let mut carrier = carrier();
                let root = carrier.carried(link, 0, true, beside)?;
                forest.derived(root, epoch, parent, carrier.pen.keep())
            }
        };
        tries.push(StateTrie::of_version(version, trie.root()));
    }
    Ok(tries)
}

impl Arena {
    /// A node as a branch, if it is one and not older than that.
    fn branch_unless_old(&self, node: Link, oldest: u32) -> Option<BranchView<'_>> {
        let view = node.is_node().then(|| self.view(node))?;
        (view.class().is_branch() && !is_old(&view, oldest)).then(|| view.branch())
    }
}

impl StateTrie {
    /// Bytes of the nodes that this version has and the one that it was derived from does not; nothing for one that was
    /// read from a store.
    pub fn own_bytes(&self) -> u64 {
        self.version.own_bytes()
    }
}

/// The epoch from which on nodes are kept: as far back as at most `bytes_max` of a version, but by doubling steps; never
/// above what the store does not have.
fn oldest_kept(version: &StateTrie, bytes_max: u64) -> u32 {
    let (arena, flushed) = (&version.version.forest.arena, version.version.epoch());
    let mut oldest = flushed + 1;
    for steps in 0.. {
        let further = (flushed + 1).saturating_sub(1 << steps);
        if oldest == 0 || bytes_since(arena, version.version.root, further, bytes_max) > bytes_max {
            break;
        }
        oldest = further;
    }
    oldest
}

/// Bytes of the nodes that are not older than `oldest`, counted until they are more than `bytes_max`.
fn bytes_since(arena: &Arena, root: Link, oldest: u32, bytes_max: u64) -> u64 {
    let (mut bytes, mut waiting) = (0, vec![root]);
    while let Some(node) = waiting.pop().filter(|_| bytes <= bytes_max) {
        if !node.is_node() {
            continue;
        }
        if arena.class(node) == Class::SLOT {
            bytes += Class::SLOT.bytes() as u64;
            continue;
        }
        let view = arena.view(node);
        if is_old(&view, oldest) {
            continue;
        }
        bytes += view.class().bytes() as u64;
        if view.class().is_branch() {
            let branch = view.branch();
            let links = (0..branch.mask().count_ones() as usize).map(|rank| branch.link(rank));
            waiting.extend(links.inspect(|link| arena.ask_links(*link)));
        } else {
            waiting.push(view.storage());
        }
    }
    bytes
}

/// Slots are as old as the branch above them, as far as anyone knows.
fn is_old(view: &View<'_>, oldest: u32) -> bool {
    view.epoch().is_some_and(|epoch| epoch < oldest)
}

/// What the parent's version has at the same place, or around it, before and after it was carried.
#[derive(Clone, Copy)]
struct Beside {
    old: Link,
    new: Link,
    depth: usize,
}

impl Beside {
    const NOTHING: Self = Self::root(Link::NONE, Link::NONE);

    const fn root(old: Link, new: Link) -> Self {
        Self { old, new, depth: 0 }
    }
}

/// Carries the tree below `root`, beside which there is nothing yet: the children of its top branch at a time, on the current
/// rayon pool.
fn carried_apart<'a>(carrier: impl Fn() -> Carrier<'a> + Sync, root: Link) -> Result<Link, ArenaError> {
    let mut top = carrier();
    let from = top.from;
    let Some(branch) = from.branch_unless_old(root, top.oldest) else {
        let root = top.carried(root, 0, true, Beside::NOTHING)?;
        top.pen.keep();
        return Ok(root);
    };
    let depth_below = branch.extension_len() + 1;
    let part = |rank: usize| {
        let mut carrier = carrier();
        let child = carrier.carried(branch.link(rank), depth_below, false, Beside::NOTHING)?;
        carrier.pen.give_back();
        Ok((child, carrier.pen))
    };
    let ranks = branch.mask().count_ones() as usize;
    let parts: Vec<_> = (0..ranks).into_par_iter().map(part).collect::<Result<_, ArenaError>>()?;
    let (root, copy) = top.pen.carry(0, &from.view(root))?;
    top.link_children(copy, parts.iter().map(|(child, _)| *child));
    for (_, pen) in parts {
        pen.keep();
    }
    top.pen.keep();
    Ok(root)
}

/// Carries one version's nodes.
struct Carrier<'a> {
    from: &'a Arena,
    pen: Pen<'a>,
    oldest: u32,
}

impl<'a> Carrier<'a> {
    /// What stands in the new version for a link of the old one, at `depth`; roots are links of their own kind.
    fn carried(&mut self, link: Link, depth: usize, is_root: bool, beside: Beside) -> Result<Link, ArenaError> {
        if !link.is_node() {
            return Ok(link);
        }
        if link == beside.old {
            return Ok(beside.new);
        }
        let view = self.from.view(link);
        if is_old(&view, self.oldest) {
            return Ok(if is_root { Link::UNKNOWN } else { stored(view.leaves()) });
        }
        if view.class().is_branch() {
            return self.branch(&view, depth, beside);
        }
        let (new, copy) = self.pen.carry(depth, &view)?;
        if view.class() == Class::FULL {
            let beside = self.beside_storage(&view, beside).unwrap_or(Beside::NOTHING);
            copy.set_storage(self.carried(view.storage(), 0, true, beside)?);
        }
        Ok(new)
    }

    fn branch(&mut self, view: &View<'_>, depth: usize, beside: Beside) -> Result<Link, ArenaError> {
        let (new, copy) = self.pen.carry(depth, view)?;
        let branch = view.branch();
        let depth_below = depth + branch.extension_len() + 1;
        let aligned = self.beside_branches(&branch, depth, beside);
        let mut children = SmallVec::<[Link; 16]>::new();
        (0..branch.mask().count_ones() as usize).for_each(|rank| self.from.ask(branch.link(rank)));
        for (rank, nibble) in nibbles(branch.mask()).enumerate() {
            let beside = match aligned {
                None => beside,
                Some([old, new]) => old.rank(nibble).map_or(Beside::NOTHING, |rank| Beside {
                    old: old.link(rank),
                    new: new.link(rank),
                    depth: depth_below,
                }),
            };
            children.push(self.carried(branch.link(rank), depth_below, false, beside)?);
        }
        self.link_children(copy, children.into_iter());
        Ok(new)
    }

    /// Writes the children, by rank, into the copy of their branch.
    fn link_children(&self, copy: View<'_>, children: impl Iterator<Item = Link>) {
        let arena = self.pen.arena();
        let mut leaves = 0;
        for (rank, child) in children.enumerate() {
            NewBranch::reopen(copy).set_link(rank, child, arena.is_light(child));
            leaves += arena.leaves(child);
        }
        // What is in the store now counts for the least that it can have there.
        copy.set_leaves(leaves);
    }

    /// The branches of the parent's version whose children stand where those of `branch` do. Both have the same children.
    fn beside_branches(&self, branch: &BranchView<'_>, depth: usize, beside: Beside) -> Option<[BranchView<'a>; 2]> {
        let Beside { old, new, depth: depth_beside } = beside;
        if depth_beside != depth || !old.is_node() || !new.is_node() || !self.from.class(old).is_branch() {
            return None;
        }
        let [old, new] = [self.from.view(old).branch(), self.pen.arena().view(new).branch()];
        (old.extension() == branch.extension()).then_some([old, new])
    }

    /// The storage that the same account has in the parent's version, wherever its leaf stands there.
    fn beside_storage(&self, leaf: &View<'_>, beside: Beside) -> Option<Beside> {
        let key = leaf.key();
        let old = Cursor::at(beside.old)?.find(self.from, beside.depth, &key)?;
        let new = Cursor::at(beside.new)?.find(self.pen.arena(), beside.depth, &key)?;
        Some(Beside::root(old.storage(), new.storage()))
    }
}

/// The link to a subtree of so many leaves in the store.
fn stored(leaves: u32) -> Link {
    match u8::try_from(leaves) {
        Ok(leaves) if leaves <= crate::SMALL_LEAVES_MAX => Link::small(leaves),
        _ => Link::LARGE,
    }
}
