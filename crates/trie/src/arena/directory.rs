//! From the number of a page to its words, without a lock.
//!
//! Memory is taken in segments of 2,048 pages, 32 MiB: large enough that the table of segments stays in the first-level
//! cache, and for huge pages. Those of the first 32 MiB are smaller, for the thousands of tiny tries of test vectors.
//! Every step of every walk asks here, most of them twice.

use super::{MemoryError, PAGE_WORDS, PageMemory, Pool, Words};
use crate::sync::{AtomicU16, AtomicU64, OnceLock};
use std::sync::atomic::Ordering::Relaxed;
use yoke::Yoke;

const SEGMENT_BITS: u32 = 11;
const SEGMENT_PAGES: u32 = 1 << SEGMENT_BITS;
/// Segments of 1, 1, 2, 4, 8 pages and so on come before those of full size.
const SMALL_SEGMENTS: usize = SEGMENT_BITS as usize + 1;
// Of the small pages of the checker there are sixteen times as many.
const CHUNK_BITS: u32 = if cfg!(feature = "loom") { 12 } else { 8 };
const CHUNKS: usize = (super::PAGES_MAX >> (SEGMENT_BITS + CHUNK_BITS)) as usize + 1;

/// The table of segments. It grows in chunks that never move.
#[derive(Default)]
pub(super) struct Directory {
    small: [OnceLock<Segment>; SMALL_SEGMENTS],
    large: [OnceLock<Box<[OnceLock<Segment>]>>; CHUNKS],
}

struct Segment {
    // With the slice at hand: asking its owner is a call through a table.
    words: Yoke<&'static [AtomicU64], Box<dyn Words>>,
    /// The pool of each page.
    pools: Box<[AtomicU16]>,
}

impl Directory {
    /// The pool of a page and its words.
    ///
    /// # Panics
    /// If the page was never added.
    #[inline(always)]
    pub(super) fn page(&self, page: u32) -> (Pool, &[AtomicU64]) {
        let (segment, i) = self.locate(page);
        (Pool(segment.pools[i].load(Relaxed)), segment.page(i))
    }

    /// The words of a page.
    #[inline(always)]
    pub(super) fn words(&self, page: u32) -> &[AtomicU64] {
        let (segment, i) = self.locate(page);
        segment.page(i)
    }

    #[inline(always)]
    pub(super) fn pool(&self, page: u32) -> Pool {
        let (segment, i) = self.locate(page);
        Pool(segment.pools[i].load(Relaxed))
    }

    /// Makes page `page` ready. Pages are added in order, by one thread at a time.
    pub(super) fn add_page(&self, page: u32, pool: Pool, memory: &dyn PageMemory) -> Result<(), MemoryError> {
        let place = Place::of(page);
        let entry = match place.segment {
            At::Small(index) => &self.small[index],
            At::Large(chunk, entry) => {
                let chunk = &self.large[chunk];
                &chunk.get_or_init(|| (0..1 << CHUNK_BITS).map(|_| OnceLock::new()).collect())[entry]
            }
        };
        if place.page == 0 {
            let memory = memory.segment(place.pages * PAGE_WORDS)?;
            let words: Yoke<&[AtomicU64], _> = Yoke::attach_to_cart(memory, |memory| memory.words());
            assert_eq!(words.get().len(), place.pages * PAGE_WORDS, "a segment of another size than asked for");
            let pools = (0..place.pages).map(|_| AtomicU16::new(0)).collect();
            assert!(entry.set(Segment { words, pools }).is_ok(), "page {page} was added twice");
        }
        entry.get().expect("the first page of a segment makes it").pools[place.page].store(pool.0, Relaxed);
        Ok(())
    }

    #[inline(always)]
    fn locate(&self, page: u32) -> (&Segment, usize) {
        let place = Place::of(page);
        let segment = match place.segment {
            At::Small(index) => self.small[index].get(),
            At::Large(chunk, entry) => self.large[chunk].get().and_then(|chunk| chunk[entry].get()),
        };
        (segment.expect("handles name pages that exist"), place.page)
    }
}

impl Segment {
    #[inline(always)]
    fn page(&self, i: usize) -> &[AtomicU64] {
        &self.words.get()[i * PAGE_WORDS..(i + 1) * PAGE_WORDS]
    }
}

/// Where a page lies.
struct Place {
    segment: At,
    /// Its place in the segment.
    page: usize,
    /// The segment's size in pages.
    pages: usize,
}

/// Which segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Small(usize),
    /// The chunk of the table, and where in it.
    Large(usize, usize),
}

impl Place {
    #[inline(always)]
    fn of(page: u32) -> Self {
        let segment = (page >> SEGMENT_BITS) as usize;
        if segment > 0 {
            let at = At::Large(segment >> CHUNK_BITS, segment % (1 << CHUNK_BITS));
            return Self { segment: at, page: (page % SEGMENT_PAGES) as usize, pages: SEGMENT_PAGES as usize };
        }
        match page.checked_ilog2() {
            None => Self { segment: At::Small(0), page: 0, pages: 1 },
            Some(bits) => {
                let pages = 1 << bits;
                Self { segment: At::Small(bits as usize + 1), page: page as usize - pages, pages }
            }
        }
    }
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
        let (mut at, mut next) = (Vec::new(), 0);
        for page in 0..10_000 {
            let place = Place::of(page);
            if next == 0 {
                assert!(!at.contains(&place.segment), "page {page}");
                at.push(place.segment);
            }
            assert_eq!((Some(&place.segment), place.page), (at.last(), next), "page {page}");
            next = if next + 1 == place.pages { 0 } else { next + 1 };
        }
        let last = Place::of(super::super::PAGES_MAX - 1);
        assert_eq!(last.segment, At::Large(CHUNKS - 1, (1 << CHUNK_BITS) - 1));
        assert_eq!(last.page, SEGMENT_PAGES as usize - 2, "the last page names what is not in memory");
    }
}
