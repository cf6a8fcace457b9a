//! A batch of sorted changes into one trie: new nodes where something changed, all others shared.
//!
//! The walk goes down only where changes lie. It makes nodes without their hashes; [`Levels`] adds those, many nodes
//! together. It also notes which branch records a store must write and delete.

use crate::{
    TrieError,
    arena::{Arena, BranchView, NewBranch, Pen, View, nibbles, rank_in},
    change::{Change, Present},
    levels::Levels,
    link::Link,
    load::{ACCOUNTS, StoredLeaf, Tries, Want},
    node_changes::Records,
    path::{Path, common_nibbles, nibble_of},
    reference::Reference,
    replace::{Replacing, can_replace},
    rlp::Leaf,
};
use alloy_primitives::B256;
use std::slice;

/// A subtree as its parent will hold it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Child {
    pub(crate) link: Link,
    /// Leaves below, as a branch counts them.
    pub(crate) leaves: u32,
    /// Nothing as long as it waits for its hash.
    pub(crate) reference: Option<Reference>,
    /// Whether the node was made for the version in the making, so that nothing else refers to it.
    pub(crate) made: bool,
}

/// What a parent holds of a subtree of its trie.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Held {
    pub(crate) link: Link,
    pub(crate) reference: Reference,
}

impl Held {
    /// The root of a trie, if that has any leaves.
    pub(crate) fn root(link: Link, reference: Reference) -> Option<Self> {
        (link != Link::NONE).then_some(Self { link, reference })
    }

    /// The child of a branch in memory.
    #[inline]
    pub(crate) fn of(branch: &BranchView<'_>, nibble: usize) -> Option<Self> {
        let rank = branch.rank(nibble)?;
        Some(Self { link: branch.link(rank), reference: branch.reference(rank) })
    }

    /// As an edit takes it: with its leaves, which it is itself that knows.
    #[inline]
    pub(crate) fn child(self, arena: &Arena) -> Child {
        let Self { link, reference } = self;
        Child { link, leaves: arena.leaves(link), reference: Some(reference), made: false }
    }
}

impl Child {
    /// A leaf just made.
    pub(crate) fn leaf(link: Link) -> Self {
        Self { link, leaves: 1, reference: None, made: true }
    }

    pub(crate) fn is_large(&self) -> bool {
        self.leaves > u32::from(crate::SMALL_LEAVES_MAX)
    }
}

/// A subtree that was edited apart, and what became of it.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// Of a key that changed below it.
    pub(crate) key: B256,
    pub(crate) depth: usize,
    pub(crate) top: Option<Child>,
    /// Leaves won less leaves lost.
    pub(crate) grown: i64,
}

impl Part {
    /// What became of `old`, at `depth` above `key`.
    pub(crate) fn new(arena: &Arena, key: B256, depth: usize, old: Option<Held>, top: Option<Child>) -> Self {
        let before = old.map_or(0, |old| i64::from(arena.leaves(old.link)));
        Self { key, depth, top, grown: top.map_or(0, |top| i64::from(top.leaves)) - before }
    }
}

/// The parts of an edit, if it has any: then there is one for every change. Parts are what such an edit takes as its changes, in the order of
/// their keys, and it goes no deeper than they stand.
impl<L: Leaf> Change<L> for Part {
    fn key(&self) -> &B256 {
        &self.key
    }

    fn value(&self) -> Option<L> {
        unreachable!("an edit takes parts as they are")
    }

    fn replaces(&self) -> bool {
        false
    }
}

/// Those that are left of an edit's parts; of an edit that was not cut, none.
#[derive(Debug, Default)]
pub(crate) struct Parts<'p>(slice::Iter<'p, Part>);

impl<'p> Parts<'p> {
    pub(crate) fn of(parts: &'p [Part]) -> Self {
        Self(parts.iter())
    }

    /// The part that stands at this depth, if it is the next one.
    fn take(&mut self, depth: usize) -> Option<&'p Part> {
        let part = self.0.as_slice().first().filter(|part| part.depth == depth)?;
        self.0.next();
        Some(part)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.as_slice().is_empty()
    }
}

/// An edit of one trie, or of a subtree.
pub(crate) struct Edit<'e, 'p, 'a, L> {
    pub(crate) pen: &'e mut Pen<'p>,
    pub(crate) levels: &'e mut Levels,
    pub(crate) tries: &'e Tries<'a>,
    /// Which of the tries this is.
    pub(crate) trie: usize,
    pub(crate) notes: &'e mut Notes,
    pub(crate) parts: Parts<'e>,
    pub(crate) leaf: std::marker::PhantomData<L>,
}

/// What an edit leaves besides the new nodes.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    /// Branches whose records must be written or deleted.
    pub(crate) records: Records,
    /// Subtrees that were loaded on the way, which nothing may refer to in the end.
    pub(crate) loaded: Vec<(usize, Path, Link)>,
    /// Nodes that were made and then replaced.
    pub(crate) replaced: Vec<Link>,
}

impl Notes {
    /// The record of trie `trie` at `depth` towards `key` becomes that of a branch, or goes.
    pub(crate) fn record(&mut self, trie: usize, key: &B256, depth: usize, branch: Link) {
        let position = Path::of_key(key, depth);
        if trie == ACCOUNTS {
            self.records.accounts.push((position, branch));
        } else {
            self.records.storages.push((trie, position, branch));
        }
    }
}

impl<L: StoredLeaf> Edit<'_, '_, '_, L> {
    /// The subtree at `depth` after `changes`, which are sorted, unique and all below it.
    pub(crate) fn subtree<C: Change<L>>(
        &mut self,
        depth: usize,
        old: Option<Child>,
        changes: &[C],
    ) -> Result<Option<Child>, TrieError> {
        let Some(first) = changes.first().map(|change| *change.key()) else { return Ok(old) };
        if let Some(part) = self.parts.take(depth) {
            return Ok(part.top);
        }
        let mut was_large = false;
        let new = if let Some(mut old) = old {
            if !old.link.is_node() {
                old.link = self.resident(&first, depth, &old)?;
                old.leaves = self.leaves(old.link);
            }
            was_large = old.is_large();
            let view = self.pen.arena().view(old.link);
            if self.parts.is_empty() && can_replace(self.pen.arena(), &old, changes) {
                let mut replacing = Replacing::new(self.pen, self.levels, self.notes);
                let top = replacing.top(self.trie, depth, &old, changes)?;
                replacing.run()?;
                return Ok(Some(top));
            }
            if view.class().is_branch() {
                self.below_branch(depth, &old, view.branch(), changes)?
            } else {
                self.at_leaf(depth, &old, view, changes)?
            }
        } else if !self.parts.is_empty() {
            let mut fork = Fork::default();
            self.fork_children(depth, changes, &mut fork, |_, _| None)?;
            self.gathered(&first, depth, &Path::ROOT, None, &fork)?
        } else {
            self.built_from(depth, changes)?
        };
        let large = new.filter(Child::is_large);
        if let Some(large) = large.filter(|large| large.reference.is_none()) {
            self.note(&first, depth, large.link);
        } else if was_large && large.is_none() {
            self.note(&first, depth, Link::NONE);
        }
        Ok(new)
    }

    fn at_leaf<C: Change<L>>(
        &mut self,
        depth: usize,
        old: &Child,
        view: View<'_>,
        changes: &[C],
    ) -> Result<Option<Child>, TrieError> {
        let (key, value) = (view.key(), L::read(&view));
        if let [only] = changes
            && *only.key() == key
        {
            let Some(new) = only.value() else { return Ok(None) };
            if new.is_same(&value) {
                return Ok(Some(*old));
            }
            let mut child = self.new_leaf(depth, &key, &new)?;
            child.reference = old.reference.filter(|_| new.hashes_alike(&value));
            return Ok(Some(child));
        }
        let mut merged: Vec<Present<L>> = changes.iter().filter_map(|c| Some((*c.key(), Some(c.value()?)))).collect();
        let kept = changes.binary_search_by(|change| change.key().cmp(&key)).is_err();
        if kept && merged.is_empty() {
            return Ok(Some(*old));
        }
        if kept {
            let at = merged.partition_point(|(other, _)| *other < key);
            merged.insert(at, (key, Some(value)));
        }
        self.built(depth, &merged)
    }

    fn below_branch<C: Change<L>>(
        &mut self,
        depth: usize,
        old: &Child,
        branch: BranchView<'_>,
        changes: &[C],
    ) -> Result<Option<Child>, TrieError> {
        let extension = branch.extension();
        if extension.is_empty() {
            return self.below_fork(depth, &extension, old, &branch, changes);
        }
        // Keys may leave the extension half-way: new ones split it, deletions there have nothing to delete.
        let target = Path::of_key(changes[0].key(), depth).join(&extension).first_key();
        let follows = |change: &C| common_nibbles(change.key(), &target).min(depth + extension.len()) - depth;
        let inserted = changes.iter().filter(|change| change.value().is_some());
        let split = inserted.map(follows).min().unwrap_or(extension.len()).min(extension.len());
        // Those that get as far as the split are neighbours: all keys under one path are.
        let start = changes.iter().position(|change| follows(change) >= split).unwrap_or(changes.len());
        let end = changes.iter().rposition(|change| follows(change) >= split).map_or(start, |last| last + 1);
        let changes = &changes[start..end];
        if split == extension.len() {
            return self.below_fork(depth, &extension, old, &branch, changes);
        }
        // The branch goes down, below a new one with the first part of its extension.
        let lower = extension.part(split + 1, extension.len());
        let (link, new) = self.pen.branch(depth + split + 1, branch.mask(), &lower, branch.leaves())?;
        for rank in 0..branch.mask().count_ones() as usize {
            self.copy(&new, rank, &branch, rank);
        }
        let pushed = Child { link, leaves: branch.leaves(), reference: None, made: true };
        if pushed.is_large() {
            self.notes.records.repeats = true;
            self.note(&target, depth + split + 1, link);
        }
        let nibble = extension.nibble(split);
        let mut fork = Fork::default();
        self.fork_children(depth + split, changes, &mut fork, |_, n| (n == nibble).then_some(pushed))?;
        if fork.fresh >> nibble & 1 == 0 {
            fork.set(nibble, Some(pushed));
        } else if fork.children[nibble].is_none_or(|child| child.link != link) {
            self.notes.replaced.push(link);
        }
        self.gathered(&target, depth, &extension.part(0, split), None, &fork)
    }

    /// Changes that all get to the fork at the end of `extension`.
    fn below_fork<C: Change<L>>(
        &mut self,
        depth: usize,
        extension: &Path,
        old: &Child,
        branch: &BranchView<'_>,
        changes: &[C],
    ) -> Result<Option<Child>, TrieError> {
        let mut fork = Fork::default();
        self.fork_children(depth + extension.len(), changes, &mut fork, |edit, nibble| edit.child(branch, nibble))?;
        let (mut same_nodes, mut same_hashes) = (true, true);
        for nibble in nibbles(fork.fresh) {
            let rank = branch.rank(nibble);
            match (&fork.children[nibble], rank) {
                (None, None) => fork.fresh &= !(1 << nibble),
                (Some(child), Some(rank)) => {
                    let same_node = child.link == branch.link(rank);
                    same_nodes &= same_node;
                    same_hashes &= same_node || child.reference == Some(branch.reference(rank));
                }
                _ => (same_nodes, same_hashes) = (false, false),
            }
        }
        if same_nodes {
            return Ok(Some(*old));
        }
        let mut new = self.gathered(changes[0].key(), depth, extension, Some(branch), &fork)?;
        if same_hashes && let Some(new) = &mut new {
            new.reference = old.reference;
        }
        Ok(new)
    }

    /// Edits the children of a fork at `depth` that have changes.
    fn fork_children<C: Change<L>>(
        &mut self,
        depth: usize,
        changes: &[C],
        fork: &mut Fork,
        old: impl Fn(&Self, usize) -> Option<Child>,
    ) -> Result<(), TrieError> {
        let mut rest = changes;
        while let Some(first) = rest.first() {
            let nibble = nibble_of(first.key(), depth);
            let (group, others) = split_at_nibble(rest, depth, nibble);
            rest = others;
            // What stood where a part does has been looked at, by another thread.
            if let Some(part) = self.parts.take(depth + 1) {
                fork.set(nibble, part.top);
                fork.grown += part.grown;
                continue;
            }
            let old = old(self, nibble);
            let leaves = old.map_or(0, |old| i64::from(old.leaves));
            let new = self.subtree(depth + 1, old, group)?;
            fork.set(nibble, new);
            fork.grown += new.map_or(0, |new| i64::from(new.leaves)) - leaves;
        }
        Ok(())
    }

    fn child(&self, branch: &BranchView<'_>, nibble: usize) -> Option<Child> {
        Held::of(branch, nibble).map(|held| held.child(self.pen.arena()))
    }

    fn leaves(&self, link: Link) -> u32 {
        self.pen.arena().leaves(link)
    }

    /// Copies a child of another branch as it is.
    fn copy(&self, new: &NewBranch<'_>, rank: usize, from: &BranchView<'_>, from_rank: usize) {
        new.copy(rank, from, from_rank);
        if new.has_counts() {
            let leaves = if from.is_large() { from.count(from_rank).into() } else { self.leaves(from.link(from_rank)) };
            new.set_count(rank, leaves);
        }
    }

    /// The node over the children of `old` with those of `fork` in their place: nothing over none, a lone child
    /// pulled up, a branch over more. All stand below `depth` towards `key`.
    pub(crate) fn gathered(
        &mut self,
        key: &B256,
        depth: usize,
        extension: &Path,
        old: Option<&BranchView<'_>>,
        fork: &Fork,
    ) -> Result<Option<Child>, TrieError> {
        let old_mask = old.map_or(0, BranchView::mask);
        let mask = fork.present | old_mask & !fork.fresh;
        match mask.count_ones() {
            0 => return Ok(None),
            1 => {
                let nibble = mask.trailing_zeros() as usize;
                let before = old.and_then(|old| self.child(old, nibble));
                let child = fork.children[nibble].or(before).expect("the mask has its bit");
                let path = Path::of_key(key, depth).join(extension).child(nibble);
                return self.pulled_up(depth, &path, &child).map(Some);
            }
            _ => {}
        }
        let leaves = match old {
            Some(old) => (i64::from(old.leaves()) + fork.grown) as u32,
            None => nibbles(mask).filter_map(|n| fork.children[n]).map(|child| child.leaves).sum(),
        };
        let (link, new) = self.pen.branch(depth, mask, extension, leaves)?;
        let child_depth = depth + extension.len() + 1;
        for (rank, nibble) in nibbles(mask).enumerate() {
            match (&fork.children[nibble], old) {
                (Some(child), _) => {
                    new.set_link(rank, child.link, self.pen.arena().is_light(child.link));
                    new.set_count(rank, child.leaves);
                    match &child.reference {
                        Some(reference) => new.set_reference(rank, reference),
                        None => self.levels.child(child_depth, child.link, link, rank),
                    }
                }
                (None, Some(old)) => self.copy(&new, rank, old, rank_in(old_mask, nibble)),
                (None, None) => unreachable!("every bit of the mask has a child"),
            }
        }
        Ok(Some(Child { link, leaves, reference: None, made: true }))
    }

    /// The one child that is left of a fork, pulled up to `depth`; it stood at `path`.
    fn pulled_up(&mut self, depth: usize, path: &Path, child: &Child) -> Result<Child, TrieError> {
        let link = self.resident(&path.first_key(), path.len(), child)?;
        if child.made {
            self.notes.replaced.push(link);
        }
        let view = self.pen.arena().view(link);
        if !view.class().is_branch() {
            return self.new_leaf(depth, &view.key(), &L::read(&view));
        }
        let branch = view.branch();
        if branch.is_large() {
            self.notes.records.repeats = true;
            self.note(&path.first_key(), path.len(), Link::NONE);
        }
        let extension = path.part(depth, path.len()).join(&branch.extension());
        let leaves = branch.leaves();
        let (new_link, new) = self.pen.branch(depth, branch.mask(), &extension, leaves)?;
        for rank in 0..branch.mask().count_ones() as usize {
            self.copy(&new, rank, &branch, rank);
        }
        if child.reference.is_none() {
            self.levels.move_children(depth + extension.len() + 1, link, new_link);
        }
        Ok(Child { link: new_link, leaves, reference: None, made: true })
    }

    fn new_leaf(&mut self, depth: usize, key: &B256, value: &L) -> Result<Child, TrieError> {
        let (leaf, _) = self.pen.leaf(depth, key, value)?;
        Ok(Child::leaf(leaf))
    }

    /// The node of a subtree, loaded where it is not in memory.
    fn resident(&mut self, key: &B256, depth: usize, child: &Child) -> Result<Link, TrieError> {
        if child.link.is_node() {
            return Ok(child.link);
        }
        let path = Path::of_key(key, depth);
        if let Some(link) = self.tries.found(self.trie, &path) {
            return Ok(link);
        }
        let expected = child.reference.expect("what is not in memory has its hash");
        let want = Want { trie: self.trie, path, link: child.link, expected };
        let [link] = self.tries.load::<L>(self.pen, &[want])?[..] else { unreachable!("one node for one want") };
        self.notes.loaded.push((self.trie, path, link));
        Ok(link)
    }

    pub(crate) fn note(&mut self, key: &B256, depth: usize, record: Link) {
        self.notes.record(self.trie, key, depth, record);
    }
}

/// The children of a branch in the making.
#[derive(Default)]
pub(crate) struct Fork {
    /// A bit for every child that was edited.
    fresh: u16,
    /// Those of them that exist.
    present: u16,
    children: [Option<Child>; 16],
    /// Leaves won less leaves lost.
    grown: i64,
}

impl Fork {
    pub(crate) fn set(&mut self, nibble: usize, child: Option<Child>) {
        self.fresh |= 1 << nibble;
        self.present |= u16::from(child.is_some()) << nibble;
        self.children[nibble] = child;
    }
}

/// Splits sorted changes, the first of which has `nibble` at `depth`, where that nibble ends.
pub(crate) fn split_at_nibble<L: Leaf, C: Change<L>>(changes: &[C], depth: usize, nibble: usize) -> (&[C], &[C]) {
    let same = |change: &C| nibble_of(change.key(), depth) == nibble;
    // Short runs are the rule below the top.
    let end = match changes.iter().take(8).position(|change| !same(change)) {
        Some(end) => end,
        None => changes.partition_point(same),
    };
    changes.split_at(end)
}
