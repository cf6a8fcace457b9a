//! Numbers and positions for the tests.

#![allow(dead_code, reason = "each test file uses another part")]

use std::path::PathBuf;

use alloy_primitives::{B256, keccak256};
use balsa_txindex::{DirectoryIndex, Settings, TransactionPosition};
use tempfile::TempDir;

/// A generator of numbers, the same for the same seed (splitmix64).
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    /// Seeded by the clock; the seed is printed for a run that fails.
    #[expect(clippy::print_stdout, reason = "the seed of a run that fails")]
    pub(crate) fn random() -> Self {
        let seed = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64;
        println!("seed {seed}");
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

/// The hash of transaction `i`.
pub(crate) fn hash(i: u64) -> B256 {
    keccak256(i.to_be_bytes())
}

pub(crate) fn position(block_number: u64, index: u32) -> TransactionPosition {
    TransactionPosition { block_number, index }
}

pub(crate) fn settings(dir: &TempDir, directories: usize, recent_records_max: usize) -> Settings {
    let name = |i| dir.path().join(format!("part-{i}"));
    let directories: Vec<PathBuf> = (0..directories).map(name).collect();
    Settings { directories, recent_records_max }
}

pub(crate) fn open(settings: &Settings) -> DirectoryIndex {
    DirectoryIndex::open(settings, B256::ZERO).unwrap()
}
