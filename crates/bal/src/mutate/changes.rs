//! Mutations of one list of changes: of a balance, a nonce, a code or a slot.

use super::{MutationKind, Target};
use crate::{Change, Field};

/// A change list with one thing wrong.
pub(super) struct ChangesEdit<T> {
    pub(super) kind: MutationKind,
    /// The index of the change that was mutated.
    pub(super) index: u32,
    pub(super) changes: Vec<Change<T>>,
}

/// What mutations of a change list need to know.
pub(super) struct ChangesContext<T> {
    pub(super) field: Field,
    pub(super) index_max: u32,
    /// A value for a change that is added.
    pub(super) fresh: T,
    /// Other values than the one given.
    pub(super) altered: fn(&T) -> Vec<T>,
}

impl<T: Clone> ChangesContext<T> {
    pub(super) fn edits(&self, changes: &[Change<T>]) -> Vec<ChangesEdit<T>> {
        let mut edits = Vec::new();
        self.each_change(changes, &mut edits);
        self.neighbours(changes, &mut edits);
        self.additions(changes, &mut edits);
        edits
    }

    fn each_change(&self, changes: &[Change<T>], edits: &mut Vec<ChangesEdit<T>>) {
        let target = Target::Entry(self.field);
        for (at, change) in changes.iter().enumerate() {
            let index = change.block_access_index;
            let mut push = |kind, replacement: Vec<Change<T>>| {
                edits.push(ChangesEdit { kind, index, changes: replaced(changes, at, replacement) });
            };
            // A slot without changes has another form, and a kind of its own.
            if !(self.field == Field::StorageChanges && changes.len() == 1) {
                push(MutationKind::Drop(target), vec![]);
            }
            push(MutationKind::Duplicate(target), vec![change.clone(), change.clone()]);
            for post in (self.altered)(&change.post) {
                push(MutationKind::Alter(target), vec![Change { block_access_index: index, post }]);
            }
        }
        for (at, change) in changes.iter().enumerate() {
            let index = change.block_access_index;
            for to in self.free_indices(changes).filter(|to| to.abs_diff(index) == 1 || *to == self.index_max) {
                let mut moved = changes.to_vec();
                moved[at].block_access_index = to;
                moved.sort_by_key(|change| change.block_access_index);
                edits.push(ChangesEdit { kind: MutationKind::Reindex(self.field), index, changes: moved });
            }
        }
        if let Some((last, head)) = changes.split_last() {
            let beyond = Change { block_access_index: self.index_max + 1, post: last.post.clone() };
            let changes = head.iter().cloned().chain([beyond]).collect();
            let kind = MutationKind::ReindexBeyondBlock(self.field);
            edits.push(ChangesEdit { kind, index: last.block_access_index, changes });
        }
    }

    fn neighbours(&self, changes: &[Change<T>], edits: &mut Vec<ChangesEdit<T>>) {
        for at in 1..changes.len() {
            let mut swapped = changes.to_vec();
            swapped.swap(at - 1, at);
            let kind = MutationKind::Reorder(Target::Entry(self.field));
            edits.push(ChangesEdit { kind, index: changes[at].block_access_index, changes: swapped });
        }
    }

    fn additions(&self, changes: &[Change<T>], edits: &mut Vec<ChangesEdit<T>>) {
        for index in self.free_indices(changes) {
            let mut added = changes.to_vec();
            added.push(Change { block_access_index: index, post: self.fresh.clone() });
            added.sort_by_key(|change| change.block_access_index);
            edits.push(ChangesEdit { kind: MutationKind::Add(Target::Entry(self.field)), index, changes: added });
        }
    }

    /// Some indices at which nothing changes: the first two, the last, and those beside a change.
    fn free_indices<'a>(&self, changes: &'a [Change<T>]) -> impl Iterator<Item = u32> + use<'a, T> {
        let index_max = self.index_max;
        let taken = move |index: u32| changes.iter().any(|change| change.block_access_index == index);
        let beside = changes.iter().flat_map(|change| {
            [change.block_access_index.checked_sub(1), change.block_access_index.checked_add(1)].into_iter().flatten()
        });
        let mut free: Vec<_> = beside.chain([0, 1, index_max]).filter(|at| *at <= index_max && !taken(*at)).collect();
        free.sort_unstable();
        free.dedup();
        free.into_iter()
    }
}

/// `items` with the one at `at` replaced.
pub(super) fn replaced<T: Clone>(items: &[T], at: usize, replacement: Vec<T>) -> Vec<T> {
    let mut replaced = items.to_vec();
    replaced.splice(at..=at, replacement);
    replaced
}
