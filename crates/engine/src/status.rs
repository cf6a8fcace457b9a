//! What is answered about a payload.

use alloy_primitives::B256;
use serde::{Deserialize, Serialize};

/// `PayloadStatusV1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PayloadStatus {
    /// The verdict.
    pub status: PayloadStatusKind,
    /// The last valid block that the payload descends from, or the payload itself; null where none is known.
    pub latest_valid_hash: Option<B256>,
    /// What is wrong with the payload.
    pub validation_error: Option<String>,
}

/// The verdict on a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PayloadStatusKind {
    /// Executed, and in the tree.
    Valid,
    /// Breaks a rule, or descends from a block that does.
    Invalid,
    /// Cannot be judged: its parent, or the parent's state, is not here.
    Syncing,
    /// Was not judged, for it does not extend the canonical chain; its ancestors are known.
    Accepted,
    /// Has another hash than it says: so in version 1 only.
    InvalidBlockHash,
}

impl PayloadStatus {
    /// The payload, or the head, with this hash is valid.
    pub fn valid(hash: B256) -> Self {
        Self { status: PayloadStatusKind::Valid, latest_valid_hash: Some(hash), validation_error: None }
    }

    /// Nothing can be said.
    pub fn syncing() -> Self {
        Self { status: PayloadStatusKind::Syncing, latest_valid_hash: None, validation_error: None }
    }

    /// Not judged, and no obstacle to follow its branch.
    pub fn accepted() -> Self {
        Self { status: PayloadStatusKind::Accepted, latest_valid_hash: None, validation_error: None }
    }

    /// The payload breaks a rule.
    pub fn invalid(latest_valid_hash: Option<B256>, error: String) -> Self {
        Self { status: PayloadStatusKind::Invalid, latest_valid_hash, validation_error: Some(error) }
    }
}
