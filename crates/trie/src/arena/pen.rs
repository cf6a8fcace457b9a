//! Making nodes: one pen a thread, so that threads share nothing but the arena's lists of free places, and those seldom.

use super::{Arena, ArenaError, BATCH, Class, NewBranch, POOLS, Pool, View, view::branch_class};
use crate::{link::Link, path::Path, rlp::Leaf};
use alloy_primitives::B256;
use std::sync::atomic::Ordering::Relaxed;

/// How many leaves before a place is written to it is asked for.
const PLACES_AHEAD: usize = 4;

/// Makes nodes. What it made is freed again when it is dropped, unless it is kept.
pub(crate) struct Pen<'a> {
    lists: Lists,
    made: MadeNodes<'a>,
    epoch: u32,
}

/// Memory that pens need one after another.
#[derive(Debug, Default)]
pub(crate) struct PenRoom {
    lists: Lists,
    nodes: Vec<Link>,
}

#[derive(Debug, Default)]
struct Lists {
    // By pool.
    places: Vec<Vec<u32>>,
    /// The pools of which there may be places; some more than once.
    used: Vec<Pool>,
}

/// Nodes that no version holds yet: freed when this is dropped, unless [`MadeNodes::keep`] was called.
pub(crate) struct MadeNodes<'a> {
    arena: &'a Arena,
    nodes: Vec<Link>,
    bytes: u64,
}

impl<'a> Pen<'a> {
    /// `epoch` is written into every node: when it was last touched.
    pub(crate) fn new(arena: &'a Arena, epoch: u32) -> Self {
        Self::in_room(arena, epoch, PenRoom::default())
    }

    /// The same, in the memory of an earlier one.
    pub(crate) fn in_room(arena: &'a Arena, epoch: u32, room: PenRoom) -> Self {
        let PenRoom { mut lists, nodes } = room;
        lists.places.resize_with(POOLS, Vec::new);
        Self { lists, made: MadeNodes { arena, nodes, bytes: 0 }, epoch }
    }

    pub(crate) fn arena(&self) -> &'a Arena {
        self.made.arena
    }

    /// A leaf at `depth`.
    pub(crate) fn leaf<L: Leaf>(&mut self, depth: usize, key: &B256, value: &L) -> Result<Link, ArenaError> {
        let (node, view) = self.leaf_place(value.class(), depth)?;
        value.write(key, self.epoch, &view);
        Ok(node)
    }

    /// The leaf of an account without code and storage, with the low words of its balance, which has no others.
    #[inline]
    pub(crate) fn plain_leaf(
        &mut self,
        depth: usize,
        key: &B256,
        nonce: u64,
        balance: [u64; 2],
    ) -> Result<Link, ArenaError> {
        let (node, view) = self.leaf_place(Class::PLAIN, depth)?;
        view.write_plain(key, nonce, balance, self.epoch);
        Ok(node)
    }

    #[inline]
    fn leaf_place(&mut self, class: Class, depth: usize) -> Result<(Link, View<'a>), ArenaError> {
        let node = self.place(class, depth)?;
        let arena = self.arena();
        // Places are used again, in no order: the line that the next leaf is written to may come while this one is made.
        let places = &self.lists.places[usize::from(Pool::of(class, depth).0)];
        // Of a new page they come in order, which the processor sees by itself.
        if let Some(later) = places.len().checked_sub(PLACES_AHEAD)
            && places[later] != places[later + 1] + class.units() as u32
        {
            arena.ask(Link::from_bits(places[later]));
        }
        Ok((node, arena.view(node)))
    }

    /// A branch at `depth` with a child for every bit of `mask`. The children are for the caller to write.
    pub(crate) fn branch(
        &mut self,
        depth: usize,
        mask: u16,
        extension: &Path,
        leaves: u32,
    ) -> Result<(Link, NewBranch<'a>), ArenaError> {
        let node = self.place(branch_class(mask.count_ones() as usize, !extension.is_empty(), leaves), depth)?;
        Ok((node, NewBranch::begin(self.arena().view(node), mask, extension, leaves, self.epoch)))
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
        let view = self.arena().view(node);
        view.copy(old);
        Ok((node, view))
    }

    /// Lets others have the places that it did not use: whoever used the pen does it at once, for another would wait for every list of
    /// places to come out of a foreign cache.
    pub(crate) fn give_back(&mut self) {
        let Lists { places, used } = &mut self.lists;
        if used.is_empty() {
            return;
        }
        let mut free = self.made.arena.free();
        for pool in used.drain(..) {
            let pool = usize::from(pool.0);
            free.places[pool].append(&mut places[pool]);
        }
    }

    /// Puts away the pen, so that others get the places that it did not use, and leaves what it made.
    pub(crate) fn close(mut self) -> MadeNodes<'a> {
        let none = MadeNodes { arena: self.made.arena, nodes: Vec::new(), bytes: 0 };
        std::mem::replace(&mut self.made, none)
    }

    /// Keeps what was made, and tells how many bytes that is.
    pub(crate) fn keep(self) -> u64 {
        self.close().keep()
    }

    /// The same, with its memory for another.
    pub(crate) fn keep_all(mut self) -> (u64, PenRoom) {
        self.give_back();
        let bytes = self.made.count();
        (bytes, PenRoom { lists: std::mem::take(&mut self.lists), nodes: std::mem::take(&mut self.made.nodes) })
    }

    #[inline]
    fn place(&mut self, class: Class, depth: usize) -> Result<Link, ArenaError> {
        let pool = Pool::of(class, depth);
        let Lists { places, used } = &mut self.lists;
        let places = &mut places[usize::from(pool.0)];
        if places.is_empty() {
            places.reserve(BATCH);
            if used.last() != Some(&pool) {
                used.push(pool);
            }
            self.made.arena.take(pool, places)?;
        }
        let node = Link::from_bits(places.pop().expect("the arena gave places or an error"));
        self.made.nodes.push(node);
        self.made.bytes += class.bytes() as u64;
        Ok(node)
    }
}

impl PenRoom {
    /// Entries of all lists.
    pub(crate) fn capacity(&self) -> usize {
        let Self { lists: Lists { places, used }, nodes } = self;
        places.iter().map(Vec::capacity).sum::<usize>() + used.capacity() + nodes.capacity()
    }
}

impl Drop for Pen<'_> {
    fn drop(&mut self) {
        self.give_back();
    }
}

impl MadeNodes<'_> {
    /// Keeps them, and tells how many bytes they are.
    pub(crate) fn keep(mut self) -> u64 {
        self.count()
    }

    /// Counts them among those that are kept.
    fn count(&mut self) -> u64 {
        self.arena.live_bytes.fetch_add(self.bytes, Relaxed);
        self.nodes.clear();
        std::mem::take(&mut self.bytes)
    }
}

impl Drop for MadeNodes<'_> {
    fn drop(&mut self) {
        if self.nodes.is_empty() {
            return;
        }
        let mut free = self.arena.free();
        for node in &self.nodes {
            let (page, _) = super::split(*node);
            free.places[usize::from(self.arena.directory.pool(page).0)].push(node.bits());
        }
    }
}
