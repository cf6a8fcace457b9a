//! An array of buckets that grows by a sixteenth at most without moving, so that readers need no lock.

use std::sync::{
    OnceLock,
    atomic::{AtomicU32, Ordering},
};

/// Fingerprints of a bucket, one byte each; zero is free.
pub(crate) const SLOTS: u32 = 4;

/// Segments of the first block hold this many buckets, those of each next block twice as many.
const SEGMENT_BUCKETS: u32 = 256;
const SEGMENTS: usize = 32;
const BLOCKS: usize = 7;
const BLOCK_BUCKETS: u32 = SEGMENT_BUCKETS * SEGMENTS as u32;

type Segment = Box<[AtomicU32]>;

/// Buckets of four fingerprints, in segments that are allocated as the array grows and stay where they are.
#[derive(Debug, Default)]
pub(crate) struct Buckets {
    blocks: [OnceLock<Box<[OnceLock<Segment>; SEGMENTS]>>; BLOCKS],
}

/// Where a bucket lies.
struct Place {
    block: usize,
    segment: usize,
    offset: usize,
}

fn place(bucket: u32) -> Place {
    // Shifted by a block, the first bucket of block b is BLOCK_BUCKETS << b.
    let shifted = bucket + BLOCK_BUCKETS;
    let block = shifted.ilog2() - BLOCK_BUCKETS.ilog2();
    let within = shifted - (BLOCK_BUCKETS << block);
    let segment_bits = SEGMENT_BUCKETS.ilog2() + block;
    Place {
        block: block as usize,
        segment: (within >> segment_bits) as usize,
        offset: (within & ((1 << segment_bits) - 1)) as usize,
    }
}

impl Buckets {
    /// The most buckets there can be.
    pub(crate) const MAX: u32 = BLOCK_BUCKETS * ((1 << BLOCKS) - 1);

    /// Fewest buckets of whole segments, at least `wanted`; `None` above [`Self::MAX`].
    pub(crate) fn whole_segments(wanted: u32) -> Option<u32> {
        let last = wanted.max(1).checked_sub(1).filter(|last| *last < Self::MAX)?;
        let Place { block, segment, .. } = place(last);
        let before = BLOCK_BUCKETS * ((1 << block) - 1);
        Some(before + (segment as u32 + 1) * (SEGMENT_BUCKETS << block))
    }

    /// Allocates what buckets below `count`, a number of whole segments, need.
    pub(crate) fn reserve(&self, count: u32) {
        let mut bucket = 0;
        while bucket < count {
            let Place { block, segment, .. } = place(bucket);
            let length = SEGMENT_BUCKETS << block;
            let segments = self.blocks[block].get_or_init(Default::default);
            segments[segment].get_or_init(|| (0..length).map(|_| AtomicU32::new(0)).collect());
            bucket += length;
        }
    }

    pub(crate) fn load(&self, bucket: u32) -> u32 {
        self.bucket(bucket).load(Ordering::Relaxed)
    }

    pub(crate) fn store(&self, bucket: u32, value: u32) {
        self.bucket(bucket).store(value, Ordering::Relaxed);
    }

    /// Memory in use, the lists of segments included.
    pub(crate) fn bytes(&self) -> usize {
        let blocks = self.blocks.iter().filter_map(OnceLock::get);
        let segments = |block: &[OnceLock<Segment>; SEGMENTS]| -> usize {
            block.iter().filter_map(OnceLock::get).map(|segment| size_of_val(&**segment)).sum()
        };
        blocks.map(|block| size_of_val(&**block) + segments(block)).sum()
    }

    fn bucket(&self, bucket: u32) -> &AtomicU32 {
        let Place { block, segment, offset } = place(bucket);
        let segments = self.blocks[block].get().expect("a bucket below the count is reserved");
        &segments[segment].get().expect("a bucket below the count is reserved")[offset]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_in_small_steps_to_the_end() {
        let mut count = 0;
        while let Some(next) = Buckets::whole_segments(count + 1) {
            assert!(next - count <= (count / 16).max(SEGMENT_BUCKETS), "{count} to {next}");
            assert_eq!(Buckets::whole_segments(next), Some(next));
            count = next;
        }
        assert_eq!(count, Buckets::MAX);
    }

    #[test]
    fn each_bucket_has_a_place_of_its_own() {
        let buckets = Buckets::default();
        let count = Buckets::whole_segments(13_000).unwrap();
        buckets.reserve(count);
        (0..count).for_each(|bucket| buckets.store(bucket, bucket + 1));
        (0..count).for_each(|bucket| assert_eq!(buckets.load(bucket), bucket + 1));
        assert!(buckets.bytes() >= count as usize * 4);
    }
}
