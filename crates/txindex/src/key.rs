//! Where a transaction hash belongs: shard, partition, page, filter bucket. FORMAT.md, "Keys".

use alloy_primitives::B256;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Filters and recent maps.
pub(crate) const SHARDS: usize = 4096;
/// Sets of runs.
pub(crate) const PARTITIONS: usize = 16;

const SHARD_BITS: u32 = SHARDS.ilog2();
const PARTITION_BITS: u32 = PARTITIONS.ilog2();

/// A transaction hash under the seed of the index: uniform, and unknown to whoever chose the transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key(pub(crate) u64);

impl Key {
    pub(crate) fn of(hash: &B256, seed: u64) -> Self {
        Self(xxh3_64_with_seed(hash.as_slice(), seed))
    }

    pub(crate) fn shard(self) -> usize {
        (self.0 >> (64 - SHARD_BITS)) as usize
    }

    pub(crate) fn partition(self) -> usize {
        (self.0 >> (64 - PARTITION_BITS)) as usize
    }

    /// The page of a run that the record belongs into. Ascends with the key within a partition.
    pub(crate) fn home_page(self, home_pages: u64) -> u64 {
        let within = self.0 << PARTITION_BITS;
        ((u128::from(within) * u128::from(home_pages)) >> 64) as u64
    }

    /// 32 bits for the bucket within the shard's filter, right below those of the shard.
    pub(crate) fn bucket_bits(self) -> u32 {
        (self.0 >> (32 - SHARD_BITS)) as u32
    }

    /// 1 to 255, of bits that no bucket is chosen by.
    pub(crate) fn fingerprint(self) -> u8 {
        1 + (((self.0 & 0xffff) * 255) >> 16) as u8
    }
}

/// The first key of a shard. Its last one is right before the first of the next.
pub(crate) fn first_key(shard: usize) -> Key {
    Key((shard as u64) << (64 - SHARD_BITS))
}

/// The partition that holds a shard.
pub(crate) fn partition_of(shard: usize) -> usize {
    shard >> (SHARD_BITS - PARTITION_BITS)
}

/// The shards of a partition.
pub(crate) fn shards_of(partition: usize) -> std::ops::Range<usize> {
    const EACH: usize = SHARDS / PARTITIONS;
    partition * EACH..(partition + 1) * EACH
}
