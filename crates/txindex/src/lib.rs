//! Where a transaction is: hash to (block number, index), for every transaction of a chain.
//!
//! [`TransactionIndex`] has two forms with the same answers: the table in the engine of `balsa-storage`, and, opt-in,
//! [`DirectoryIndex`]: plain files in directories of their own, with cuckoo filters in memory before them, so that asking
//! for a transaction never seen costs no disk read but at the filter's rate of false positives.
//!
//! FORMAT.md in this crate is the contract for every byte on disk. Reading order: FORMAT.md, `directory_index.rs`,
//! `shard.rs`, `filter.rs`, `writer.rs`, `run.rs`.

mod buckets;
mod codec;
mod directory;
mod directory_index;
mod error;
mod filter;
mod identity;
mod key;
mod log;
mod manifest;
mod merge;
mod pending;
mod record;
mod run;
mod runs;
mod settings;
mod shard;
mod transaction_index;
mod writer;

pub use balsa_storage::TransactionPosition;
pub use directory_index::{DirectoryIndex, IndexStats};
pub use error::IndexError;
pub use filter::FALSE_POSITIVE_RATE_MAX;
pub use record::Mark;
pub use settings::{DIRECTORIES_MAX, Settings, SettingsError};
pub use transaction_index::TransactionIndex;
