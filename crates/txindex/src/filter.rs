//! A cuckoo filter of one shard: readers take no lock, writers hold the shard's.
//!
//! A key has one byte in one of two buckets of four. A bucket is one atomic word, so a reader sees it whole. Two things
//! could hide a key that is there: a byte that is carried from one bucket to the other between the two loads, and a
//! rebuild. Both raise `version` to an odd number first and to the next even one afterwards, and a reader believes an
//! absence only if it saw the same even version before and after (a seqlock). A hit needs no such proof.
//!
//! The partner of bucket `i` is `h(byte) - i` modulo the number of buckets: its own inverse for any number of buckets, so
//! that the filter grows by a sixteenth at a time and stays between 88 and 94 percent full:
//! with its list of pages under 1.2 bytes a key from 63 million keys on, at most 8 MiB more below that. Doubling, which the usual
//! exclusive-or asks for, would leave it half empty.
//!
//! Growing needs the keys again, as bytes alone do not say where they go: the caller reads them from disk.

use std::sync::atomic::{AtomicU32, Ordering, fence};

use crate::{
    buckets::{Arena, Buckets, SLOTS},
    key::Key,
};

/// Of keys that were never added, the share that `Filter::may_contain` lets through is below this: two buckets of four
/// bytes, 255 values.
pub const FALSE_POSITIVE_RATE_MAX: f64 = 8.0 / 255.0;

/// Bytes carried on before an insertion gives up.
const KICKS_MAX: usize = 500;

/// A set of keys that never forgets one and sometimes claims another.
#[derive(Debug, Default)]
// In this order, so that the version, the count and the first pages share a cache line.
#[repr(C)]
pub(crate) struct Filter {
    version: AtomicU32,
    /// Buckets in use; [`SATURATED`] lets everything through.
    count: AtomicU32,
    /// Changed under the shard's lock only.
    keys: AtomicU32,
    buckets: Buckets,
}

/// As a number of buckets: the filter cannot say no any more.
const SATURATED: u32 = u32::MAX;

/// A question whose buckets are known.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Question {
    version: u32,
    /// Zero, which every empty slot is, where the filter lets everything through.
    fingerprint: u8,
    /// In the arena.
    places: [u32; 2],
}

impl Question {
    /// Whether one of the buckets holds the fingerprint.
    fn claims(&self, arena: &Arena) -> bool {
        let [first, second] = self.places.map(|place| arena.bucket(place).load(Ordering::Relaxed));
        holds(first, self.fingerprint) | holds(second, self.fingerprint)
    }
}

/// The filter has no room; the caller rebuilds it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Full;

impl Filter {
    /// Both halves.
    #[cfg(test)]
    pub(crate) fn may_contain(&self, key: Key, arena: &Arena) -> Option<bool> {
        self.answer(&self.ask(key), arena)
    }

    /// Whether the key may be in the set, the first half: finds the buckets and does not wait for them. Who has many
    /// questions asks them all before the first answer, so that the memory serves them at once.
    pub(crate) fn ask(&self, key: Key) -> Question {
        let version = self.version.load(Ordering::Acquire);
        // Acquire: the pages of buckets below it were reserved before it was stored.
        let count = self.count.load(Ordering::Acquire);
        let places = match count {
            // The arena's empty page.
            0 => [0, 0],
            SATURATED => return Question { version, fingerprint: 0, places: [0, 0] },
            count => {
                let (first, second) = homes(key, count);
                [self.buckets.place(first), self.buckets.place(second)]
            }
        };
        Question { version, fingerprint: key.fingerprint(), places }
    }

    /// The second half; `None` while a writer moves bytes, where only the shard's lock helps.
    pub(crate) fn answer(&self, question: &Question, arena: &Arena) -> Option<bool> {
        if question.claims(arena) {
            return Some(true);
        }
        fence(Ordering::Acquire);
        let unchanged = question.version & 1 == 0 && self.version.load(Ordering::Relaxed) == question.version;
        unchanged.then_some(false)
    }

    /// Whether the key may be in the set, under the shard's lock.
    pub(crate) fn may_contain_locked(&self, key: Key, arena: &Arena) -> bool {
        self.ask(key).claims(arena)
    }

    /// Adds a key that is not in the set. Under the shard's lock.
    pub(crate) fn insert(&self, key: Key, arena: &Arena) -> Result<(), Full> {
        let count = self.count.load(Ordering::Relaxed);
        if count == SATURATED {
            return Ok(());
        }
        if self.keys() >= capacity(count) {
            return Err(Full);
        }
        let (first, second) = homes(key, count);
        let placed = [first, second].iter().any(|bucket| self.place(*bucket, key.fingerprint(), arena));
        if !placed && !self.moving(|| self.kick(key, count, arena)) {
            return Err(Full);
        }
        self.keys.store(self.keys() + 1, Ordering::Relaxed);
        Ok(())
    }

    /// Takes out a key that is in the set. Under the shard's lock.
    pub(crate) fn remove(&self, key: Key, arena: &Arena) {
        let count = self.count.load(Ordering::Relaxed);
        if count == SATURATED {
            return;
        }
        let (first, second) = homes(key, count);
        let removed = [first, second].iter().any(|bucket| self.replace(*bucket, key.fingerprint(), 0, arena));
        assert!(removed, "only keys in the set are removed");
        self.keys.store(self.keys() - 1, Ordering::Relaxed);
    }

    /// Makes the set `keys`, each once. Under the shard's lock.
    pub(crate) fn rebuild(&self, keys: &[Key], arena: &Arena) {
        self.moving(|| {
            let mut wanted = buckets_for(keys.len());
            while let Some(count) = Buckets::whole_pages(wanted).filter(|count| self.buckets.reserve(*count, arena)) {
                if self.lay_out(keys, count, arena) {
                    return;
                }
                wanted = count + 1;
            }
            self.count.store(SATURATED, Ordering::Relaxed);
        });
    }

    /// Lets everything through from now on: slow, and right. Under the shard's lock.
    pub(crate) fn saturate(&self) {
        self.moving(|| self.count.store(SATURATED, Ordering::Relaxed));
    }

    /// Keys in the set.
    pub(crate) fn keys(&self) -> u32 {
        self.keys.load(Ordering::Relaxed)
    }

    /// Memory in use.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>() + self.buckets.bytes()
    }

    /// Runs `change` while readers are told not to believe an absence.
    fn moving<T>(&self, change: impl FnOnce() -> T) -> T {
        let version = self.version.load(Ordering::Relaxed);
        assert_eq!(version & 1, 0, "one writer at a time");
        self.version.store(version.wrapping_add(1), Ordering::Relaxed);
        fence(Ordering::Release);
        let changed = change();
        self.version.store(version.wrapping_add(2), Ordering::Release);
        changed
    }

    /// Puts the byte into a free slot of the bucket, if there is one.
    fn place(&self, bucket: u32, fingerprint: u8, arena: &Arena) -> bool {
        self.replace(bucket, 0, fingerprint, arena)
    }

    fn replace(&self, bucket: u32, old: u8, new: u8, arena: &Arena) -> bool {
        let mut slots = self.buckets.of(bucket, arena).load(Ordering::Relaxed).to_le_bytes();
        let Some(slot) = slots.iter_mut().find(|slot| **slot == old) else { return false };
        *slot = new;
        self.buckets.of(bucket, arena).store(u32::from_le_bytes(slots), Ordering::Relaxed);
        true
    }

    /// Swaps the byte with one of the bucket's and goes on with that one in its other bucket, until one is placed. Undone
    /// to the last step if none is.
    fn kick(&self, key: Key, count: u32, arena: &Arena) -> bool {
        let mut random = key.0 | 1;
        let (mut bucket, mut fingerprint) = (homes(key, count).0, key.fingerprint());
        let mut swapped = Vec::new();
        for _ in 0..KICKS_MAX {
            random = random.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            let slot = (random >> 62) as usize;
            swapped.push((bucket, slot));
            fingerprint = self.swap(bucket, slot, fingerprint, arena);
            bucket = partner(bucket, fingerprint, count);
            if self.place(bucket, fingerprint, arena) {
                return true;
            }
        }
        for (bucket, slot) in swapped.into_iter().rev() {
            fingerprint = self.swap(bucket, slot, fingerprint, arena);
        }
        false
    }

    fn swap(&self, bucket: u32, slot: usize, fingerprint: u8, arena: &Arena) -> u8 {
        let mut slots = self.buckets.of(bucket, arena).load(Ordering::Relaxed).to_le_bytes();
        let old = std::mem::replace(&mut slots[slot], fingerprint);
        self.buckets.of(bucket, arena).store(u32::from_le_bytes(slots), Ordering::Relaxed);
        old
    }

    /// Within [`moving`](Self::moving).
    fn lay_out(&self, keys: &[Key], count: u32, arena: &Arena) -> bool {
        (0..count).for_each(|bucket| self.buckets.of(bucket, arena).store(0, Ordering::Relaxed));
        self.count.store(count, Ordering::Release);
        self.keys.store(keys.len() as u32, Ordering::Relaxed);
        keys.iter().all(|key| {
            let (first, second) = homes(*key, count);
            [first, second].iter().any(|bucket| self.place(*bucket, key.fingerprint(), arena))
                || self.kick(*key, count, arena)
        })
    }
}

/// The two buckets of a key.
fn homes(key: Key, count: u32) -> (u32, u32) {
    let first = ((u64::from(key.bucket_bits()) * u64::from(count)) >> 32) as u32;
    (first, partner(first, key.fingerprint(), count))
}

/// The other bucket of a byte that is in `bucket`.
fn partner(bucket: u32, fingerprint: u8, count: u32) -> u32 {
    let hash = u32::from(fingerprint).wrapping_mul(0x9e37_79b1);
    let sum = ((u64::from(hash) * u64::from(count)) >> 32) as u32;
    if sum >= bucket { sum - bucket } else { sum + count - bucket }
}

/// Whether one of the four bytes is `fingerprint`: the exact form of the usual test for a zero byte is not needed, as a
/// wrong positive of its carries only follows a right one.
fn holds(bucket: u32, fingerprint: u8) -> bool {
    let difference = bucket ^ (u32::from(fingerprint) * 0x0101_0101);
    difference.wrapping_sub(0x0101_0101) & !difference & 0x8080_8080 != 0
}

/// Keys that a number of buckets takes: 15 of 16 slots, right below where four-slot cuckoo tables begin to fail.
fn capacity(buckets: u32) -> u32 {
    (u64::from(buckets) * u64::from(SLOTS) * 15 / 16) as u32
}

fn buckets_for(keys: usize) -> u32 {
    u32::try_from((keys as u64 * 16).div_ceil(15 * u64::from(SLOTS))).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys of one shard, as uniform as hashes are.
    fn keys(from: u64) -> impl Iterator<Item = Key> {
        (from..).map(|i| Key(xxhash_rust::xxh3::xxh3_64(&i.to_le_bytes()) >> 12))
    }

    fn filled(count: usize, arena: &Arena) -> Filter {
        let filter = Filter::default();
        let mut inserted = Vec::new();
        for key in keys(0).take(count) {
            inserted.push(key);
            if filter.insert(key, arena).is_err() {
                filter.rebuild(&inserted, arena);
            }
        }
        filter
    }

    #[test]
    fn a_key_is_found_until_it_is_removed() {
        let arena = Arena::default();
        let filter = filled(50_000, &arena);
        assert!(keys(0).take(50_000).all(|key| filter.may_contain(key, &arena) == Some(true)));
        keys(0).take(25_000).for_each(|key| filter.remove(key, &arena));
        assert!(keys(25_000).take(25_000).all(|key| filter.may_contain(key, &arena) == Some(true)), "others stay");
        assert_eq!(filter.keys(), 25_000);
        keys(25_000).take(25_000).for_each(|key| filter.remove(key, &arena));
        assert!(keys(0).take(50_000).all(|key| filter.may_contain(key, &arena) == Some(false)), "none is left");
    }

    #[test]
    fn others_pass_at_the_stated_rate_and_no_more() {
        for count in [900, 15_000, 200_000] {
            let arena = Arena::default();
            let filter = filled(count, &arena);
            let passed =
                keys(1 << 40).take(200_000).filter(|key| filter.may_contain(*key, &arena) == Some(true)).count();
            let rate = passed as f64 / 200_000.0;
            assert!(rate < FALSE_POSITIVE_RATE_MAX, "{count} keys: {rate}");
        }
    }

    #[test]
    fn memory_stays_under_the_bar_at_every_growth() {
        // 63 million transactions in all; below, the first segments of 4096 shards count for more.
        const FROM: usize = 15_400;
        let (arena, filter) = (Arena::default(), Filter::default());
        let mut inserted = Vec::new();
        for key in keys(0).take(200_000) {
            inserted.push(key);
            if filter.insert(key, &arena).is_err() {
                filter.rebuild(&inserted, &arena);
                let bytes = filter.bytes() as f64 / inserted.len() as f64;
                assert!(bytes < 1.2 || inserted.len() < FROM, "{} keys take {bytes} bytes each", inserted.len());
            }
        }
    }

    #[test]
    fn a_failed_insertion_leaves_the_set_as_it_was() {
        let (arena, filter) = (Arena::default(), Filter::default());
        assert_eq!(filter.insert(Key(1), &arena), Err(Full));
        let one_bucket = Key(5);
        filter.rebuild(&[], &arena);
        // Nine equal keys do not fit two buckets of four.
        let fitting = (0..9).take_while(|_| filter.insert(one_bucket, &arena).is_ok()).count();
        assert!(fitting == 8 || fitting == 4, "{fitting}");
        (0..fitting).for_each(|_| filter.remove(one_bucket, &arena));
        assert_eq!(filter.may_contain(one_bucket, &arena), Some(false));
    }

    #[test]
    fn a_saturated_filter_denies_nothing() {
        let arena = Arena::default();
        let filter = filled(10, &arena);
        filter.saturate();
        assert!(keys(1 << 40).take(100).all(|key| filter.may_contain(key, &arena) == Some(true)));
    }
}
