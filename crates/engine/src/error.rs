//! Errors of the Engine API, with their JSON-RPC codes.

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
            Self::InvalidForkchoiceState(_) => -38002,
            Self::UnsupportedFork { .. } => -38005,
            Self::TooDeepReorg(_) => -38006,
        }
    }
}
