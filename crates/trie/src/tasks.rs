//! Many edits at once, on the current rayon pool.
//!
//! Edits are put into bins of about equal work. A bin's edits share a pen, those that only put new values are walked together,
//! and all are hashed together, level by level: the lanes of the hasher stay full however small the single edits are. A
//! large edit, of what was empty too, is cut below its first nibble or two into up to 256 that go to different bins, and is
//! finished when these are done. What comes out is the same for every number of threads and bins, but for
//! deletions of records that the store does not have: where a part's branch is taken up by an extension above it.

use crate::{
    Path, TrieError,
    arena::{Arena, MadeNodes, Pen},
    change::Change,
    edit::{Child, Edit, Notes, Precut, split_at_nibble},
    levels::Levels,
    link::Link,
    load::{StoredLeaf, Tries},
    path::nibble_of,
    replace::{Replacing, can_replace},
};
use rayon::prelude::*;
use std::{collections::HashMap, marker::PhantomData};

/// Changes of which the nodes above, old and new, and what is made of them while they are hashed, find room in a
/// second-level cache: about 2 KB each.
const BIN_CHANGES: usize = 512;

/// How work is divided.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Division {
    /// Bins come in multiples of this.
    pub(crate) bins: usize,
    /// About the most changes in a bin.
    pub(crate) bin_changes: usize,
    /// Nibbles below which large edits are cut; 0 for not at all.
    pub(crate) cut_depth: usize,
    /// Changes from which an edit counts as large.
    pub(crate) large_changes: usize,
}

impl Division {
    /// For the pool that this runs on.
    pub(crate) fn of_pool() -> Self {
        match rayon::current_num_threads() {
            1 => Self { bins: 1, bin_changes: BIN_CHANGES, cut_depth: 1, large_changes: 3 * BIN_CHANGES },
            // As many bins as threads: each has lists of places of its own and leaves lanes of the hasher empty, some thirty
            // microseconds in all, and four times as many took 1,000 changes a tenth longer. What is cut off is done apart from
            // its top, which one thread does: sixteen parts keep a few threads busy, and leave it a single node.
            threads => {
                let cut_depth = if threads <= 4 { 1 } else { 2 };
                Self { bins: threads, bin_changes: BIN_CHANGES, cut_depth, large_changes: 64 }
            }
        }
    }
}

/// The changes of one trie, or of a subtree.
pub(crate) struct Task<'c, C> {
    pub(crate) trie: usize,
    pub(crate) depth: usize,
    pub(crate) old: Option<Child>,
    pub(crate) changes: &'c [C],
    pub(crate) precut: Precut,
}

impl<C> Task<'_, C> {
    /// Whether there is a branch in memory, and nothing but new values for leaves that are there.
    fn replaces<L>(&self, arena: &Arena) -> bool
    where
        C: Change<L>,
    {
        let is_whole = self.depth >= self.precut.depth && !self.changes.is_empty();
        is_whole && self.old.as_ref().is_some_and(|old| can_replace(arena, old, self.changes))
    }
}

/// What all tasks left.
#[derive(Default)]
pub(crate) struct Made<'a> {
    pub(crate) nodes: Vec<MadeNodes<'a>>,
    /// Branches to record by trie, in no order; where a position is named twice, the last counts.
    pub(crate) records: Vec<(usize, Path, Link)>,
    /// Whether positions may be named twice.
    pub(crate) repeats: bool,
    pub(crate) loaded: Vec<(usize, Path, Link)>,
    pub(crate) replaced: Vec<Link>,
}

/// Where tasks run.
pub(crate) struct Workshop<'w, 'a> {
    pub(crate) arena: &'a Arena,
    pub(crate) tries: &'w Tries<'a>,
    pub(crate) epoch: u32,
    pub(crate) division: Division,
}

impl<'a> Workshop<'_, 'a> {
    /// The new tops of all tasks, in their order, with their references. Tasks are whole tries.
    pub(crate) fn run<L: StoredLeaf, C: Change<L> + Sync>(
        &self,
        mut tasks: Vec<Task<'_, C>>,
        made: &mut Made<'a>,
    ) -> Result<Vec<Option<Child>>, TrieError> {
        let mut first = Vec::new();
        let mut is_cut = vec![false; tasks.len()];
        for (i, task) in tasks.iter_mut().enumerate() {
            let parts = if task.changes.len() >= self.division.large_changes { self.cut(task) } else { Vec::new() };
            is_cut[i] = !parts.is_empty();
            if is_cut[i] {
                first.extend(parts.into_iter().map(|part| (i, part)));
            } else {
                first.push((i, Task { precut: Precut::default(), ..*task }));
            }
        }
        let tops = self.in_bins(&mut first, made)?;
        let mut done = vec![None; tasks.len()];
        let mut second = Vec::new();
        let mut parts = first.iter().zip(tops).peekable();
        for (i, task) in tasks.iter_mut().enumerate() {
            let mut precut = Precut { depth: self.division.cut_depth, done: HashMap::new() };
            while let Some(((_, part), top)) = parts.next_if(|((of, _), _)| *of == i) {
                if is_cut[i] {
                    precut.done.insert(Precut::name(part.changes[0].key(), part.depth), top);
                } else {
                    done[i] = top;
                }
            }
            if is_cut[i] {
                second.push((i, Task { precut, ..*task }));
            }
        }
        let tops = if second.is_empty() { Vec::new() } else { self.in_bins(&mut second, made)? };
        for ((i, _), top) in second.iter().zip(tops) {
            done[*i] = top;
        }
        Ok(done)
    }

    /// The subtrees below the cut that can be edited apart: those that a chain of branches without extensions leads
    /// to, and those of what was empty above. The rest is left to the edit of the top.
    fn cut<'c, L: StoredLeaf, C: Change<L>>(&self, task: &Task<'c, C>) -> Vec<Task<'c, C>> {
        let mut parts = Vec::new();
        if self.division.cut_depth > 0 {
            self.cut_below(task.trie, 0, task.old, task.changes, &mut parts);
        }
        parts
    }

    fn cut_below<'c, L: StoredLeaf, C: Change<L>>(
        &self,
        trie: usize,
        depth: usize,
        old: Option<Child>,
        changes: &'c [C],
        parts: &mut Vec<Task<'c, C>>,
    ) {
        if depth == self.division.cut_depth {
            return parts.push(Task { trie, depth, old, changes, precut: Precut::default() });
        }
        let branch = match old.map(|old| old.link) {
            None => None,
            Some(link) => {
                let found = || self.tries.found(trie, &Path::of_key(changes[0].key(), depth));
                let node = if link.is_node() { Some(link) } else { found() };
                let branch = node.and_then(|node| self.arena.branch(node));
                let Some(branch) = branch.filter(|branch| branch.extension_len() == 0) else { return };
                Some(branch)
            }
        };
        let child = |nibble: usize| {
            let branch = branch.as_ref()?;
            let rank = branch.rank(nibble)?;
            let (link, reference) = (branch.link(rank), Some(branch.reference(rank)));
            Some(Child { link, leaves: self.arena.leaves(link), reference, made: false })
        };
        let mut rest = changes;
        while let Some(first) = rest.first() {
            let nibble = nibble_of(first.key(), depth);
            let (group, others) = split_at_nibble(rest, depth, nibble);
            rest = others;
            self.cut_below(trie, depth + 1, child(nibble), group, parts);
        }
    }

    fn in_bins<L: StoredLeaf, C: Change<L> + Sync>(
        &self,
        tasks: &mut [(usize, Task<'_, C>)],
        made: &mut Made<'a>,
    ) -> Result<Vec<Option<Child>>, TrieError> {
        let bins = self.bins(tasks);
        let done: Vec<_> = if self.division.bins == 1 || bins.len() == 1 {
            bins.into_iter().map(|bin| self.bin(bin)).collect::<Result<_, _>>()?
        } else {
            bins.into_par_iter().map(|bin| self.bin(bin)).collect::<Result<_, _>>()?
        };
        let mut tops = Vec::new();
        for (bin_tops, nodes, notes) in done {
            tops.extend(bin_tops);
            made.nodes.push(nodes);
            made.records.extend(notes.records);
            made.repeats |= notes.repeats;
            made.loaded.extend(notes.loaded);
            made.replaced.extend(notes.replaced);
        }
        Ok(tops)
    }

    /// Tasks in bins of about the same number of changes, neighbours together.
    fn bins<'t, 'c, C>(&self, tasks: &'t mut [(usize, Task<'c, C>)]) -> Vec<&'t mut [(usize, Task<'c, C>)]> {
        let total: usize = tasks.iter().map(|(_, task)| task.changes.len()).sum();
        let Division { bins: unit, bin_changes, .. } = self.division;
        let count = total.div_ceil(bin_changes.saturating_mul(unit)).max(1) * unit;
        let mut bins = Vec::with_capacity(count);
        let (mut rest, mut before) = (tasks, 0);
        while !rest.is_empty() {
            // A task belongs where its middle lies: bins that take what exceeds their share leave too little for the last.
            let bin_at = |before: usize, task: &Task<'c, C>| {
                ((before + task.changes.len() / 2) * count / total.max(1)).min(count - 1)
            };
            let number = bin_at(before, &rest[0].1);
            let end = rest.iter().position(|(_, task)| {
                let is_next = bin_at(before, task) != number;
                before += if is_next { 0 } else { task.changes.len() };
                is_next
            });
            let (bin, others) = rest.split_at_mut(end.unwrap_or(rest.len()));
            bins.push(bin);
            rest = others;
        }
        bins
    }

    fn bin<L: StoredLeaf, C: Change<L>>(
        &self,
        tasks: &mut [(usize, Task<'_, C>)],
    ) -> Result<(Vec<Option<Child>>, MadeNodes<'a>, Notes), TrieError> {
        let mut pen = Pen::new(self.arena, self.epoch);
        let (mut levels, mut notes) = (Levels::default(), Notes::default());
        let mut tops = vec![None; tasks.len()];
        let (replaced, edited): (Vec<usize>, Vec<usize>) =
            (0..tasks.len()).partition(|i| tasks[*i].1.replaces(self.arena));
        for i in edited {
            let task = &mut tasks[i].1;
            let mut edit = Edit {
                pen: &mut pen,
                levels: &mut levels,
                tries: self.tries,
                trie: task.trie,
                notes: &mut notes,
                precut: std::mem::take(&mut task.precut),
                leaf: PhantomData::<L>,
            };
            tops[i] = edit.subtree(task.depth, task.old, task.changes)?;
            debug_assert!(edit.precut.done.is_empty(), "every part that was cut off is picked up");
        }
        let mut replacing = Replacing::new(&mut pen, &mut levels, &mut notes);
        for i in replaced {
            let task = &tasks[i].1;
            let old = task.old.as_ref().expect("there is a branch");
            tops[i] = Some(replacing.top(task.trie, task.depth, old, task.changes)?);
        }
        replacing.run()?;
        for (i, (top, (_, task))) in tops.iter().zip(tasks).enumerate() {
            if let Some(Child { link, reference: None, .. }) = top {
                levels.root(task.depth, *link, i);
            }
        }
        for (i, reference) in levels.hash(self.arena) {
            if let Some(top) = &mut tops[i] {
                top.reference = Some(reference);
            }
        }
        Ok((tops, pen.close(), notes))
    }
}
