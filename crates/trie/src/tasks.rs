//! Many edits at once, on the current rayon pool.
//!
//! Edits are put into bins of about equal work. A bin's edits share a pen, those that only put new values are walked together,
//! and all are hashed together, level by level: the lanes of the hasher stay full however small the single edits are. A
//! large edit, of what was empty too, in which two bins meet is cut below its first nibble, and a part of it in which they still
//! meet below the second; it is finished when its parts are done. What comes out is the same for every number of threads and
//! bins, but for deletions of records that the store does not have: where a part's branch is taken up by an extension above it.

use crate::{
    Path, TrieError,
    arena::{Arena, BranchView, Pen},
    change::Change,
    edit::{Child, Edit, Notes, Precut, split_at_nibble},
    levels::Levels,
    link::Link,
    load::{StoredLeaf, Tries},
    node_changes::Records,
    path::nibble_of,
    replace::{Replacing, can_replace},
};
use rayon::prelude::*;
use std::{
    marker::PhantomData,
    ops::Range,
    sync::{Mutex, MutexGuard, PoisonError},
};

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
    /// The most nibbles below which large edits are cut; 0 for not at all.
    pub(crate) cut_depth: usize,
    /// Changes from which an edit counts as large.
    pub(crate) large_changes: usize,
}

impl Division {
    /// For the pool that this runs on.
    pub(crate) fn of_pool() -> Self {
        match rayon::current_num_threads() {
            1 => Self { bins: 1, bin_changes: BIN_CHANGES, cut_depth: 1, large_changes: 3 * BIN_CHANGES },
            // As many bins as threads: each leaves lanes of the hasher empty, and with four times as many 1,000 changes took up to
            // 3 % longer, on cores that are equally fast.
            threads => Self { bins: threads, bin_changes: BIN_CHANGES, cut_depth: 2, large_changes: 64 },
        }
    }

    fn borders<'t, C: 't>(&self, tasks: impl Iterator<Item = &'t Task<'t, C>>) -> Borders {
        let changes = tasks.map(|task| task.changes.len()).sum();
        let units = usize::div_ceil(changes, self.bin_changes.saturating_mul(self.bins));
        Borders { changes, bins: units.max(1) * self.bins }
    }
}

/// Where bins meet, if each gets as many changes as any other.
struct Borders {
    changes: usize,
    bins: usize,
}

impl Borders {
    /// The bin of change number `at` of all.
    fn bin_at(&self, at: usize) -> usize {
        (at * self.bins / self.changes.max(1)).min(self.bins - 1)
    }

    /// Whether one of them lies inside of these changes, and not so near to an end that it might as well lie there.
    fn divide(&self, range: Range<usize>) -> bool {
        let near = self.changes / self.bins / 32;
        range.len() > 2 * near && self.bin_at(range.start + near) != self.bin_at(range.end - 1 - near)
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
        let is_whole = self.precut.has_none_below(self.depth) && !self.changes.is_empty();
        is_whole && self.old.as_ref().is_some_and(|old| can_replace(arena, old, self.changes))
    }
}

/// What all tasks left.
#[derive(Default)]
pub(crate) struct Made {
    /// In the order in which they count.
    pub(crate) records: Vec<Records>,
    pub(crate) loaded: Vec<(usize, Path, Link)>,
    pub(crate) replaced: Vec<Link>,
}

/// Where tasks run.
pub(crate) struct Workshop<'w, 'a> {
    pub(crate) arena: &'a Arena,
    tries: &'w Tries<'a>,
    epoch: u32,
    division: Division,
    /// Those that nobody uses now.
    tools: Mutex<Vec<Tools<'a>>>,
}

/// What a thread needs for a bin, and then for another. They cost some microseconds, once a thread.
struct Tools<'a> {
    pen: Pen<'a>,
    levels: Levels,
    notes: Notes,
}

impl<'a> Tools<'a> {
    fn with(pen: Pen<'a>) -> Self {
        Self { pen, levels: Levels::default(), notes: Notes::default() }
    }
}

impl<'w, 'a> Workshop<'w, 'a> {
    /// `pen` is one of those that are used.
    pub(crate) fn new(pen: Pen<'a>, tries: &'w Tries<'a>, epoch: u32, division: Division) -> Self {
        Self { arena: pen.arena(), tries, epoch, division, tools: Mutex::new(vec![Tools::with(pen)]) }
    }

    /// Keeps all nodes that were made, and tells how many bytes they are.
    pub(crate) fn keep(self) -> u64 {
        let tools = self.tools.into_inner().unwrap_or_else(PoisonError::into_inner);
        tools.into_iter().map(|tools| tools.pen.keep()).sum()
    }

    fn tools(&self) -> MutexGuard<'_, Vec<Tools<'a>>> {
        self.tools.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The new tops of all tasks, in their order, with their references. Tasks are whole tries.
    pub(crate) fn run<L: StoredLeaf, C: Change<L> + Sync>(
        &self,
        mut tasks: Vec<Task<'_, C>>,
        made: &mut Made,
    ) -> Result<Vec<Option<Child>>, TrieError> {
        let mut first = Vec::new();
        let mut is_cut = vec![false; tasks.len()];
        let borders = self.division.borders(tasks.iter());
        let mut before = 0;
        for (i, task) in tasks.iter_mut().enumerate() {
            let mut parts = Vec::new();
            if task.changes.len() >= self.division.large_changes {
                self.cut(task, before, &borders, &mut parts);
            }
            before += task.changes.len();
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
            let mut precut = Precut::default();
            while let Some(((_, part), top)) = parts.next_if(|((of, _), _)| *of == i) {
                if is_cut[i] {
                    precut.put(part.changes[0].key(), part.depth, top);
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

    /// The parts of an edit that can be made apart, if it is worth it: as long as a border of bins lies inside of one, those below
    /// its branch instead. `before` this task come so many changes of others.
    fn cut<'c, L: StoredLeaf, C: Change<L>>(
        &self,
        task: &Task<'c, C>,
        before: usize,
        borders: &Borders,
        parts: &mut Vec<Task<'c, C>>,
    ) {
        let is_divided = task.depth < self.division.cut_depth && borders.divide(before..before + task.changes.len());
        let fork = if is_divided { self.fork(task) } else { None };
        let Some(branch) = fork else {
            if task.depth > 0 {
                parts.push(Task { precut: Precut::default(), ..*task });
            }
            return;
        };
        let child = |nibble: usize| {
            let branch = branch.as_ref()?;
            let rank = branch.rank(nibble)?;
            let (link, reference) = (branch.link(rank), Some(branch.reference(rank)));
            Some(Child { link, leaves: self.arena.leaves(link), reference, made: false })
        };
        let mut rest = task.changes;
        while let Some(first) = rest.first() {
            let before = before + task.changes.len() - rest.len();
            let nibble = nibble_of(first.key(), task.depth);
            let (changes, others) = split_at_nibble(rest, task.depth, nibble);
            rest = others;
            let (depth, old) = (task.depth + 1, child(nibble));
            let part = Task { trie: task.trie, depth, old, changes, precut: Precut::default() };
            self.cut(&part, before, borders, parts);
        }
    }

    /// The branch whose children are edited apart from each other: one without extension, or none yet.
    fn fork<L, C: Change<L>>(&self, task: &Task<'_, C>) -> Option<Option<BranchView<'a>>> {
        let Some(old) = task.old else { return Some(None) };
        let found = || self.tries.found(task.trie, &Path::of_key(task.changes[0].key(), task.depth));
        let node = if old.link.is_node() { old.link } else { found()? };
        self.arena.branch(node).filter(|branch| branch.extension_len() == 0).map(Some)
    }

    fn in_bins<L: StoredLeaf, C: Change<L> + Sync>(
        &self,
        tasks: &mut [(usize, Task<'_, C>)],
        made: &mut Made,
    ) -> Result<Vec<Option<Child>>, TrieError> {
        let bins = self.bins(tasks);
        let done: Vec<_> = if self.division.bins == 1 || bins.len() == 1 {
            bins.into_iter().map(|bin| self.bin(bin)).collect::<Result<_, _>>()?
        } else {
            // One bin at a time: whoever has done its own takes another's next.
            bins.into_par_iter().with_max_len(1).map(|bin| self.bin(bin)).collect::<Result<_, _>>()?
        };
        for Tools { notes, .. } in self.tools().iter_mut() {
            let notes = std::mem::take(notes);
            made.records.push(notes.records);
            made.loaded.extend(notes.loaded);
            made.replaced.extend(notes.replaced);
        }
        Ok(done.into_iter().flatten().collect())
    }

    /// Tasks in bins of about the same number of changes, neighbours together.
    fn bins<'t, 'c, C>(&self, tasks: &'t mut [(usize, Task<'c, C>)]) -> Vec<&'t mut [(usize, Task<'c, C>)]> {
        let borders = self.division.borders(tasks.iter().map(|(_, task)| task));
        let mut bins = Vec::with_capacity(borders.bins);
        let (mut rest, mut before) = (tasks, 0);
        while !rest.is_empty() {
            // A task belongs where its middle lies: bins that take what exceeds their share leave too little for the last.
            let bin_at = |before: usize, task: &Task<'c, C>| borders.bin_at(before + task.changes.len() / 2);
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
    ) -> Result<Vec<Option<Child>>, TrieError> {
        let unused = self.tools().pop();
        let mut tools = unused.unwrap_or_else(|| Tools::with(Pen::new(self.arena, self.epoch)));
        let tops = self.bin_with(&mut tools, tasks);
        if tops.is_err() {
            // Bins that begin before the others hear of it must not hash what this one left half made; its nodes are others' to read.
            tools.levels = Levels::default();
        }
        self.tools().push(tools);
        tops
    }

    fn bin_with<L: StoredLeaf, C: Change<L>>(
        &self,
        tools: &mut Tools<'a>,
        tasks: &mut [(usize, Task<'_, C>)],
    ) -> Result<Vec<Option<Child>>, TrieError> {
        let Tools { pen, levels, notes } = tools;
        let mut tops = vec![None; tasks.len()];
        let (replaced, edited): (Vec<usize>, Vec<usize>) =
            (0..tasks.len()).partition(|i| tasks[*i].1.replaces(self.arena));
        for i in edited {
            let task = &mut tasks[i].1;
            let mut edit = Edit {
                pen,
                levels,
                tries: self.tries,
                trie: task.trie,
                notes,
                precut: std::mem::take(&mut task.precut),
                leaf: PhantomData::<L>,
            };
            tops[i] = edit.subtree(task.depth, task.old, task.changes)?;
            debug_assert!(edit.precut.is_used_up(), "every part that was cut off is picked up");
        }
        let mut replacing = Replacing::new(pen, levels, notes);
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
        Ok(tops)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        HeapMemory, NoNodes, Updates,
        change::Present,
        load::{ACCOUNTS, Addresses},
    };
    use alloy_primitives::{B256, U256};
    use std::sync::Arc;

    /// The first nibbles below which an edit is cut once more, if its 256 keys, one of every first byte, come so late among
    /// the changes of some bins.
    fn cut_twice(changes: usize, bins: usize, before: usize) -> Option<Vec<usize>> {
        let arena = Arena::new(Arc::new(HeapMemory));
        let updates = Updates::default();
        let tries = Tries::new(&NoNodes, Addresses::Of(&updates));
        let division = Division { bins, bin_changes: usize::MAX, cut_depth: 2, large_changes: 1 };
        let workshop = Workshop::new(Pen::new(&arena, 1), &tries, 1, division);
        let keys: Vec<Present<U256>> =
            (0..=255u8).map(|byte| (B256::right_padding_from(&[byte]), Some(U256::ONE))).collect();
        let task = Task { trie: ACCOUNTS, depth: 0, old: None, changes: keys.as_slice(), precut: Precut::default() };
        let mut parts = Vec::new();
        workshop.cut(&task, before, &Borders { changes, bins }, &mut parts);
        assert!(parts.iter().all(|part| part.changes.len() == if part.depth == 1 { 16 } else { 1 }));
        let whole: Vec<_> = parts.iter().filter(|part| part.depth == 1).map(|part| part.changes[0].0[0] >> 4).collect();
        let cut = parts.len().checked_sub(whole.len())?;
        let twice: Vec<usize> = (0..16).filter(|nibble| !whole.contains(&(*nibble as u8))).collect();
        assert!(parts.is_empty() || cut == 16 * twice.len());
        (!parts.is_empty()).then_some(twice)
    }

    #[test]
    fn an_edit_is_cut_where_bins_meet() {
        // Two bins meet between two parts, three in the middle of two.
        assert_eq!(cut_twice(256, 2, 0), Some(vec![]));
        assert_eq!(cut_twice(256, 3, 0), Some(vec![5, 10]));
        // Others come before, and others after.
        assert_eq!(cut_twice(520, 4, 252), Some(vec![0, 8]));
        // All in one bin.
        assert_eq!(cut_twice(10_000, 2, 0), None);
        assert_eq!(cut_twice(256, 1, 0), None);
    }

    #[test]
    fn borders_divide_what_lies_on_both_sides() {
        let borders = Borders { changes: 1280, bins: 4 };
        assert_eq!([0, 319, 320, 1279].map(|at| borders.bin_at(at)), [0, 0, 1, 3]);
        assert!(borders.divide(300..340) && borders.divide(0..1280));
        assert!(!borders.divide(0..320) && !borders.divide(320..640));
        // Ten changes are a thirty-second part of a bin.
        assert!(!borders.divide(311..400) && !borders.divide(200..329) && !borders.divide(310..330));
        for (changes, bins) in [(0, 1), (0, 16), (3, 16), (1, 256)] {
            let borders = Borders { changes, bins };
            assert!(!borders.divide(0..0) && !borders.divide(0..changes.min(1)));
            assert!((0..=changes).all(|at| borders.bin_at(at) < bins));
        }
    }
}
