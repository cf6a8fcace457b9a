//! Tries over leaves alone, where nothing was before.
//!
//! Three in four nodes of a trie of random keys are leaves, and most branches have two or three children: what a
//! branch costs besides its children counts. So it is looked for once where its children end, and its links are written two at a
//! time. It gets its place before them, and so leaves know at once where their references go. Of a million accounts a
//! build took a tenth longer when branches were gathered as an edit gathers them, with room for sixteen children that may be old
//! or new.

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
    mask: u16,
    count: usize,
    /// Where the leaves of each end among those of the branch.
    ends: [u16; 16],
}

impl Children {
    const NONE: Self = Self { mask: 0, count: 0, ends: [0; 16] };

    #[inline]
    fn push(&mut self, nibble: usize, end: usize) {
        self.mask |= 1 << nibble;
        self.ends[self.count] = end as u16;
        self.count += 1;
    }

    fn ends(&self) -> &[u16] {
        &self.ends[..self.count]
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
        let link = self.built_alone(depth, leaves, &shared)?;
        Ok(Some(built(link, leaves, None)))
    }

    /// A trie over more leaves than are hashed together.
    fn built_in_pieces<C: Change<L>>(&mut self, depth: usize, leaves: &[C], shared: &[u8]) -> Result<Child, TrieError> {
        let fork_depth = fork_depth(shared);
        let mut fork = Fork::default();
        let mut start = 0;
        for end in ends(fork_depth, shared) {
            let (group, group_shared) = (&leaves[start..end], &shared[start..end - 1]);
            start = end;
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
        let link = self.built_alone(depth, leaves, shared)?;
        self.levels.root(depth, link, 0);
        let reference = self.levels.hash(self.pen.arena()).first().map(|(_, reference)| *reference);
        self.levels.resume(others);
        Ok(built(link, leaves, reference))
    }

    /// The subtree over at least one leaf, which no branch has yet: so its top waits for nobody.
    fn built_alone<C: Change<L>>(&mut self, depth: usize, leaves: &[C], shared: &[u8]) -> Result<Link, TrieError> {
        match leaves {
            [only] => Ok(only.leaf(self.pen, depth)?.0),
            _ => self.built_over(depth, leaves, shared),
        }
    }

    /// The subtree over at least two leaves.
    fn built_over<C: Change<L>>(&mut self, depth: usize, leaves: &[C], shared: &[u8]) -> Result<Link, TrieError> {
        let fork_depth = fork_depth(shared);
        let mut children = Children::NONE;
        for end in ends(fork_depth, shared) {
            children.push(nibble_of(leaves[end - 1].key(), fork_depth), end);
        }
        let extension = extension(leaves[0].key(), depth, fork_depth);
        let (branch, new) = self.pen.branch(depth, children.mask, &extension, leaves.len() as u32)?;
        let (mut links, mut light) = ([Link::NONE; 16], 0);
        let mut start = 0;
        for (rank, (&end, link)) in children.ends().iter().zip(&mut links).enumerate() {
            let group = start..usize::from(end);
            start = group.end;
            if group.len() == 1 {
                let (leaf, view) = leaves[group.start].leaf(self.pen, fork_depth + 1)?;
                light |= u16::from(view.class().is_light()) << rank;
                self.levels.leaf(self.pen.arena(), fork_depth + 1, (leaf, view), branch, rank);
                *link = leaf;
                continue;
            }
            let (group, group_shared) = (&leaves[group.clone()], &shared[group.start..group.end - 1]);
            *link = self.built_over(fork_depth + 1, group, group_shared)?;
            if group.len() > usize::from(crate::SMALL_LEAVES_MAX) {
                self.note(group[0].key(), fork_depth + 1, *link);
            }
            self.levels.child(fork_depth + 1, *link, branch, rank);
        }
        new.set_links(&links[..children.count], light);
        if new.has_counts() {
            let mut start = 0;
            for (rank, end) in children.ends().iter().enumerate() {
                new.set_count(rank, u32::from(end - std::mem::replace(&mut start, *end)));
            }
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

/// Where the leaves of each child of a fork end, by what all share, each with the next.
#[inline]
fn ends(fork_depth: usize, shared: &[u8]) -> impl Iterator<Item = usize> {
    // A child's leaves end where the next leaf shares no more than all of them do.
    let ends = (1..).zip(shared).filter(move |(_, shared)| usize::from(**shared) == fork_depth);
    ends.map(|(end, _)| end).chain(std::iter::once(shared.len() + 1))
}

/// What leads from `depth` to a fork above `key`.
fn extension(key: &B256, depth: usize, fork_depth: usize) -> Path {
    if fork_depth == depth { Path::ROOT } else { Path::of_key(key, fork_depth).part(depth, fork_depth) }
}
