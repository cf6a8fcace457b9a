//! Analysed code, once for each hash.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use alloy_primitives::{B256, Bytes, map::foldhash::fast::RandomState};
use revm::bytecode::Bytecode;

/// Bytes of code after which the cache is emptied rather than grown.
const BYTES_MAX: usize = 256 << 20;

/// Code with its jump table, shared by all workers and kept across blocks. Code is named by its hash, so no block,
/// valid or not, can leave a wrong entry.
#[derive(Debug, Default)]
pub struct CodeCache {
    codes: dashmap::DashMap<B256, Bytecode, RandomState>,
    bytes: AtomicUsize,
    hits: AtomicU64,
    misses: AtomicU64,
    hit_bytes: AtomicU64,
    miss_bytes: AtomicU64,
}

/// How reads of code went, all that ran contracts together: blocks, calls, traces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CodeReads {
    /// Analysed before.
    pub hits: u64,
    /// Read from the state, and analysed.
    pub misses: u64,
    /// Bytes of the former.
    pub hit_bytes: u64,
    /// Bytes of the latter.
    pub miss_bytes: u64,
}

impl CodeReads {
    /// What was read since `before`.
    pub fn since(self, before: Self) -> Self {
        Self {
            hits: self.hits.saturating_sub(before.hits),
            misses: self.misses.saturating_sub(before.misses),
            hit_bytes: self.hit_bytes.saturating_sub(before.hit_bytes),
            miss_bytes: self.miss_bytes.saturating_sub(before.miss_bytes),
        }
    }
}

impl CodeCache {
    /// How reads went since it was made.
    pub fn reads(&self) -> CodeReads {
        CodeReads {
            hits: self.hits.load(Relaxed),
            misses: self.misses.load(Relaxed),
            hit_bytes: self.hit_bytes.load(Relaxed),
            miss_bytes: self.miss_bytes.load(Relaxed),
        }
    }

    pub(crate) fn code<E>(&self, code_hash: &B256, load: impl FnOnce() -> Result<Bytes, E>) -> Result<Bytecode, E> {
        if let Some(code) = self.codes.get(code_hash) {
            self.hits.fetch_add(1, Relaxed);
            self.hit_bytes.fetch_add(code.len() as u64, Relaxed);
            return Ok(code.clone());
        }
        let raw = load()?;
        self.misses.fetch_add(1, Relaxed);
        self.miss_bytes.fetch_add(raw.len() as u64, Relaxed);
        if self.bytes.fetch_add(raw.len(), Relaxed) > BYTES_MAX {
            self.codes.clear();
            self.bytes.store(raw.len(), Relaxed);
        }
        // A malformed EIP-7702 designator cannot be deployed (EIP-3541), except before London: plain code then.
        let code = Bytecode::new_raw_checked(raw.clone()).unwrap_or_else(|_| Bytecode::new_legacy(raw));
        self.codes.insert(*code_hash, code.clone());
        Ok(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_are_counted() {
        let (cache, hash) = (CodeCache::default(), B256::repeat_byte(1));
        let load = || Ok::<_, ()>(Bytes::from_static(&[0x5f, 0x00, 0x00]));
        for _ in 0..3 {
            cache.code(&hash, load).expect("it loads");
        }
        assert!(cache.code(&B256::ZERO, || Err(())).is_err());
        let reads = CodeReads { hits: 2, misses: 1, hit_bytes: 6, miss_bytes: 3 };
        assert_eq!(cache.reads(), reads);
        assert_eq!(reads.since(reads), CodeReads::default());
    }
}
