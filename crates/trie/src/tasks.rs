//! Many edits at once, on the current rayon pool.
//!
//! Edits are put into bins of about equal work. A bin's edits share a pen and are hashed together, level by level: the
//! lanes of the hasher stay full however small the single edits are. A large edit is cut below its first two nibbles
//! into up to 256 that go to different bins, and is finished when these are done. What comes out is the same for every
//! number of threads and bins.

use crate::{
    Path, TrieError,
    arena::{Arena, MadeNodes, Pen},
    change::Change,
    edit::{Child, Edit, Notes, Precut, split_at_nibble},
    levels::Levels,
    link::Link,
    load::{StoredLeaf, Tries},
    path::nibble_of,
};
use rayon::prelude::*;
use std::{collections::HashMap, marker::PhantomData};

/// Changes of which the nodes above, old and new, and what is made of them while they are hashed, find room in a
/// second-level cache: about 2 KB each.
const BIN_CHANGES: usize = 512;

/// How work is divided.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Division {
    /// Bins for all edits, if they are few.
    pub(crate) bins: usize,
    /// Changes in a bin from which it is full.
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
            // A few bins a thread even out what the counts of changes do not show. What is cut off is done apart from its top,
            // which one thread does: sixteen parts keep a few threads busy, and leave it a single node.
            threads => {
                let cut_depth = if threads <= 4 { 1 } else { 2 };
                Self { bins: 4 * threads, bin_changes: BIN_CHANGES, cut_depth, large_changes: 64 }
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
    /// to. The rest is left to the edit of the top.
    fn cut<'c, L: StoredLeaf, C: Change<L>>(&self, task: &Task<'c, C>) -> Vec<Task<'c, C>> {
        let mut parts = Vec::new();
        if let Some(old) = &task.old {
            self.cut_below(task.trie, 0, old.link, task.changes, &mut parts);
        }
        parts
    }

    fn cut_below<'c, L: StoredLeaf, C: Change<L>>(
        &self,
        trie: usize,
        depth: usize,
        node: Link,
        changes: &'c [C],
        parts: &mut Vec<Task<'c, C>>,
    ) {
        let node = if node.is_node() || node == Link::NONE {
            node
        } else {
            self.tries.found(trie, &Path::of_key(changes[0].key(), depth)).unwrap_or(Link::NONE)
        };
        if node == Link::NONE || !self.arena.class(node).is_branch() {
            return;
        }
        let branch = self.arena.view(node).branch();
        if branch.extension_len() > 0 {
            return;
        }
        let mut rest = changes;
        while let Some(first) = rest.first() {
            let nibble = nibble_of(first.key(), depth);
            let (group, others) = split_at_nibble(rest, depth, nibble);
            rest = others;
            let link = branch.rank(nibble).map_or(Link::NONE, |rank| branch.link(rank));
            if depth + 1 < self.division.cut_depth {
                self.cut_below(trie, depth + 1, link, group, parts);
                continue;
            }
            let old = branch.rank(nibble).map(|rank| Child {
                link,
                leaves: self.arena.leaves(link),
                reference: Some(branch.reference(rank)),
                made: false,
            });
            parts.push(Task { trie, depth: depth + 1, old, changes: group, precut: Precut::default() });
        }
    }

    fn in_bins<L: StoredLeaf, C: Change<L> + Sync>(
        &self,
        tasks: &mut [(usize, Task<'_, C>)],
        made: &mut Made<'a>,
    ) -> Result<Vec<Option<Child>>, TrieError> {
        let total: usize = tasks.iter().map(|(_, task)| task.changes.len()).sum();
        let share = total.div_ceil(self.division.bins).clamp(1, self.division.bin_changes);
        let mut bins = Vec::with_capacity(self.division.bins.max(total / self.division.bin_changes));
        let mut rest = tasks;
        while !rest.is_empty() {
            let mut weight = 0;
            let count = rest.iter().take_while(|(_, task)| {
                let room = weight < share;
                weight += task.changes.len();
                room
            });
            let count = count.count();
            let (bin, others) = rest.split_at_mut(count);
            bins.push(bin);
            rest = others;
        }
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

    fn bin<L: StoredLeaf, C: Change<L>>(
        &self,
        tasks: &mut [(usize, Task<'_, C>)],
    ) -> Result<(Vec<Option<Child>>, MadeNodes<'a>, Notes), TrieError> {
        let mut pen = Pen::new(self.arena, self.epoch);
        let (mut levels, mut notes) = (Levels::default(), Notes::default());
        let mut tops = Vec::with_capacity(tasks.len());
        for (i, (_, task)) in tasks.iter_mut().enumerate() {
            let mut edit = Edit {
                pen: &mut pen,
                levels: &mut levels,
                tries: self.tries,
                trie: task.trie,
                notes: &mut notes,
                precut: std::mem::take(&mut task.precut),
                leaf: PhantomData::<L>,
            };
            let top = edit.subtree(task.depth, task.old, task.changes)?;
            debug_assert!(edit.precut.done.is_empty(), "every part that was cut off is picked up");
            if let Some(Child { link, reference: None, .. }) = top {
                levels.root(task.depth, link, i);
            }
            tops.push(top);
        }
        for (i, reference) in levels.hash(self.arena) {
            if let Some(top) = &mut tops[i] {
                top.reference = Some(reference);
            }
        }
        Ok((tops, pen.close(), notes))
    }
}
