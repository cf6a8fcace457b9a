//! What one tree holds and others do not: trees walked side by side, and wherever they share a node, no further.
//!
//! Two trees share a node only at one and the same path. So a node of a tree is its own exactly if each other tree has
//! something else, or nothing, at that path; and below a shared node everything is shared.

use crate::{
    arena::{Arena, BranchView, Class, View, nibbles},
    link::Link,
    path::nibble_of,
};
use alloy_primitives::B256;
use smallvec::SmallVec;

type Cursors = SmallVec<[Cursor; 4]>;
type Branches<'a> = SmallVec<[BranchView<'a>; 4]>;

/// Where another tree stands while a walk goes down: at a node, or past its top, so many nibbles into its extension
/// (of a branch) or its key (of a leaf).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor {
    node: Link,
    skip: u8,
}

impl Cursor {
    /// At the root of a tree, or at any node of it.
    pub(crate) fn at(node: Link) -> Option<Self> {
        node.is_node().then_some(Self { node, skip: 0 })
    }

    /// The node that it stands at, if not past its top.
    pub(crate) fn node_here(self) -> Option<Link> {
        (self.skip == 0).then_some(self.node)
    }

    /// One nibble further down, to `depth + 1`.
    fn down(self, arena: &Arena, depth: usize, nibble: usize) -> Option<Self> {
        let on = Self { node: self.node, skip: self.skip + 1 };
        if !arena.class(self.node).is_branch() {
            return (nibble_of(&arena.view(self.node).key(), depth) == nibble).then_some(on);
        }
        let branch = arena.view(self.node).branch();
        if usize::from(self.skip) < branch.extension_len() {
            return (branch.extension().nibble(self.skip.into()) == nibble).then_some(on);
        }
        branch.rank(nibble).and_then(|rank| Self::at(branch.link(rank)))
    }

    /// The branch that it stands at, if that has no extension.
    fn plain_branch(self, arena: &Arena) -> Option<BranchView<'_>> {
        let branch = arena.class(self.node).is_branch().then(|| arena.view(self.node).branch())?;
        (branch.extension_len() == 0).then_some(branch)
    }

    /// The leaf with this key, if it lies below and in memory.
    pub(crate) fn find<'a>(self, arena: &'a Arena, depth: usize, key: &B256) -> Option<View<'a>> {
        let (mut here, mut depth) = (self, depth);
        loop {
            if !arena.class(here.node).is_branch() {
                return Some(arena.view(here.node)).filter(|leaf| leaf.key() == *key);
            }
            here = here.down(arena, depth, nibble_of(key, depth))?;
            depth += 1;
        }
    }

    /// What stands at the path of `len` nibbles towards `key`.
    pub(crate) fn descend(self, arena: &Arena, key: &B256, len: usize) -> Option<Self> {
        (0..len).try_fold(self, |here, depth| here.down(arena, depth, nibble_of(key, depth)))
    }
}

/// Calls `visit` for every node at or below `node`, which stands at `depth`, that none of `others` has. Where `visit`
/// says no, the walk does not go below.
pub(crate) fn own_nodes(
    arena: &Arena,
    node: Link,
    depth: usize,
    others: &[Cursor],
    visit: &mut impl FnMut(Link, Class) -> bool,
) {
    if !node.is_node() || others.iter().any(|other| other.node == node && other.skip == 0) {
        return;
    }
    let class = arena.class(node);
    if !visit(node, class) {
        return;
    }
    if class == Class::FULL {
        return own_storage(arena, node, depth, others, visit);
    }
    if !class.is_branch() {
        return;
    }
    let branch = arena.view(node).branch();
    if branch.extension_len() == 0
        && let Some(others) = others.iter().map(|other| other.plain_branch(arena)).collect::<Option<Branches<'_>>>()
    {
        return own_children(arena, &branch, depth, &others, visit);
    }
    let extension = branch.extension();
    let to_branch = |other: &Cursor| {
        (0..extension.len()).try_fold(*other, |here, i| here.down(arena, depth + i, extension.nibble(i)))
    };
    let others: Cursors = others.iter().filter_map(to_branch).collect();
    let depth = depth + extension.len();
    for (rank, nibble) in nibbles(branch.mask()).enumerate() {
        let child = branch.link(rank);
        if child.is_node() {
            let others: Cursors = others.iter().filter_map(|other| other.down(arena, depth, nibble)).collect();
            own_nodes(arena, child, depth + 1, &others, visit);
        }
    }
}

/// The rule: branches without extensions on all sides.
fn own_children(
    arena: &Arena,
    branch: &BranchView<'_>,
    depth: usize,
    others: &[BranchView<'_>],
    visit: &mut impl FnMut(Link, Class) -> bool,
) {
    for (rank, nibble) in nibbles(branch.mask()).enumerate() {
        let child = branch.link(rank);
        let there = |other: &BranchView<'_>| Some(other.link(other.rank(nibble)?));
        if !child.is_node() || others.iter().any(|other| there(other) == Some(child)) {
            continue;
        }
        let class = arena.class(child);
        if class == Class::PLAIN || class == Class::SLOT {
            visit(child, class);
            continue;
        }
        let others: Cursors = others.iter().filter_map(|other| Cursor::at(there(other)?)).collect();
        own_nodes(arena, child, depth + 1, &others, visit);
    }
}

/// The same for the storage trie of an account's leaf.
fn own_storage(
    arena: &Arena,
    leaf: Link,
    depth: usize,
    others: &[Cursor],
    visit: &mut impl FnMut(Link, Class) -> bool,
) {
    let leaf = arena.view(leaf);
    let key = leaf.key();
    let storage = leaf.storage();
    if !storage.is_node() {
        return;
    }
    let there = |other: &Cursor| other.find(arena, depth, &key).and_then(|leaf| Cursor::at(leaf.storage()));
    let others: Cursors = others.iter().filter_map(there).collect();
    own_nodes(arena, storage, 0, &others, visit);
}
