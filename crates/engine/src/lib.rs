//! The Engine API's methods: parameters in, an answer or an error code out
//! ([execution-apis, `src/engine`](https://github.com/ethereum/execution-apis/tree/main/src/engine)).
//!
//! Pure: no socket, no clock. A server authenticates, reads JSON, and calls [`new_payload`] and
//! [`forkchoice_updated`]; what they change is behind [`BlockTree`]. What only reads (`get_payload.rs`, `bodies.rs`,
//! `blobs.rs`) is given what was found, and says how it is answered.
//!
//! A payload's way: the version is held against the fork of its timestamp (`version.rs`), the parameters against the
//! version (`params.rs`), then it becomes a block whose hash must be the one that it claims (`convert.rs`), and the
//! tree has the last word (`new_payload.rs`).

mod attributes;
mod blobs;
mod block_tree;
mod bodies;
mod convert;
mod error;
mod forkchoice;
mod forkchoice_params;
mod get_payload;
mod identity;
mod new_payload;
mod params;
mod payload;
mod requests;
mod status;
mod version;

pub use attributes::{PayloadAttributes, PayloadId};
pub use blobs::{BLOBS_MAX, HeldBlob, blobs_v1, blobs_v2, blobs_v3, blobs_v4, check_blob_count};
pub use block_tree::{BlockTree, HeadRefused, HeadSet};
pub use bodies::{BODIES_MAX, BodyList, PayloadBody, body_range, check_body_count};
pub use convert::PayloadBlock;
pub use error::EngineError;
pub use forkchoice::{Followed, ForkchoiceState, forkchoice_updated};
pub use forkchoice_params::ForkchoiceParams;
pub use get_payload::{BlobsBundle, BuiltPayload, FullEnvelope, PayloadEnvelope, get_payload};
pub use identity::{CAPABILITIES, ClientVersion, TransitionConfiguration};
pub use new_payload::{InvalidPayload, NewPayload, import_payload, new_payload, read_payload};
pub use params::NewPayloadParams;
pub use payload::{ExecutionPayload, Withdrawal};
pub use status::{PayloadStatus, PayloadStatusKind};
pub use version::{ForkchoiceVersion, GetPayloadVersion, NewPayloadVersion};
