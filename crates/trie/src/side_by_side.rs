//! Two trees side by side, level by level: what one holds and the other does not.
//!
//! The same answer as that of [`own_nodes`], for the common case of one other tree, or none. What it costs is waiting for
//! memory, so pairs are asked for some steps before they are read; leaves of the smaller size are known from their
//! branch and never touched. Whatever is no pair of branches with equal extensions is left to [`own_nodes`].

use crate::{
    arena::{Arena, BranchView, Class, ahead, nibbles},
    link::Link,
    walk::{Cursor, own_nodes},
};

/// Who is told what a tree holds of its own.
pub(crate) trait Own {
    /// A node. Where this says no, nothing below counts.
    fn node(&mut self, node: Link, class: Class) -> bool;
    /// Children of a branch, by rank, that are leaves of the smaller size.
    fn light_leaves(&mut self, branch: &BranchView<'_>, ranks: u16);
}

/// A node and what stands at its path in the other tree.
#[derive(Clone, Copy)]
struct Pair {
    node: Link,
    /// [`Link::NONE`], or whatever is not in memory, where there is nothing to compare with.
    other: Link,
    depth: u8,
}

/// Tells `own` of every node of the tree below root `node` that the tree below root `other` does not have.
pub(crate) fn own_beside(arena: &Arena, node: Link, other: Link, own: &mut impl Own) {
    let mut level = vec![Pair { node, other, depth: 0 }];
    level.retain(|pair| pair.node.is_node() && pair.node != pair.other);
    let mut below = Vec::new();
    while !level.is_empty() {
        let ask = |pair: &Pair| {
            arena.ask_links(pair.node);
            arena.ask_links(pair.other);
        };
        ahead(&level, ask).for_each(|pair| pair.visit(arena, &mut below, own));
        level.clear();
        std::mem::swap(&mut level, &mut below);
    }
}

impl Pair {
    fn visit(&self, arena: &Arena, below: &mut Vec<Pair>, own: &mut impl Own) {
        let Some((branch, other)) = self.branches(arena) else {
            let others = Cursor::at(self.other);
            let visit = &mut |node, class| own.node(node, class);
            return own_nodes(arena, self.node, self.depth.into(), others.as_slice(), visit);
        };
        if !own.node(self.node, branch.class()) {
            return;
        }
        let depth = self.depth + branch.extension_len() as u8 + 1;
        let same_mask = other.filter(|other| other.mask() == branch.mask());
        if let Some(other) = &same_mask {
            let changed = changed_ranks(&branch, other);
            let light = changed & branch.light_ranks();
            if light != 0 {
                own.light_leaves(&branch, light);
            }
            let heavy = nibbles(changed & !light).map(|rank| (branch.link(rank), other.link(rank)));
            return below.extend(heavy.filter(|(node, _)| node.is_node()).map(|(node, other)| Pair {
                node,
                other,
                depth,
            }));
        }
        own_light(&branch, other.as_ref(), own);
        let heavy = nibbles(branch.mask()).enumerate().filter(|(rank, _)| branch.light_ranks() >> rank & 1 == 0);
        for (rank, nibble) in heavy {
            let node = branch.link(rank);
            let other = other.as_ref().and_then(|other| Some(other.link(other.rank(nibble)?))).unwrap_or(Link::NONE);
            if node.is_node() && node != other {
                below.push(Pair { node, other, depth });
            }
        }
    }

    /// Both as branches whose children stand at the same paths; the other only if there is one.
    #[inline(always)]
    fn branches<'a>(&self, arena: &'a Arena) -> Option<(BranchView<'a>, Option<BranchView<'a>>)> {
        let here = arena.branch(self.node)?;
        if !self.other.is_node() {
            return Some((here, None));
        }
        let there = arena.branch(self.other)?;
        let len = here.extension_len();
        let is_aligned = len == there.extension_len() && (len == 0 || here.extension() == there.extension());
        is_aligned.then_some((here, Some(there)))
    }
}

/// The ranks at which two branches with one mask link to different things.
fn changed_ranks(a: &BranchView<'_>, b: &BranchView<'_>) -> u16 {
    let pairs = a.link_words().zip(b.link_words());
    // Of an odd number of links the last one shares its word with nothing, whatever that looks like.
    let ranks = u16::MAX >> (16 - a.mask().count_ones());
    ranks
        & pairs.enumerate().fold(0, |ranks, (i, (a, b))| {
            let differ = a ^ b;
            let bits = u16::from(differ as u32 != 0) | u16::from(differ >> 32 != 0) << 1;
            ranks | bits << (2 * i)
        })
}

/// Leaves of the smaller size that a branch of another mask does not have.
fn own_light(branch: &BranchView<'_>, other: Option<&BranchView<'_>>, own: &mut impl Own) {
    let mut ranks = branch.light_ranks();
    if let Some(other) = other {
        for (rank, nibble) in nibbles(branch.mask()).enumerate() {
            if other.rank(nibble).is_some_and(|there| other.link(there) == branch.link(rank)) {
                ranks &= !(1 << rank);
            }
        }
    }
    if ranks != 0 {
        own.light_leaves(branch, ranks);
    }
}
