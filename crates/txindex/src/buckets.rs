//! Buckets of all filters: one arena, in which each filter has pages of its own that never move.
//!
//! Readers take no lock, so a filter cannot be moved to a larger place while it is read. It grows by a page instead, a
//! sixteenth of it at most. A page's place in the arena is a 32-bit number, so that the list of a filter's pages lies
//! inside the filter: a question touches the filter, the list of chunks, which is small and always in cache, and the two
//! buckets. (Pages as boxes in boxed lists, two more dependent reads, were tried first; figures in benches/README.md.)

use std::sync::{
    Mutex, OnceLock, PoisonError,
    atomic::{AtomicU32, Ordering},
};

/// Fingerprints of a bucket, one byte each; zero is free.
pub(crate) const SLOTS: u32 = 4;

/// Pages of a filter's first block hold this many buckets, those of each next block twice as many.
const PAGE_BUCKETS: u32 = 256;
const PAGES: usize = 32;
const BLOCKS: usize = 6;
const BLOCK_BUCKETS: u32 = PAGE_BUCKETS * PAGES as u32;

/// What the arena takes from the system at a time.
const CHUNK_BUCKETS: u32 = 1 << 18;
const CHUNKS: usize = 1 << 13;

/// Buckets of all filters. Only grows.
#[derive(Debug)]
pub(crate) struct Arena {
    chunks: Box<[OnceLock<Box<[AtomicU32]>>]>,
    /// The first bucket that is free.
    next: Mutex<u32>,
}

impl Default for Arena {
    fn default() -> Self {
        let arena = Self { chunks: (0..CHUNKS).map(|_| OnceLock::new()).collect(), next: Mutex::new(0) };
        // The page that stands for none: there, and always empty.
        arena.allocate(PAGE_BUCKETS);
        arena
    }
}

impl Arena {
    /// A page of empty buckets; `None` when there are 8 GiB of them.
    fn allocate(&self, buckets: u32) -> Option<u32> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let left = CHUNK_BUCKETS - *next % CHUNK_BUCKETS;
        let page = if buckets <= left { *next } else { *next + left };
        let chunk = self.chunks.get((page / CHUNK_BUCKETS) as usize)?;
        chunk.get_or_init(|| (0..CHUNK_BUCKETS).map(|_| AtomicU32::new(0)).collect());
        *next = page + buckets;
        Some(page)
    }

    /// A bucket by its place, as [`Buckets::place`] gives it.
    pub(crate) fn bucket(&self, bucket: u32) -> &AtomicU32 {
        let chunk = self.chunks[(bucket / CHUNK_BUCKETS) as usize].get();
        &chunk.expect("pages lie in chunks that are there")[(bucket % CHUNK_BUCKETS) as usize]
    }
}

/// One filter's buckets.
#[derive(Debug)]
#[repr(transparent)]
pub(crate) struct Buckets {
    /// First buckets of its pages in the arena; zero is no page.
    pages: [[AtomicU32; PAGES]; BLOCKS],
}

impl Default for Buckets {
    fn default() -> Self {
        Self { pages: [const { [const { AtomicU32::new(0) }; PAGES] }; BLOCKS] }
    }
}

/// Where a bucket lies.
struct Place {
    block: usize,
    page: usize,
    offset: u32,
}

fn place(bucket: u32) -> Place {
    // Shifted by a block, the first bucket of block b is BLOCK_BUCKETS << b.
    let shifted = bucket + BLOCK_BUCKETS;
    let block = shifted.ilog2() - BLOCK_BUCKETS.ilog2();
    let within = shifted - (BLOCK_BUCKETS << block);
    let page_bits = PAGE_BUCKETS.ilog2() + block;
    Place { block: block as usize, page: (within >> page_bits) as usize, offset: within & ((1 << page_bits) - 1) }
}

impl Buckets {
    /// The most buckets there can be.
    pub(crate) const MAX: u32 = BLOCK_BUCKETS * ((1 << BLOCKS) - 1);

    /// Fewest buckets of whole pages, at least `wanted`; `None` above [`Self::MAX`].
    pub(crate) fn whole_pages(wanted: u32) -> Option<u32> {
        let last = wanted.max(1).checked_sub(1).filter(|last| *last < Self::MAX)?;
        let Place { block, page, .. } = place(last);
        let before = BLOCK_BUCKETS * ((1 << block) - 1);
        Some(before + (page as u32 + 1) * (PAGE_BUCKETS << block))
    }

    /// Allocates what buckets below `count`, a number of whole pages, need. `false` if the arena is exhausted.
    pub(crate) fn reserve(&self, count: u32, arena: &Arena) -> bool {
        let mut bucket = 0;
        while bucket < count {
            let Place { block, page, .. } = place(bucket);
            let page = &self.pages[block][page];
            if page.load(Ordering::Relaxed) == 0 {
                let Some(allocated) = arena.allocate(PAGE_BUCKETS << block) else { return false };
                page.store(allocated, Ordering::Relaxed);
            }
            bucket += PAGE_BUCKETS << block;
        }
        true
    }

    /// A bucket below what was reserved.
    pub(crate) fn of<'a>(&self, bucket: u32, arena: &'a Arena) -> &'a AtomicU32 {
        arena.bucket(self.place(bucket))
    }

    /// Where a bucket below what was reserved lies in the arena.
    pub(crate) fn place(&self, bucket: u32) -> u32 {
        let Place { block, page, offset } = place(bucket);
        self.pages[block][page].load(Ordering::Relaxed) + offset
    }

    /// Memory of the pages in use.
    pub(crate) fn bytes(&self) -> usize {
        let reserved =
            |pages: &[AtomicU32; PAGES]| pages.iter().filter(|page| page.load(Ordering::Relaxed) != 0).count();
        let blocks = self.pages.iter().enumerate();
        blocks.map(|(block, pages)| reserved(pages) * (PAGE_BUCKETS << block) as usize * size_of::<AtomicU32>()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_in_small_steps_to_the_end() {
        let mut count = 0;
        while let Some(next) = Buckets::whole_pages(count + 1) {
            assert!(next - count <= (count / 16).max(PAGE_BUCKETS), "{count} to {next}");
            assert_eq!(Buckets::whole_pages(next), Some(next));
            count = next;
        }
        assert_eq!(count, Buckets::MAX);
    }

    #[test]
    fn each_bucket_has_a_place_of_its_own() {
        let arena = Arena::default();
        let filters = [Buckets::default(), Buckets::default(), Buckets::default()];
        let count = Buckets::whole_pages(130_000).unwrap();
        for step in [1, 9000, count] {
            let step = Buckets::whole_pages(step).unwrap();
            assert!(filters.iter().all(|filter| filter.reserve(step, &arena)));
        }
        for (filter, salt) in filters.iter().zip(1..) {
            (0..count).for_each(|bucket| filter.of(bucket, &arena).store(bucket * 4 + salt, Ordering::Relaxed));
        }
        for (filter, salt) in filters.iter().zip(1..) {
            (0..count).for_each(|bucket| {
                assert_eq!(filter.of(bucket, &arena).load(Ordering::Relaxed), bucket * 4 + salt);
            });
            assert_eq!(filter.bytes(), count as usize * 4);
        }
    }
}
