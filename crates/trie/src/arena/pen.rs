//! Making nodes: one pen a thread, so that threads share nothing but the arena's lists of free places, and those seldom.

use super::{Arena, ArenaError, Class, NewBranch, POOLS, Pool, View, view::branch_class};
use crate::{link::Link, path::Path, rlp::Leaf};
use alloy_primitives::B256;
use std::sync::atomic::Ordering::Relaxed;

/// How many leaves before a place is written to it is asked for.
const PLACES_AHEAD: usize = 4;

/// Makes nodes. What it made is freed again when it is dropped, unless it is kept.
pub(crate) struct Pen<'a> {
    arena: &'a Arena,
    room: PenRoom,
    epoch: u32,
}

/// Memory that pens need one after another.
#[derive(Debug, Default)]
pub(crate) struct PenRoom {
    // By pool.
    places: Vec<Places>,
    /// The pools of which there are places, each once.
    used: Vec<Pool>,
}

/// Places of one pool that a pen has taken.
#[derive(Debug, Default)]
struct Places {
    taken: Vec<u32>,
    /// How many of them, from the first on, have become nodes.
    made: usize,
}

impl<'a> Pen<'a> {
    /// `epoch` is written into every node: when it was last touched.
    pub(crate) fn new(arena: &'a Arena, epoch: u32) -> Self {
        Self::in_room(arena, epoch, PenRoom::default())
    }

    /// The same, in the memory of an earlier one.
    pub(crate) fn in_room(arena: &'a Arena, epoch: u32, mut room: PenRoom) -> Self {
        room.places.resize_with(POOLS, Places::default);
        Self { arena, room, epoch }
    }

    pub(crate) fn arena(&self) -> &'a Arena {
        self.arena
    }

    /// A leaf at `depth`.
    #[inline(always)]
    pub(crate) fn leaf<L: Leaf>(
        &mut self,
        depth: usize,
        key: &B256,
        value: &L,
    ) -> Result<(Link, View<'a>), ArenaError> {
        let (node, view) = self.leaf_place(value.class(), depth)?;
        value.write(key, self.epoch, &view);
        Ok((node, view))
    }

    /// The leaf of an account without code and storage, with the low words of its balance, which has no others.
    #[inline(always)]
    pub(crate) fn plain_leaf(
        &mut self,
        depth: usize,
        key: &B256,
        nonce: u64,
        balance: [u64; 2],
    ) -> Result<(Link, View<'a>), ArenaError> {
        let (node, view) = self.leaf_place(Class::PLAIN, depth)?;
        view.write_plain(key, nonce, balance, self.epoch);
        Ok((node, view))
    }

    #[inline(always)]
    fn leaf_place(&mut self, class: Class, depth: usize) -> Result<(Link, View<'a>), ArenaError> {
        let (node, places) = self.place_of(class, depth)?;
        // Places are used again, in no order: the line that the next leaf is written to may come while this one is made.
        // Of a new page they come in order, which the processor sees by itself.
        let later = places.taken.get(places.made + PLACES_AHEAD - 2..places.made + PLACES_AHEAD);
        if let Some(&[before, later]) = later
            && later != before + class.units() as u32
        {
            self.arena.ask(Link::from_bits(later));
        }
        Ok((node, self.arena.view_as(node, class)))
    }

    /// A branch at `depth` with a child for every bit of `mask`. The children are for the caller to write.
    pub(crate) fn branch(
        &mut self,
        depth: usize,
        mask: u16,
        extension: &Path,
        leaves: u32,
    ) -> Result<(Link, NewBranch<'a>), ArenaError> {
        let class = branch_class(mask.count_ones() as usize, !extension.is_empty(), leaves);
        let node = self.place(class, depth)?;
        Ok((node, NewBranch::begin(self.arena.view_as(node, class), mask, extension, leaves, self.epoch)))
    }

    /// A place for a copy of a branch at `depth` of this class; [`Pen::copy`] writes it, some time later.
    pub(crate) fn place_for(&mut self, class: Class, depth: usize) -> Result<Link, ArenaError> {
        self.place(class, depth)
    }

    /// Writes into `to`, the view of a place, everything that `old`, a branch of the same class, has.
    pub(crate) fn copy(&self, old: &View<'_>, to: View<'a>) -> NewBranch<'a> {
        to.copy_branch(old, self.epoch);
        NewBranch::reopen(to)
    }

    /// A node at `depth` with every word of `old`, which may lie in another arena.
    pub(crate) fn carry(&mut self, depth: usize, old: &View<'_>) -> Result<(Link, View<'a>), ArenaError> {
        let node = self.place(old.class(), depth)?;
        let view = self.arena.view_as(node, old.class());
        view.copy(old);
        Ok((node, view))
    }

    /// Lets others have the places that it did not use: whoever used the pen does it at once, for another would wait for every list of
    /// places to come out of a foreign cache.
    pub(crate) fn give_back(&mut self) {
        let PenRoom { places, used } = &mut self.room;
        let has_more = |pool: &Pool| !places[pool.index()].unused().is_empty();
        if !used.iter().any(has_more) {
            return;
        }
        let mut free = self.arena.free();
        for pool in used {
            let Places { taken, made } = &mut places[pool.index()];
            free.places[pool.index()].extend(taken.drain(*made..).rev());
        }
    }

    /// Keeps what was made, and tells how many bytes that is.
    pub(crate) fn keep(self) -> u64 {
        self.keep_all().0
    }

    /// The same, with its memory for another.
    pub(crate) fn keep_all(mut self) -> (u64, PenRoom) {
        self.give_back();
        let mut room = std::mem::take(&mut self.room);
        let mut bytes = 0;
        for pool in room.used.drain(..) {
            let places = &mut room.places[pool.index()];
            bytes += (places.made * pool.class().bytes()) as u64;
            places.taken.clear();
            places.made = 0;
        }
        self.arena.live_bytes.fetch_add(bytes, Relaxed);
        (bytes, room)
    }

    #[inline(always)]
    fn place(&mut self, class: Class, depth: usize) -> Result<Link, ArenaError> {
        self.place_of(class, depth).map(|(node, _)| node)
    }

    #[inline(always)]
    fn place_of(&mut self, class: Class, depth: usize) -> Result<(Link, &Places), ArenaError> {
        let pool = Pool::of(class, depth);
        if self.room.places[pool.index()].unused().is_empty() {
            self.take_more(pool)?;
        }
        let places = &mut self.room.places[pool.index()];
        let node = Link::from_bits(places.taken[places.made]);
        places.made += 1;
        Ok((node, places))
    }

    #[cold]
    #[inline(never)]
    fn take_more(&mut self, pool: Pool) -> Result<(), ArenaError> {
        let PenRoom { places, used } = &mut self.room;
        let taken = &mut places[pool.index()].taken;
        let is_first = taken.is_empty();
        self.arena.take(pool, taken)?;
        if is_first {
            used.push(pool);
        }
        Ok(())
    }
}

impl PenRoom {
    /// Entries of all lists.
    pub(crate) fn capacity(&self) -> usize {
        self.places.iter().map(|places| places.taken.capacity()).sum::<usize>() + self.used.capacity()
    }
}

impl Places {
    #[inline]
    fn unused(&self) -> &[u32] {
        &self.taken[self.made..]
    }
}

impl Drop for Pen<'_> {
    fn drop(&mut self) {
        let PenRoom { places, used } = &mut self.room;
        if used.is_empty() {
            return;
        }
        let mut free = self.arena.free();
        for pool in used {
            free.places[pool.index()].extend(places[pool.index()].taken.drain(..).rev());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arena::{BATCH, HeapMemory, PAGE_UNITS, UNIT_BITS};
    use alloy_primitives::U256;
    use std::{collections::BTreeSet, sync::Arc};

    /// All places of a pool's pages.
    fn places(pages: u32, class: Class) -> BTreeSet<u32> {
        let units = class.units();
        (0..pages)
            .flat_map(|page| (0..PAGE_UNITS / units).map(move |i| page << UNIT_BITS | (i * units) as u32))
            .collect()
    }

    #[test]
    fn every_place_is_free_once_or_has_a_node() {
        let arena = Arena::new(Arc::new(HeapMemory));
        let pool = Pool::of(Class::SLOT, 1).index();
        let make = |pen: &mut Pen<'_>, count: u64| -> Vec<u32> {
            let leaf = |i| pen.leaf(1, &B256::ZERO, &U256::from(i)).unwrap().0.bits();
            (0..count).map(leaf).collect()
        };
        let check = |kept: &[Link]| {
            let free = arena.free();
            let mut all: Vec<u32> = free.places[pool].clone();
            all.extend(kept.iter().map(|node| node.bits()));
            all.sort_unstable();
            assert!(all.into_iter().eq(places(free.pages, Class::SLOT)));
        };
        let mut kept = Vec::new();
        // Within a batch of places, a whole one, and several.
        for count in [1, BATCH as u64, 5 * BATCH as u64 + 3] {
            let mut pen = Pen::new(&arena, 1);
            make(&mut pen, count);
            pen.give_back();
            make(&mut pen, count);
            drop(pen);
            check(&kept);

            let mut pen = Pen::new(&arena, 1);
            let mut made = make(&mut pen, count);
            pen.give_back();
            made.extend(make(&mut pen, count));
            let (bytes, room) = pen.keep_all();
            assert_eq!(bytes, 2 * count * Class::SLOT.bytes() as u64);
            kept.extend(made.into_iter().map(Link::from_bits));
            check(&kept);

            // In the memory of another nothing of that is left.
            let mut pen = Pen::in_room(&arena, 2, room);
            make(&mut pen, count);
            drop(pen);
            check(&kept);
        }
        assert_eq!(arena.live_bytes(), arena.release(&kept));
        check(&[]);
    }
}
