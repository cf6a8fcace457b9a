//! New values for leaves that are there: the shape of the trie stays, so every node on the way is copied as it is.
//!
//! This is what most changes of a block are. The walk goes level by level over all changes of a subtree, and touches a
//! handful of nodes before it reads the first of them: what one waits for from memory, others wait for at the same
//! time. An old leaf is not looked at at all, since its key and its new value are at hand.

use crate::{
    TrieError,
    arena::{NewBranch, TOUCHED, View, touched},
    change::Change,
    edit::{Child, Edit, split_at_nibble},
    link::Link,
    load::StoredLeaf,
    path::nibble_of,
};
use smallvec::SmallVec;

/// A branch above some of the changes, not copied yet.
struct Old<'c, C> {
    node: Link,
    /// The copy of the branch above it, and which of its children it is.
    parent: Option<(Link, u8)>,
    depth: u8,
    changes: &'c [C],
}

impl<'p, L: StoredLeaf> Edit<'_, 'p, '_, L> {
    /// The branch `old` at `depth` with new values for leaves below it, all of which are in memory.
    pub(crate) fn replaced<C: Change<L>>(
        &mut self,
        depth: usize,
        old: &Child,
        changes: &[C],
    ) -> Result<Child, TrieError> {
        let mut level = vec![Old { node: old.link, parent: None, depth: depth as u8, changes }];
        let mut below = Vec::new();
        let mut top = None;
        while !level.is_empty() {
            for group in level.chunks(TOUCHED) {
                let arena = self.pen.arena();
                let views = touched(group.iter().map(|branch| arena.view(branch.node)));
                let places = self.places(group)?;
                // Places are used again, in no order: waiting for a line to write it takes as long as to read it.
                let places_views = touched(places.iter().map(|place| arena.view(*place)));
                for (((branch, view), place), to) in group.iter().zip(views).zip(&places).zip(places_views) {
                    self.copied(branch, view, *place, to, &mut below)?;
                }
                top = top.or(places.first().copied());
            }
            level.clear();
            std::mem::swap(&mut level, &mut below);
        }
        let link = top.expect("the top is copied first");
        Ok(Child { link, leaves: old.leaves, reference: None, made: true })
    }

    /// Places for the copies of some branches.
    fn places<C>(&mut self, group: &[Old<'_, C>]) -> Result<SmallVec<[Link; TOUCHED]>, TrieError> {
        let mut places = SmallVec::new();
        for branch in group {
            let class = self.pen.arena().class(branch.node);
            places.push(self.pen.place_for(class, branch.depth.into())?);
        }
        Ok(places)
    }

    /// Copies a branch, with new leaves where its children are leaves; branches among them are left to the next level.
    fn copied<'c, C: Change<L>>(
        &mut self,
        old: &Old<'c, C>,
        view: View<'_>,
        link: Link,
        to: View<'p>,
        below: &mut Vec<Old<'c, C>>,
    ) -> Result<(), TrieError> {
        let depth = usize::from(old.depth);
        let arena = self.pen.arena();
        let copy = self.pen.copy(&view, to);
        if let Some((parent, rank)) = old.parent {
            NewBranch::reopen(arena.view(parent)).set_link(rank.into(), link, false);
            self.levels.child(depth, link, parent, rank.into());
        }
        let branch = view.branch();
        if branch.is_large() {
            self.note(old.changes[0].key(), depth, link);
        }
        let fork_depth = depth + branch.extension_len();
        let mut rest = old.changes;
        while let Some(first) = rest.first() {
            let nibble = nibble_of(first.key(), fork_depth);
            let (group, others) = split_at_nibble(rest, fork_depth, nibble);
            rest = others;
            let rank = branch.rank(nibble).expect("leaves that are replaced are there");
            let child = branch.link(rank);
            if arena.class(child).is_branch() {
                let parent = Some((link, rank as u8));
                below.push(Old { node: child, parent, depth: fork_depth as u8 + 1, changes: group });
                continue;
            }
            debug_assert!(group.len() == 1 && arena.view(child).key() == *first.key());
            let value = first.value().expect("nothing that is replaced is deleted");
            let leaf = self.pen.leaf(fork_depth + 1, first.key(), &value)?;
            copy.set_link(rank, leaf, value.class().is_light());
            self.levels.child(fork_depth + 1, leaf, link, rank);
        }
        Ok(())
    }
}
