//! From the number of a page to its words, without a lock.
//!
//! Memory is taken in segments of up to 2,048 pages, 32 MiB: large enough that the table of segments stays in the
//! first-level cache, and for huge pages. The first segments are smaller, for the thousands of tiny tries of test vectors.

use super::{MemoryError, PAGE_WORDS, PageMemory, Pool, Words};
use crate::sync::{AtomicU16, AtomicU64, OnceLock};
use std::sync::atomic::Ordering::Relaxed;

const SEGMENT_PAGES: u32 = 2048;
/// Segments of 1, 1, 2, 4, 8 pages and so on come before those of full size.
const SMALL_SEGMENTS: u32 = SEGMENT_PAGES.ilog2() + 1;
/// Chunk `c` of the table has `8 << c` segments.
const FIRST_CHUNK_BITS: u32 = 3;
const CHUNKS: usize = 16;

/// The table of segments. It grows in chunks that never move.
#[derive(Default)]
pub(super) struct Directory {
    chunks: [OnceLock<Box<[OnceLock<Segment>]>>; CHUNKS],
}

struct Segment {
    words: Box<dyn Words>,
    /// The pool of each page.
    pools: Box<[AtomicU16]>,
}

impl Directory {
    /// The pool of a page and its words.
    ///
    /// # Panics
    /// If the page was never added.
    #[inline]
    pub(super) fn page(&self, page: u32) -> (Pool, &[AtomicU64]) {
        let (segment, i) = self.locate(page);
        (Pool(segment.pools[i].load(Relaxed)), &segment.words.words()[i * PAGE_WORDS..(i + 1) * PAGE_WORDS])
    }

    #[inline]
    pub(super) fn pool(&self, page: u32) -> Pool {
        let (segment, i) = self.locate(page);
        Pool(segment.pools[i].load(Relaxed))
    }

    /// Makes page `page` ready. Pages are added in order, by one thread at a time.
    pub(super) fn add_page(&self, page: u32, pool: Pool, memory: &dyn PageMemory) -> Result<(), MemoryError> {
        let (index, i, pages) = place(page);
        let (chunk, entry) = chunk_of(index);
        let chunk = self.chunks[chunk].get_or_init(|| (0..8usize << chunk).map(|_| OnceLock::new()).collect());
        if i == 0 {
            let words = memory.segment(pages * PAGE_WORDS)?;
            assert_eq!(words.words().len(), pages * PAGE_WORDS, "a segment of another size than asked for");
            let pools = (0..pages).map(|_| AtomicU16::new(0)).collect();
            assert!(chunk[entry].set(Segment { words, pools }).is_ok(), "page {page} was added twice");
        }
        chunk[entry].get().expect("the first page of a segment makes it").pools[i].store(pool.0, Relaxed);
        Ok(())
    }

    #[inline]
    fn locate(&self, page: u32) -> (&Segment, usize) {
        let (index, i, _) = place(page);
        let (chunk, entry) = chunk_of(index);
        let segment = self.chunks[chunk].get().and_then(|chunk| chunk[entry].get());
        (segment.expect("handles name pages that exist"), i)
    }
}

/// The segment of a page, the page's place in it, and the segment's size in pages.
#[inline]
fn place(page: u32) -> (u32, usize, usize) {
    if page >= SEGMENT_PAGES {
        let index = SMALL_SEGMENTS - 1 + page / SEGMENT_PAGES;
        return (index, (page % SEGMENT_PAGES) as usize, SEGMENT_PAGES as usize);
    }
    match page.checked_ilog2() {
        None => (0, 0, 1),
        Some(bits) => (bits + 1, (page - (1 << bits)) as usize, 1 << bits),
    }
}

/// The chunk of the table that a segment stands in, and where.
#[inline]
fn chunk_of(index: u32) -> (usize, usize) {
    let shifted = index + (1 << FIRST_CHUNK_BITS);
    let bits = shifted.ilog2();
    ((bits - FIRST_CHUNK_BITS) as usize, (shifted - (1 << bits)) as usize)
}

impl std::fmt::Debug for Directory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Directory")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_has_one_place() {
        let mut expected = (0, 0);
        for page in 0..10_000 {
            let (index, i, pages) = place(page);
            assert_eq!((index, i), expected, "page {page}");
            expected = if i + 1 == pages { (index + 1, 0) } else { (index, i + 1) };
        }
    }

    #[test]
    fn every_segment_has_one_entry() {
        let mut expected = (0, 0);
        for index in 0..1000 {
            assert_eq!(chunk_of(index), expected, "segment {index}");
            let (chunk, entry) = expected;
            expected = if entry + 1 == 8 << chunk { (chunk + 1, 0) } else { (chunk, entry + 1) };
        }
        assert!(chunk_of(place(super::super::PAGES_MAX - 1).0).0 < CHUNKS);
    }
}
