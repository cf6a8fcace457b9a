//! The Engine API's methods: parameters in, an answer or an error code out
//! ([execution-apis, `src/engine`](https://github.com/ethereum/execution-apis/tree/main/src/engine)).
//!
//! Pure: no socket, no clock. A server authenticates, reads JSON, and calls [`new_payload`] and
//! [`forkchoice_updated`]; what they change is behind [`BlockTree`].
//!
//! A payload's way: the version is held against the fork of its timestamp (`version.rs`), the parameters against the
//! version (`params.rs`), then it becomes a block whose hash must be the one that it claims (`convert.rs`), and the
//! tree has the last word (`new_payload.rs`).

mod block_tree;
mod convert;
mod error;
mod forkchoice;
mod new_payload;
mod params;
mod payload;
mod requests;
mod status;
mod version;

pub use block_tree::{BlockTree, HeadRefused};
pub use convert::PayloadBlock;
pub use error::EngineError;
pub use forkchoice::{ForkchoiceState, forkchoice_updated};
pub use new_payload::{InvalidPayload, NewPayload, new_payload};
pub use params::NewPayloadParams;
pub use payload::{ExecutionPayload, Withdrawal};
pub use status::{PayloadStatus, PayloadStatusKind};
pub use version::{ForkchoiceVersion, NewPayloadVersion};
