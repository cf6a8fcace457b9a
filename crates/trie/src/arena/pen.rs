//! Making nodes: one pen a task, so that tasks share nothing but the arena's lists of free places, and those seldom.

use super::{Arena, ArenaError, BATCH, Class, NewBranch, POOLS, Pool, View, view::branch_class};
use crate::{link::Link, path::Path, rlp::Leaf};
use alloy_primitives::B256;
use std::sync::atomic::Ordering::Relaxed;

/// Makes nodes. What it made is freed again when it is dropped, unless [`Pen::keep`] was called.
pub(crate) struct Pen<'a> {
    arena: &'a Arena,
    // By pool.
    places: Vec<Vec<u32>>,
    made: Vec<Link>,
    bytes: u64,
    epoch: u32,
}

impl<'a> Pen<'a> {
    /// `epoch` is written into every node: when it was last touched.
    pub(crate) fn new(arena: &'a Arena, epoch: u32) -> Self {
        Self { arena, places: vec![Vec::new(); POOLS], made: Vec::new(), bytes: 0, epoch }
    }

    pub(crate) fn arena(&self) -> &'a Arena {
        self.arena
    }

    /// A leaf at `depth`.
    pub(crate) fn leaf<L: Leaf>(&mut self, depth: usize, key: &B256, value: &L) -> Result<Link, ArenaError> {
        let node = self.place(value.class(), depth)?;
        value.write(key, self.epoch, &self.arena.view(node));
        Ok(node)
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
        Ok((node, NewBranch::begin(self.arena.view(node), mask, extension, leaves, self.epoch)))
    }

    /// A place for a copy of a branch at `depth` of this class; [`Pen::copy`] writes it.
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
        let view = self.arena.view(node);
        view.copy(old);
        Ok((node, view))
    }

    /// Keeps what was made, and tells how many bytes that is.
    pub(crate) fn keep(mut self) -> u64 {
        self.arena.live_bytes.fetch_add(self.bytes, Relaxed);
        self.made.clear();
        self.bytes
    }

    #[inline]
    fn place(&mut self, class: Class, depth: usize) -> Result<Link, ArenaError> {
        let pool = Pool::of(class, depth);
        let places = &mut self.places[usize::from(pool.0)];
        if places.is_empty() {
            places.reserve(BATCH);
            self.arena.take(pool, places)?;
        }
        let node = Link::from_bits(places.pop().expect("the arena gave places or an error"));
        self.made.push(node);
        self.bytes += class.bytes() as u64;
        Ok(node)
    }
}

impl Drop for Pen<'_> {
    fn drop(&mut self) {
        let mut free = self.arena.free();
        for (places, unused) in free.places.iter_mut().zip(&self.places) {
            places.extend_from_slice(unused);
        }
        for node in &self.made {
            let (page, _) = super::split(*node);
            free.places[usize::from(self.arena.directory.pool(page).0)].push(node.bits());
        }
    }
}
