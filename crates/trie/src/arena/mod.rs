//! Where the nodes of all versions lie: small pages of pointer-free nodes, named by 32-bit handles.
//!
//! A handle is a page and a unit in it. A node is written once, before its handle is shared, and never changes until
//! it is freed; a node is freed when the last version that holds it is dropped (see `versions`). Pages are arrays of
//! relaxed atomics, so that the arena needs no `unsafe`: on the machines we run on such a load is a plain load, and a
//! handle used wrongly would read a wrong word, which the tests would see, and never touch foreign memory. What orders
//! a node's words before the first read of them is what hands the handle over: a lock, a join, an `Arc`.
//!
//! `loom_tests` runs what threads do here in every order (`scripts/loom`), `scripts/memcheck` the tests under valgrind.
//!
//! # What pays and what does not
//!
//! Figures: 5M accounts, batches of 1,000 random changes, processor time on a busy `genoa` (see `benches/README.md`).
//!
//! - A page holds one class of node. So a node's size and kind are known without touching the node, and a walk that weighs
//!   versions never brings a leaf into the cache. A 5M-account trie takes 607 MB in nodes, 610 MB in pages.
//! - And of one depth (`PAGES_BY_DEPTH`), which pays nothing that was found (`benches/README.md`, Choices): blocks and walks beside
//!   a relative take as long without, a walk over all of 300,000 or 2M accounts 2 to 4 % longer, within what runs scatter. Without, pages
//!   take half a percent less of a large state, 1.3 % beyond the nodes of the 15 MB of our load's genesis instead of 3.4 %, 21 %
//!   instead of 46 % of the 0.8 MB of the fixture's. No reader asks a page for its depth; the switch stands for measuring, and
//!   nothing measured speaks against turning it off.
//! - The leaf counts of a large branch's children stand in the branch. Without them, making the records that the store
//!   keeps touched all sixteen children of every changed branch: 15.3 ms a batch with that, 9.6 ms without.
//! - Huge pages: 9.2 ms a batch on the heap, 6.5 ms in pages of 2 MiB. Hashing was a fifteenth of it, and a quarter
//!   of the 1.9 ms since; the rest is waiting for memory, in the main.
//! - Extension and branch are one node. Leaves hold their whole key, so a leaf moves up or down by its handle's owner alone.
//! - Walks ask for nodes before they read them (`touch`), and branches above new values are copied whole (`replace`): on a busy
//!   Xeon, by turns, 5.5 ms a batch before and 3.1 ms after. So are the places that copies are written to, which are cold too:
//!   29 to 23 ms for 10,000 changes.
//! - Views without padding, and never passed through memory: what is written in pieces and read whole waits until the pieces have
//!   left the processor, which was half of every walk beside a relative (10,000 changes: 1.54 ms, 0.81 after).
//! - Unique tables were counted (`unique`, and `benches/README.md`, Choices) and not built. Account leaves hold their key and
//!   differ from all others, and so does every branch above them; slots of different accounts can be equal. On the fixtures they
//!   would pay in bytes: 34 % and 43 % of what a genesis takes recur, for 3 % of handles and 100 to 180 ns a look-up. But tokens
//!   there are stamped from one mould, and after 24 and 80 blocks of the chains themselves it is 12 % and 29 %; of states whose accounts
//!   share no slot nothing recurs, and handles take 6 % more. A look-up for every node made is two fifths more time for a block of
//!   300 changes of our load's state, and at 350 to 380 ns, in a table that lies cold, nearly doubles one of 1,000 of
//!   300,000 accounts; a freed node would be looked up again. And walks rely on it that two versions share a node at one path only (`walk`).
//! - Handles have no depth in them: whoever follows one knows the depth already, and 23 bits of page number name 128 GiB. With
//!   four bits of depth and 28 of index the pages were the same to the byte, an update no faster (`benches/README.md`, Choices),
//!   and a depth would end at 8 GiB.
//! - Pages of 4 KiB to 1 MiB (`benches/README.md`, Choices): no size shows in a block's time, on both fixtures and on 300,000
//!   accounts. Of these, pages take 1.0 % more than the nodes in them at 16 KiB, 1.8 % at 4 KiB, where fewer nodes of a class fill a page, 47 %
//!   at 1 MiB, where each of 300 kinds of page is half empty. Of our load's genesis 3.4 % at 16 KiB and 2.5 % after 31
//!   blocks; 1.9 % and 4.0 % at 4 KiB; 14 % at 64 KiB, 271 % at 1 MiB. The fixture's 0.8 MB would lie best in 4 KiB: 12 % instead of 46 %.
//! - Freed places are used again by nodes of their class; a page never goes back to the system before the arena does.

mod class;
mod directory;
mod memory;
mod pen;
mod touch;
mod view;

pub(crate) use class::{Class, LIGHT_BYTES};
pub use memory::{HeapMemory, MemoryError, PageMemory, Words};
pub(crate) use pen::{Pen, PenRoom};
pub(crate) use touch::{ahead, ask_ahead, with_views_ahead};
pub(crate) use view::{BranchView, NewBranch, View, nibbles, rank_in};

use crate::{
    link::Link,
    sync::{AtomicU64, Mutex, MutexGuard},
    weight::ArenaBytes,
};
use class::{UNIT_BYTES, UNIT_WORDS};
use directory::Directory;
use std::sync::{Arc, PoisonError, atomic::Ordering::Relaxed};

/// Bytes in a page.
pub(crate) const PAGE_BYTES: usize = if cfg!(feature = "loom") { 1 << 10 } else { 16 << 10 };
const PAGE_WORDS: usize = PAGE_BYTES / 8;
const PAGE_UNITS: usize = PAGE_BYTES / UNIT_BYTES;
const UNIT_BITS: u32 = PAGE_UNITS.ilog2();
/// Pages of an arena: as many as a handle can name, less the last, whose handles mean "not in memory".
pub(crate) const PAGES_MAX: u32 = (1 << (32 - UNIT_BITS)) - 1;
/// Nodes of depths below this have pages of their own, deeper ones share.
const DEPTHS: usize = if PAGES_BY_DEPTH { 12 } else { 1 };
// For measuring: nothing else depends on it.
const PAGES_BY_DEPTH: bool = true;
/// Room for the numbers of all classes: a power of two, for a pool is taken apart wherever a handle is followed.
const CLASSES: usize = Class::COUNT.next_power_of_two();
const POOLS: usize = DEPTHS * CLASSES;
/// Lists from this size on lie in huge pages, where the system has these.
const LARGE_LIST_BYTES: usize = 8 << 20;
/// Free places that a [`Pen`] takes from the arena at a time. Up to eight times as many made 1,000 changes on two threads no faster.
const BATCH: usize = 32;

/// An arena could not grow.
#[derive(Debug, thiserror::Error)]
pub enum ArenaError {
    /// Every page that a handle can name is in use.
    #[error("the trie arena is full: {pages} pages of {PAGE_BYTES} bytes")]
    Full {
        /// The limit.
        pages: u32,
    },
    /// As many versions were made, of this state and of all that it was renewed from, as there are numbers for their nodes.
    #[error("the trie arena is worn: {} versions were made", u32::MAX)]
    Worn,
    /// No memory for another page.
    #[error(transparent)]
    Memory(#[from] MemoryError),
}

/// Which list of free places a node's place belongs to: those of its class, and of its depth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pool(u16);

impl Pool {
    fn of(class: Class, depth: usize) -> Self {
        Self((depth.min(DEPTHS - 1) * CLASSES + class.index()) as u16)
    }

    fn class(self) -> Class {
        Class::from_index(self.index() % CLASSES)
    }

    #[inline]
    fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// All nodes of all versions of one state.
#[derive(Debug)]
pub(crate) struct Arena {
    directory: Directory,
    memory: Arc<dyn PageMemory>,
    free: Mutex<Free>,
    live_bytes: AtomicU64,
}

#[derive(Debug, Default)]
struct Free {
    pages: u32,
    // By pool.
    places: Vec<Vec<u32>>,
}

impl Arena {
    pub(crate) fn new(memory: Arc<dyn PageMemory>) -> Self {
        let free = Free { pages: 0, places: vec![Vec::new(); POOLS] };
        Self { directory: Directory::default(), memory, free: Mutex::new(free), live_bytes: AtomicU64::new(0) }
    }

    /// Bytes of all nodes that are not freed, of pages, and of the lists of what is free in them.
    pub(crate) fn bytes(&self) -> ArenaBytes {
        let free = self.free();
        let places: usize = free.places.iter().map(Vec::capacity).sum();
        ArenaBytes {
            live: self.live_bytes(),
            pages: u64::from(free.pages) * PAGE_BYTES as u64,
            lists: (places * size_of::<u32>()) as u64,
        }
    }

    /// Bytes of all nodes that are not freed.
    pub(crate) fn live_bytes(&self) -> u64 {
        self.live_bytes.load(Relaxed)
    }

    /// Told of a list most of which is written soon. If it is large, it pays to ask the system for large pages: it takes a tenth of
    /// the time of a full build to give such a list page by page. What is smaller is often memory that the program used before.
    pub(crate) fn will_fill<T>(&self, list: &[T]) {
        if size_of_val(list) >= LARGE_LIST_BYTES {
            let room = list.as_ptr_range();
            self.memory.will_fill(room.start.cast()..room.end.cast());
        }
    }

    #[inline(always)]
    pub(crate) fn class(&self, node: Link) -> Class {
        let (page, _) = split(node);
        self.directory.pool(page).class()
    }

    /// Whether a link is one to a leaf of the smaller size.
    #[inline]
    pub(crate) fn is_light(&self, link: Link) -> bool {
        link.is_node() && self.class(link).is_light()
    }

    #[inline(always)]
    pub(crate) fn view(&self, node: Link) -> View<'_> {
        let (page, unit) = split(node);
        let (pool, words) = self.directory.page(page);
        let class = pool.class();
        let at = unit * UNIT_WORDS;
        View::new(class, &words[at..at + class.units() * UNIT_WORDS])
    }

    /// The view of a node whose class is known.
    #[inline(always)]
    fn view_as(&self, node: Link, class: Class) -> View<'_> {
        let (page, unit) = split(node);
        let at = unit * UNIT_WORDS;
        debug_assert!(self.class(node) == class);
        View::new(class, &self.directory.words(page)[at..at + class.units() * UNIT_WORDS])
    }

    /// A node as a branch, if it is one.
    #[inline(always)]
    pub(crate) fn branch(&self, node: Link) -> Option<BranchView<'_>> {
        let view = self.view(node);
        if view.class().is_branch() { Some(view.branch()) } else { None }
    }

    /// Leaves at or below what a branch links to, as the branch counts them.
    pub(crate) fn leaves(&self, link: Link) -> u32 {
        match link.is_node() {
            true if self.class(link).is_branch() => self.view(link).leaves(),
            true => 1,
            false => link.persisted_leaves(),
        }
    }

    /// Frees nodes, and tells how many bytes they are. No version may hold any of them.
    pub(crate) fn release(&self, nodes: &[Link]) -> u64 {
        let mut free = self.free();
        let mut bytes = 0;
        for &node in nodes {
            let (page, _) = split(node);
            let pool = self.directory.pool(page);
            bytes += pool.class().bytes() as u64;
            free.places[pool.index()].push(node.bits());
        }
        self.live_bytes.fetch_sub(bytes, Relaxed);
        bytes
    }

    /// Counts every node as freed, when nobody is left who could follow a handle.
    pub(crate) fn abandon(&self) {
        self.live_bytes.store(0, Relaxed);
    }

    /// Moves some free places of a pool to `to`, in the order in which they are used.
    fn take(&self, pool: Pool, to: &mut Vec<u32>) -> Result<(), ArenaError> {
        let mut free = self.free();
        let places = &mut free.places[pool.index()];
        if places.is_empty() {
            self.add_page(&mut free, pool)?;
        }
        let places = &mut free.places[pool.index()];
        to.extend(places.drain(places.len().saturating_sub(BATCH)..).rev());
        Ok(())
    }

    fn add_page(&self, free: &mut Free, pool: Pool) -> Result<(), ArenaError> {
        let page = free.pages;
        if page == PAGES_MAX {
            return Err(ArenaError::Full { pages: PAGES_MAX });
        }
        self.directory.add_page(page, pool, self.memory.as_ref())?;
        free.pages += 1;
        let units = pool.class().units();
        // Taken from the back, so that a page fills from its front.
        let places = (0..PAGE_UNITS / units).rev().map(|i| page << UNIT_BITS | (i * units) as u32);
        free.places[pool.index()].extend(places);
        Ok(())
    }

    /// As if every page were in use.
    #[cfg(test)]
    pub(crate) fn fill(&self) {
        self.free().pages = PAGES_MAX;
    }

    fn free(&self) -> MutexGuard<'_, Free> {
        // The lists are right between any two statements that can panic.
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[inline]
fn split(node: Link) -> (u32, usize) {
    let bits = node.bits();
    (bits >> UNIT_BITS, bits as usize % PAGE_UNITS)
}
