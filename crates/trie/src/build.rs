//! Tries over leaves alone, where nothing was before.
//!
//! Three in four nodes of a trie of random keys are leaves, and most branches have two or three children: what a
//! branch costs besides its children counts. So children lie in lists on the stack until all of a branch are made, and its
//! links are written two at a time. Of a million accounts a build took a tenth longer when branches were gathered as an
//! edit gathers them, with room for sixteen children that may be old or new.

use crate::{
    TrieError,
    change::Change,
    edit::{Child, Edit, Fork},
    link::Link,
    load::StoredLeaf,
    path::{Path, common_nibbles, nibble_of},
    reference::Reference,
};
use alloy_primitives::B256;
use smallvec::SmallVec;

/// Leaves of a large build that are hashed together: their nodes fill about half of a second-level cache.
const HASHED_TOGETHER: usize = 4096;

/// The children of a branch in the making.
struct Children {
    count: usize,
    links: [Link; 16],
    /// Leaves of each.
    leaves: [u32; 16],
    /// A bit for each that is a leaf of the smaller size.
    light: u16,
}

impl Children {
    const NONE: Self = Self { count: 0, links: [Link::NONE; 16], leaves: [0; 16], light: 0 };

    fn push(&mut self, link: Link, leaves: u32, is_light: bool) {
        self.light |= u16::from(is_light) << self.count;
        (self.links[self.count], self.leaves[self.count]) = (link, leaves);
        self.count += 1;
    }
}

impl<L: StoredLeaf> Edit<'_, '_, '_, L> {
    pub(crate) fn built_from<C: Change<L>>(&mut self, depth: usize, changes: &[C]) -> Result<Option<Child>, TrieError> {
        if changes.iter().all(|change| change.value().is_some()) {
            return self.built(depth, changes);
        }
        let present: Vec<_> = changes.iter().filter(|change| change.value().is_some()).collect();
        self.built(depth, &present)
    }

    /// A trie over sorted leaves that all lie below `depth`; each change has a value.
    pub(crate) fn built<C: Change<L>>(&mut self, depth: usize, leaves: &[C]) -> Result<Option<Child>, TrieError> {
        if leaves.is_empty() {
            return Ok(None);
        }
        // How many nibbles each leaf shares with the next: so the keys, which lie all over the memory of a large build, are
        // looked at once and not at every level.
        let shared = |pair: &[C]| common_nibbles(pair[0].key(), pair[1].key()) as u8;
        let shared: SmallVec<[u8; 16]> = leaves.windows(2).map(shared).collect();
        if leaves.len() > HASHED_TOGETHER {
            return self.built_in_pieces(depth, leaves, &shared).map(Some);
        }
        let link = match leaves {
            [only] => only.leaf(self.pen, depth)?.0,
            _ => self.built_over(depth, leaves, &shared)?,
        };
        Ok(Some(built(link, leaves, None)))
    }

    /// A trie over more leaves than are hashed together.
    fn built_in_pieces<C: Change<L>>(&mut self, depth: usize, leaves: &[C], shared: &[u8]) -> Result<Child, TrieError> {
        let fork_depth = fork_depth(shared);
        let mut fork = Fork::default();
        for (group, group_shared) in groups(fork_depth, leaves, shared) {
            let child = if group.len() <= HASHED_TOGETHER {
                self.built_and_hashed(fork_depth + 1, group, group_shared)?
            } else {
                self.built_in_pieces(fork_depth + 1, group, group_shared)?
            };
            if child.is_large() {
                self.note(group[0].key(), fork_depth + 1, child.link);
            }
            fork.set(nibble_of(group[0].key(), fork_depth), Some(child));
        }
        let first = leaves[0].key();
        let extension = extension(first, depth, fork_depth);
        let top = self.gathered(first, depth, &extension, None, &fork)?;
        Ok(top.expect("there are leaves"))
    }

    /// A trie with its hash: taken while the nodes still lie in the cache.
    fn built_and_hashed<C: Change<L>>(
        &mut self,
        depth: usize,
        leaves: &[C],
        shared: &[u8],
    ) -> Result<Child, TrieError> {
        let others = self.levels.put_aside();
        let link = match leaves {
            [only] => only.leaf(self.pen, depth)?.0,
            _ => self.built_over(depth, leaves, shared)?,
        };
        self.levels.root(depth, link, 0);
        let reference = self.levels.hash(self.pen.arena()).first().map(|(_, reference)| *reference);
        self.levels.resume(others);
        Ok(built(link, leaves, reference))
    }

    /// The subtree over at least two leaves.
    fn built_over<C: Change<L>>(&mut self, depth: usize, leaves: &[C], shared: &[u8]) -> Result<Link, TrieError> {
        let fork_depth = fork_depth(shared);
        let bit = |(group, _): (&[C], &[u8])| 1 << nibble_of(group[0].key(), fork_depth);
        let mask = groups(fork_depth, leaves, shared).map(bit).fold(0, |mask, bit: u16| mask | bit);
        let extension = extension(leaves[0].key(), depth, fork_depth);
        let (branch, new) = self.pen.branch(depth, mask, &extension, leaves.len() as u32)?;
        let mut children = Children::NONE;
        for (rank, (group, group_shared)) in groups(fork_depth, leaves, shared).enumerate() {
            if let [only] = group {
                let (link, view) = only.leaf(self.pen, fork_depth + 1)?;
                children.push(link, 1, view.class().is_light());
                self.levels.leaf(self.pen.arena(), fork_depth + 1, (link, view), branch, rank);
                continue;
            }
            let link = self.built_over(fork_depth + 1, group, group_shared)?;
            if group.len() > usize::from(crate::SMALL_LEAVES_MAX) {
                self.note(group[0].key(), fork_depth + 1, link);
            }
            children.push(link, group.len() as u32, false);
            self.levels.child(fork_depth + 1, link, branch, rank);
        }
        new.set_links(&children.links[..children.count], children.light);
        if new.has_counts() {
            let leaves = children.leaves[..children.count].iter();
            leaves.enumerate().for_each(|(rank, leaves)| new.set_count(rank, *leaves));
        }
        Ok(branch)
    }
}

fn built<C>(link: Link, leaves: &[C], reference: Option<Reference>) -> Child {
    Child { link, leaves: leaves.len() as u32, reference, made: true }
}

/// The depth at which leaves part that share so many nibbles, each with the next.
fn fork_depth(shared: &[u8]) -> usize {
    usize::from(shared.iter().copied().min().expect("there are two leaves"))
}

/// The leaves below each child of a fork, with what they share among each other.
fn groups<'l, C>(
    fork_depth: usize,
    mut leaves: &'l [C],
    mut shared: &'l [u8],
) -> impl Iterator<Item = (&'l [C], &'l [u8])> {
    std::iter::from_fn(move || {
        if leaves.is_empty() {
            return None;
        }
        // A group ends where the next leaf shares no more than all of them do.
        let end = shared.iter().position(|shared| usize::from(*shared) == fork_depth);
        let len = end.map_or(leaves.len(), |end| end + 1);
        let group = (&leaves[..len], &shared[..len - 1]);
        (leaves, shared) = (&leaves[len..], shared.get(len..).unwrap_or_default());
        Some(group)
    })
}

/// What leads from `depth` to a fork above `key`.
fn extension(key: &B256, depth: usize, fork_depth: usize) -> Path {
    if fork_depth == depth { Path::ROOT } else { Path::of_key(key, fork_depth).part(depth, fork_depth) }
}
