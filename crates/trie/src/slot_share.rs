//! A share of the slots of large storage tries: found, edited and hashed by one thread.

use crate::{
    TrieError,
    arena::Arena,
    change::SlotChange,
    division::{Subtree, Taken},
    edit::Part,
    error::TrieId,
    link::Link,
    locate::{Located, Probe, Search},
    rlp::Leaf,
    workshop::{Hashes, Progress, Share, Site, Task, Tools, Top},
};
use alloy_primitives::{B256, U256};

/// Neighbouring subtrees of one storage trie, or of several.
pub(crate) struct SlotShare<'a> {
    subtrees: Vec<Subtree>,
    search: Option<Search<'a>>,
    /// By subtree, without those that change nothing.
    changes: Vec<Vec<SlotChange<'a>>>,
    tops: Vec<Top>,
}

impl<'a> SlotShare<'a> {
    fn slots(site: &Site<'_, 'a>, subtree: &Subtree) -> &'a [(B256, U256)] {
        &site.updates.accounts[subtree.trie].slots[subtree.changes.clone()]
    }

    /// Whether slots are in order, among each other and with the one before.
    fn check_order(&self, site: &Site<'_, 'a>) -> Result<(), TrieError> {
        self.subtrees.iter().try_for_each(|subtree| {
            let account = &site.updates.accounts[subtree.trie];
            site.updates.check_slots(subtree.trie, subtree.changes.clone())?;
            match subtree.holds(|i| &account.slots[i].0) {
                true => Ok(()),
                false => Err(TrieError::Unsorted {
                    trie: TrieId::Storage(account.address_hash),
                    index: subtree.changes.start,
                }),
            }
        })
    }
}

impl<'a> Share<'a> for SlotShare<'a> {
    /// The number of a trie, and which of its changes is the first of a part, with what became of that.
    type Done = Vec<(usize, usize, Part)>;

    fn of(taken: Taken<'a>, _: &Site<'_, 'a>) -> Vec<Self> {
        if taken.subtrees.is_empty() {
            return Vec::new();
        }
        vec![Self { subtrees: taken.subtrees, search: None, changes: Vec::new(), tops: Vec::new() }]
    }

    fn changes(&self) -> usize {
        self.changes.iter().map(Vec::len).sum()
    }

    fn prepare(&mut self, site: &Site<'_, 'a>, _: &mut Tools<'a>) -> Result<Progress, TrieError> {
        if self.search.is_none() {
            self.check_order(site)?;
        }
        let search = self.search.get_or_insert_with(|| {
            // Where nothing was before there is nothing to find.
            let old = self.subtrees.iter().filter(|subtree| subtree.old.is_some());
            let probe = |subtree| Self::slots(site, subtree).iter().map(move |(key, _)| Probe::below(subtree, key));
            Search::of(old.flat_map(probe).collect())
        });
        let mut wants = Vec::new();
        if !search.go_on(site.arena, site.tries, &mut wants) {
            return Ok(Progress::Wants(wants));
        }
        let mut located = search.located();
        self.changes.reserve_exact(self.subtrees.len());
        for subtree in &self.subtrees {
            let old = subtree.old.is_some().then_some(&mut located);
            self.changes.push(slot_changes(site.arena, Self::slots(site, subtree), old));
        }
        Ok(Progress::Ready)
    }

    fn finish(&mut self, site: &Site<'_, 'a>, tools: &mut Tools<'a>, _: &Hashes) -> Result<(), TrieError> {
        let subtrees = self.subtrees.iter().zip(&self.changes);
        let tasks: Vec<_> = subtrees
            .map(|(Subtree { trie, depth, old, .. }, changes)| {
                let old = old.map(|old| old.child(site.arena));
                Task { trie: *trie, depth: *depth, old, changes }
            })
            .collect();
        self.tops = tools.edited::<U256, _>(site.tries, &tasks)?;
        Ok(())
    }

    fn end(self, site: &Site<'_, 'a>, hashes: &Hashes) -> Self::Done {
        let part = |(subtree, top): (&Subtree, &Top)| {
            let key = Self::slots(site, subtree)[0].0;
            let part = Part::new(site.arena, key, subtree.depth, subtree.old, hashes.top(*top));
            (subtree.trie, subtree.changes.start, part)
        };
        self.subtrees.iter().zip(&self.tops).map(part).collect()
    }
}

/// The changes of a storage trie, without those that change nothing: with where each slot's leaf is, unless the trie is new.
pub(crate) fn slot_changes<'a>(
    arena: &Arena,
    slots: &'a [(B256, U256)],
    located: Option<&mut impl Iterator<Item = Located>>,
) -> Vec<SlotChange<'a>> {
    let Some(located) = located else {
        return slots.iter().map(|slot| SlotChange { slot, replaces: false }).collect();
    };
    let change = |(slot, found): (&'a (B256, U256), Located)| {
        let mut replaces = false;
        if found.is_linked && found.leaf != Link::NONE {
            if U256::read(&arena.view(found.leaf)) == slot.1 {
                return None;
            }
            replaces = !slot.1.is_zero();
        }
        Some(SlotChange { slot, replaces })
    };
    slots.iter().zip(located).filter_map(change).collect()
}
