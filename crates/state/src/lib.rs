//! State as views: what a block reads, what it changes, and where recent blocks lie before they reach the disk.
//!
//! A reader goes down through a [`StateView`]; what came of a block goes up as a [`StateDiff`]. Between the two:
//!
//! - [`FlatStore`]: persisted flat state, keyed by hashes; the storage crate's snapshot and [`MemoryStore`] are the two.
//! - [`State`]: the state after one block: the [`Layer`]s of recent blocks over a store.
//! - [`ReadCache`]: values read before, kept across blocks of one chain.
//! - [`Columns`]: the parent values of every key that an access list names, dense, by ordinal.
//! - [`BlockState`]: a block in progress on the sequential path: what its transactions wrote, over the parent.
//! - [`ListView`]: the pre-state of one transaction on the parallel path: list over columns.
//!
//! Nothing here touches a file or a clock.

mod account;
mod block_state;
mod cache;
mod columns;

mod diff;
mod error;
mod layer;
mod list_view;

mod memory;
mod state;
mod store;
mod view;

pub use account::{Account, AccountInfo, EMPTY_CODE_HASH, EMPTY_ROOT};
pub use block_state::{BlockState, ChangedAccount, Written};
pub use cache::{CacheReads, ReadCache, ReadCacheStats};

pub use columns::Columns;
pub use diff::{StateDiff, StorageDiff};
pub use error::StateError;
pub use layer::Layer;

pub use list_view::ListView;
pub use memory::MemoryStore;
pub use state::State;
pub use store::FlatStore;
pub use view::{StateView, ViewAccount};
