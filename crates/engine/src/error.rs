//! Errors of the Engine API, with their JSON-RPC codes.

use crate::PayloadId;
use balsa_chainspec::Fork;
use thiserror::Error;

/// A call that is refused. Nothing is said about any payload.
#[derive(Debug, Error)]
pub enum EngineError {
    /// The method's version is not for the fork of the payload.
    #[error("{method} is not for payloads of {fork}")]
    UnsupportedFork {
        /// The method with its version.
        method: &'static str,
        /// The fork of the payload's timestamp.
        fork: Fork,
    },
    /// No build process has this identifier, or none any more.
    #[error("no payload {0} is being built")]
    UnknownPayload(PayloadId),
    /// The block that is asked for cannot be built on this head.
    #[error("invalid payload attributes: {0}")]
    InvalidPayloadAttributes(String),
    /// More is asked for than one answer holds.
    #[error("{count} are asked for, at most {max}")]
    TooLarge {
        /// Asked for.
        count: u64,
        /// The most.
        max: u64,
    },
    /// A method of a fork that no chain has scheduled.
    #[error("{method} is of a fork that is not scheduled")]
    FutureFork {
        /// The method with its version.
        method: &'static str,
    },
    /// A parameter is missing, or there and not allowed, or not of its type.
    #[error("invalid params: {0}")]
    InvalidParams(String),
    /// The safe or the finalized block is not an ancestor of the head.
    #[error("invalid forkchoice state: {0}")]
    InvalidForkchoiceState(String),
    /// The head lies too far back to be gone to.
    #[error("too deep reorg: {0}")]
    TooDeepReorg(String),
    /// This node's own trouble.
    #[error("internal error: {0}")]
    Internal(String),
}

impl EngineError {
    /// The JSON-RPC error code.
    pub const fn code(&self) -> i64 {
        match self {
            Self::InvalidParams(_) => -32602,
            Self::Internal(_) => -32603,
            Self::UnknownPayload(_) => -38001,
            Self::InvalidForkchoiceState(_) => -38002,
            Self::InvalidPayloadAttributes(_) => -38003,
            Self::TooLarge { .. } => -38004,
            Self::UnsupportedFork { .. } | Self::FutureFork { .. } => -38005,
            Self::TooDeepReorg(_) => -38006,
        }
    }
}
