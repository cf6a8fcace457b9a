//! The database: what a chain leaves on disk, and how it survives `kill -9`.
//!
//! FORMAT.md in this crate is the contract for every byte; [`mod@schema`] mirrors it. [`Store::open`] refuses what is not
//! ours, [`Store::flush`] moves the head in one atomic batch, [`Store::snapshot`] is a read view that later flushes
//! do not change, and [`Persister`] does the flushing behind the importer's back.
//!
//! [`Snapshot::verify_trie`] holds the trie against the flat state.
//!
//! Reading order: FORMAT.md, `schema/`, `store.rs`, `flush.rs`, `persister.rs`.
//!
//! No other crate names the engine, and no type of the engine leaves this one.

mod batch;
mod engine;
mod error;
mod files;
mod flush;
mod identity;
mod manifests;
mod open;
mod persister;
mod prune;
pub mod schema;
mod settings;
mod snapshot;
mod state_view;
mod stats;
mod store;
mod verify_trie;

pub use batch::{BlockPointer, BlockRecord, CanonicalBlock, FlushBatch, Head, Pointers, StateChange};
pub use error::{FlushError, OpenError, StoreError};
pub use files::{DirectoryError, fork_directory, remove_directory};
pub use identity::Identity;
pub use persister::{PersistError, PersistStats, Persister, QUEUE_BATCHES_MAX};
pub use schema::{FORMAT, LISTS_KEPT_BLOCKS, Table};
pub use settings::{CrashPoint, Durability, Settings};
pub use snapshot::{Snapshot, TransactionPosition};
pub use stats::{StoreStats, TableStats};
pub use store::Store;
pub use verify_trie::{VerifyProgress, VerifyTrieError, WrongTrie};
