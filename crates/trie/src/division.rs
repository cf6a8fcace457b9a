//! How the changes of a block are cut into subtrees, which threads edit apart from each other, and handed out.
//!
//! A trie is cut below its first nibble where it has enough changes, and below its second where the parts are still too large for
//! one thread, or are the last to be taken. Threads take neighbouring subtrees through to their hashes: much at first, less and less
//! towards the end, so that they end at about the same time, whichever of them woke late or runs slowly.

use crate::{
    TrieError,
    accounts_after::Entry,
    arena::Pen,
    edit::Held,
    load::{StoredLeaf, Tries, Want},
    path::{Path, common_nibbles, nibble_of},
};
use alloy_primitives::B256;
use std::ops::Range;

/// Changes of which the nodes above, old and new, and what is made of them while they are hashed, find room in a
/// second-level cache: about 2 KB each.
const BATCH_CHANGES: usize = 512;

/// How work is divided.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Division {
    /// How many threads take part.
    pub(crate) threads: usize,
    /// Changes from which a thread takes no more before it has hashed what it has: less leaves lanes of the hasher empty, more does not
    /// stay in the cache.
    pub(crate) batch: usize,
    /// Changes that are not cut, and the fewest that a thread takes while there are more.
    pub(crate) least: usize,
    /// The most nibbles below which a trie is cut; 0 for not at all.
    pub(crate) cut_depth: usize,
    /// Slots from which the storage tries of a subtree's accounts are for all threads to edit together, see [`Division::is_heavy`].
    pub(crate) heavy_slots: usize,
}

impl Division {
    /// For the pool that this runs on.
    pub(crate) fn of_pool() -> Self {
        let threads = rayon::current_num_threads();
        let heavy_slots = if threads == 1 { 3 * BATCH_CHANGES } else { BATCH_CHANGES / 2 };
        Self { threads, batch: BATCH_CHANGES, least: 16, cut_depth: 2, heavy_slots }
    }

    /// Whether so many accounts have so many slots, more than eight each, that these are better edited by all threads together, after
    /// which the accounts follow: accounts are cut without a look at their slots.
    pub(crate) fn is_heavy(&self, accounts: usize, slots: usize) -> bool {
        slots > 0 && slots / 8 >= (self.heavy_slots / 8).saturating_add(accounts)
    }

    /// Changes above which a part is cut, of so many in all, with so many before it: no more than fit into a cache, and so few
    /// that all threads have some. What is taken last is cut as far as it can be, so that they end together; but not where that
    /// asks the source once more.
    fn most(&self, before: usize, changes: usize, is_at_hand: bool) -> usize {
        if self.threads == 1 {
            return changes.min(self.batch.saturating_mul(2)).max(self.least);
        }
        if is_at_hand && before >= changes - changes / 5 {
            return self.least;
        }
        (changes / (4 * self.threads)).min(self.batch.saturating_mul(2)).max(self.least)
    }
}

/// Changes of one trie that lie below one place.
#[derive(Clone, Debug)]
pub(crate) struct Subtree {
    pub(crate) trie: usize,
    pub(crate) depth: usize,
    /// What stands there in the parent.
    pub(crate) old: Option<Held>,
    /// Which of the changes of the trie.
    pub(crate) changes: Range<usize>,
}

impl Subtree {
    /// Whether all keys lie below the place, if they are in order: of keys that are not, anything might be cut.
    pub(crate) fn holds<'k>(&self, key: impl Fn(usize) -> &'k B256) -> bool {
        common_nibbles(key(self.changes.start), key(self.changes.end - 1)) >= self.depth
    }

    /// Whole tries, none without changes, as subtrees, in the order of their keys; `key` tells that of a change of a trie. What has
    /// to be known of the old tries is in memory then: the source is asked once a level, for all of them.
    pub(crate) fn cut<'k, L: StoredLeaf>(
        whole: Vec<Self>,
        division: &Division,
        pen: &mut Pen<'_>,
        tries: &mut Tries<'_>,
        key: impl Fn(usize, usize) -> &'k B256,
    ) -> Result<Vec<Self>, TrieError> {
        let total = whole.iter().map(|subtree| subtree.changes.len()).sum();
        let mut subtrees = whole;
        for depth in 0..division.cut_depth {
            let mut before = 0;
            let is_wide = |subtree: &Self| {
                let is_at_hand = subtree.old.is_none_or(|old| old.link.is_node());
                let most = division.most(before, total, is_at_hand);
                before += subtree.changes.len();
                subtree.depth == depth && subtree.changes.len() > most
            };
            let wide: Vec<bool> = subtrees.iter().map(is_wide).collect();
            let to_divide = subtrees.iter().zip(&wide).filter(|(_, wide)| **wide).map(|(subtree, _)| subtree);
            let mut wants: Vec<_> = to_divide.filter_map(|wide| wide.want(tries, |i| key(wide.trie, i))).collect();
            if !wants.is_empty() {
                tries.bring::<L>(pen, &mut wants)?;
            }
            // Before their keys are looked at.
            let nodes = subtrees.iter().zip(&wide).filter_map(|(subtree, wide)| subtree.old.filter(|_| *wide));
            nodes.for_each(|old| pen.arena().ask(old.link));
            let mut cut = Vec::with_capacity(16 + subtrees.len());
            for (subtree, is_wide) in subtrees.into_iter().zip(wide) {
                if is_wide {
                    let trie = subtree.trie;
                    subtree.divide(pen, tries, |i| key(trie, i), &mut cut);
                } else {
                    cut.push(subtree);
                }
            }
            subtrees = cut;
        }
        Ok(subtrees)
    }

    /// The node, if it must be loaded.
    fn want<'k>(&self, tries: &Tries<'_>, key: impl Fn(usize) -> &'k B256) -> Option<Want> {
        let Held { link, reference: expected } = self.old.filter(|old| !old.link.is_node())?;
        let path = Path::of_key(key(self.changes.start), self.depth);
        tries.found(self.trie, &path).is_none().then_some(Want { trie: self.trie, path, link, expected })
    }

    /// The subtrees one nibble down: below a branch without extension, or where nothing is yet. Elsewhere the subtree itself.
    fn divide<'k>(self, pen: &Pen<'_>, tries: &Tries<'_>, key: impl Fn(usize) -> &'k B256, parts: &mut Vec<Self>) {
        let arena = pen.arena();
        let node = |old: Held| match old.link.is_node() {
            true => old.link,
            false => {
                tries.found(self.trie, &Path::of_key(key(self.changes.start), self.depth)).expect("it was brought")
            }
        };
        let ends = ends(&self.changes, |i| nibble_of(key(i), self.depth));
        let branch = match self.old {
            None => None,
            Some(old) => {
                let branch = arena.branch(node(old)).filter(|branch| branch.extension_len() == 0);
                if branch.is_none() {
                    return parts.push(self);
                }
                branch
            }
        };
        let mut start = self.changes.start;
        for (nibble, end) in ends.into_iter().enumerate() {
            if start < end {
                let old = branch.as_ref().and_then(|branch| Held::of(branch, nibble));
                parts.push(Self { trie: self.trie, depth: self.depth + 1, old, changes: start..end });
                start = end;
            }
        }
    }
}

/// Where changes with each nibble end, if they are sorted by it; of others, some place.
///
/// All searches go on together: the keys lie all over memory, and what one waits for, others wait for at the same time.
/// To cut 1,000 changes for two threads took 20 us with one search after another, and 12 with this.
fn ends(changes: &Range<usize>, nibble: impl Fn(usize) -> usize) -> [usize; 16] {
    let (mut starts, mut left) = ([changes.start; 16], changes.len());
    while left > 0 {
        // Each search goes on behind the half that lies before its end, or stays: all take the same steps, whatever they find.
        let half = left.div_ceil(2);
        for (of, start) in starts.iter_mut().enumerate() {
            let is_before = *start + half <= changes.end && nibble(*start + half - 1) <= of;
            *start += if is_before { half } else { 0 };
        }
        left -= half;
    }
    starts
}

/// Subtrees that no thread has taken yet.
#[derive(Debug, Default)]
pub(crate) struct Supply<'a> {
    subtrees: std::vec::IntoIter<Subtree>,
    entries: &'a mut [Entry],
    /// Changes of all these.
    left: usize,
    /// How large a portion is now, and for how many threads.
    portion: usize,
    portions: usize,
}

/// What a thread takes.
#[derive(Debug, Default)]
pub(crate) struct Taken<'a> {
    pub(crate) subtrees: Vec<Subtree>,
    /// Where the accounts go that change, if these are subtrees of the account trie.
    pub(crate) entries: &'a mut [Entry],
}

impl<'a> Supply<'a> {
    /// Of subtrees of the account trie, with an entry for each account, or of storage tries, without entries.
    pub(crate) fn of(subtrees: Vec<Subtree>, entries: &'a mut [Entry]) -> Self {
        let left = subtrees.iter().map(|subtree| subtree.changes.len()).sum();
        debug_assert!(entries.is_empty() || entries.len() == left);
        Self { subtrees: subtrees.into_iter(), entries, left, portion: 0, portions: 0 }
    }

    /// How many subtrees are left.
    pub(crate) fn subtrees(&self) -> usize {
        self.subtrees.len()
    }

    /// Changes that a thread takes from the first look to the hash before it takes more: most of its part of what is
    /// left, so that who is held up has taken less when nothing is left. As many threads as there are take as much, and then
    /// less.
    pub(crate) fn portion(&mut self, division: &Division) -> usize {
        if self.left == 0 {
            // What others have begun.
            return division.batch;
        }
        if self.portions == 0 {
            (self.portion, self.portions) = (self.bound(division), division.threads);
        }
        self.portions -= 1;
        self.portion
    }

    /// Fifteen sixteenths of a thread's part of what is left, or all of it where that is little; and all that is left rather than to
    /// leave a handful. Each portion costs as much as ten changes, for lanes that its levels leave empty and until its first
    /// nodes come from memory.
    pub(crate) fn bound(&self, division: &Division) -> usize {
        let Division { threads, batch, least, .. } = *division;
        let part = self.left.div_ceil(threads);
        let most = if part <= least.saturating_mul(4) { part } else { part * 15 / 16 };
        let bound = most.max(least);
        let leaves_a_handful = self.left <= bound.saturating_add(least / 2);
        if leaves_a_handful { self.left.min(batch) } else { bound.min(batch) }
    }

    /// A thread's next subtrees, with at most so many changes if there are more than one; none if none are left.
    pub(crate) fn take(&mut self, limit: usize) -> Taken<'a> {
        let mut changes = 0;
        let mut fits = |subtree: &Subtree| {
            changes += subtree.changes.len();
            changes <= limit
        };
        let count = self.subtrees.as_slice().iter().take_while(|subtree| fits(subtree)).count().max(1);
        let subtrees: Vec<_> = self.subtrees.by_ref().take(count).collect();
        let changes = subtrees.iter().map(|subtree| subtree.changes.len()).sum::<usize>();
        self.left -= changes;
        let entries = std::mem::take(&mut self.entries);
        let (own, others) = entries.split_at_mut(changes.min(entries.len()));
        self.entries = others;
        Taken { subtrees, entries: own }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        HeapMemory, NoNodes, Updates,
        arena::Arena,
        load::{ACCOUNTS, Addresses},
        rlp::AccountLeaf,
    };
    use proptest::{collection::vec, prelude::*};
    use std::sync::Arc;

    fn division(threads: usize) -> Division {
        Division { threads, batch: 512, least: 16, cut_depth: 2, heavy_slots: 256 }
    }

    /// What an edit of an empty trie is cut into: the depth, and the changes.
    fn cut(division: &Division, keys: &[B256]) -> Vec<(usize, Range<usize>)> {
        let arena = Arena::new(Arc::new(HeapMemory));
        let updates = Updates::default();
        let mut tries = Tries::new(&NoNodes, Addresses::Of(&updates));
        let whole = vec![Subtree { trie: ACCOUNTS, depth: 0, old: None, changes: 0..keys.len() }];
        let mut pen = Pen::new(&arena, 1);
        let subtrees = Subtree::cut::<AccountLeaf>(whole, division, &mut pen, &mut tries, |_, i| &keys[i]).unwrap();
        subtrees.into_iter().map(|subtree| (subtree.depth, subtree.changes)).collect()
    }

    /// The key that begins with these bytes.
    fn key(start: [u8; 2]) -> B256 {
        B256::right_padding_from(&start)
    }

    #[test]
    fn a_trie_is_cut_where_it_has_enough_changes() {
        let even: Vec<_> = (0..=255).map(|byte| key([byte, 0])).collect();
        // Not worth it.
        assert_eq!(cut(&division(1), &even[..16]), [(0, 0..16)]);
        assert_eq!(cut(&division(1), &even), [(0, 0..256)]);
        // Sixteen parts of sixteen are enough for four threads.
        for threads in [2, 4] {
            let parts: Vec<_> = (0..16).map(|i| (1, 16 * i..16 * i + 16)).collect();
            assert_eq!(cut(&division(threads), &even), parts);
        }
        let sixteen = Division { least: 1, ..division(16) };
        assert_eq!(cut(&sixteen, &even), (0..256).map(|i| (2, i..i + 1)).collect::<Vec<_>>());
        // Only where the changes are.
        let crowded: Vec<_> = [key([0x0a, 0])]
            .into_iter()
            .chain((0..100).map(|i| key([0x37, i])))
            .chain([key([0x3f, 0]), key([0xf0, 0])])
            .collect();
        assert_eq!(cut(&division(4), &crowded), [(1, 0..1), (2, 1..101), (2, 101..102), (1, 102..103)]);
        // A thread is given no more than its cache holds.
        let many: Vec<_> = (0..=u16::MAX).map(|i| key(i.to_be_bytes())).collect();
        assert!(cut(&division(1), &many).iter().all(|(depth, changes)| (*depth, changes.len()) == (2, 256)));
    }

    #[test]
    fn what_is_taken_last_is_cut_further() {
        let keys: Vec<_> = (0..2560u16).map(|i| key((i * 25).to_be_bytes())).collect();
        let depths: Vec<_> =
            cut(&division(2), &keys).into_iter().map(|(depth, changes)| (depth, changes.start)).collect();
        let fine = depths.iter().position(|(depth, _)| *depth == 2).expect("some are cut twice");
        assert!(depths[..fine].iter().all(|(depth, start)| *depth == 1 && *start < 2048));
        assert!(depths[fine..].iter().all(|(depth, start)| *depth == 2 && *start >= 2048));
        assert!(cut(&division(1), &keys).iter().all(|(depth, _)| *depth == 1), "one thread waits for no other");
    }

    #[test]
    fn threads_take_less_and_less() {
        let subtree = |i: usize| Subtree { trie: ACCOUNTS, depth: 2, old: None, changes: 10 * i..10 * i + 10 };
        let mut supply = Supply::of((0..100).map(subtree).collect(), &mut []);
        let division = division(2);
        let take = || {
            let portion = supply.portion(&division);
            Some(supply.take(portion).subtrees).filter(|taken| !taken.is_empty())
        };
        let taken: Vec<_> = std::iter::from_fn(take).collect();
        let lens: Vec<_> = taken.iter().map(Vec::len).collect();
        // 468 of 1,000 changes, both; then half of what is left.
        assert_eq!(lens, [46, 46, 4, 4], "{lens:?}");
        assert!(taken.iter().flatten().map(|subtree| subtree.changes.start).eq((0..1000).step_by(10)));
    }

    proptest! {
        /// Whatever the keys, in order or not: every change is in one part, and parts of sorted keys hold theirs.
        #[test]
        fn every_change_is_in_one_part(keys in vec(any::<[u8; 2]>(), 1..200), threads in 1usize..20, sort: bool) {
            let mut keys: Vec<_> = keys.into_iter().map(|start| key([start[0] & 0x33, start[1]])).collect();
            if sort {
                keys.sort_unstable();
            }
            let parts = cut(&division(threads), &keys);
            prop_assert!(parts.iter().flat_map(|(_, changes)| changes.clone()).eq(0..keys.len()));
            prop_assert!(parts.iter().all(|(depth, changes)| !changes.is_empty() && *depth <= 2));
            for (depth, changes) in parts.into_iter().filter(|_| sort) {
                let subtree = Subtree { trie: ACCOUNTS, depth, old: None, changes };
                prop_assert!(subtree.holds(|i| &keys[i]));
            }
        }
    }
}
