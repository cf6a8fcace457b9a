//! Transactions that wait for a block.
//!
//! [`Pool`] takes signed transactions of every type, judges them against the state of the head, and offers the best of
//! them to whoever builds a block ([`BestTransactions`]). It knows no network and no clock.
//!
//! - Admission: `decode.rs`, then the rules that need no state (`admission.rs`), then those that do (`queue.rs`).
//! - A sender's transactions are *pending* as long as their nonces follow the account's without a gap and its balance
//!   pays for all of them together; the others are *queued*.
//! - Nothing grows without bound: every limit is named in [`Limits`], and what exceeds one is evicted by price.
//!
//! Reading order: `pool.rs`, `admission.rs`, `queue.rs`, `shelf.rs`, `best.rs`, `journal.rs`.

mod admission;
mod best;
mod blobs;
mod decode;
mod error;
mod head;
mod inner;
mod journal;
mod limits;
mod pool;
mod queue;
mod shelf;
mod transaction;

#[cfg(test)]
mod tests;

pub use best::BestTransactions;
pub use blobs::Blob;
pub use decode::{RawTransaction, decode};
pub use error::{JournalError, PoolError};
pub use head::{BlockChange, Head};
pub use limits::Limits;
pub use pool::{Admitted, Pool, PoolStatus, SenderTransactions};
pub use transaction::PoolTransaction;
