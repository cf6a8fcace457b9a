//! A running node without its sockets: what the writer changes and the readers see.
//!
//! One thread owns the chain and drains [`Message`]s (`writer.rs`): everything that changes the chain passes there, in
//! the order in which it came. Everyone else holds a [`Node`]: a snapshot of the chain, the pool, and methods that send a
//! message and wait for its answer. What the writer has done is told to whoever [`Listener`] listens, and to one
//! [`Observer`] for logs and metrics.
//!
//! The Engine API's methods are in `engine_api.rs`, payload building in `build.rs` and `jobs.rs`, a node without a
//! consensus client in `dev.rs`.

mod broadcast;
mod build;
mod dev;
mod engine_api;
mod index_feed;
mod jobs;
mod message;
mod node;
mod pending;
mod pool_head;
mod running;
mod settings;
mod syncing;
mod transactions;
mod writer;

pub use broadcast::{Heard, Listener};
pub use build::{BuildBlockError, BuildRequest};
pub use dev::{DevSettings, Sealer};
pub use engine_api::ForkchoiceUpdated;
pub use message::{HeadEvent, Message, Observer, Report};
pub use node::Node;
pub use pending::PendingBlock;
pub use pool_head::pool_head;
pub use running::{Running, StartError};
pub use settings::{BuildSettings, NodeSettings};
pub use syncing::Syncing;
pub use transactions::TransactionLookupError;
