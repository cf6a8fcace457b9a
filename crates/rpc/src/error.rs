//! What a caller is told when a call fails.

use std::fmt::Display;

use serde::Serialize;
use serde_json::Value;

/// A JSON-RPC error object. Codes are those of [JSON-RPC 2.0](https://www.jsonrpc.org/specification), section 5.1, and
/// of the Ethereum specifications ([execution-apis](https://github.com/ethereum/execution-apis)).
#[derive(Clone, Debug, PartialEq, Serialize, thiserror::Error)]
#[error("{message} ({code})")]
pub struct RpcError {
    /// What kind of error it is.
    pub code: i32,
    /// One sentence.
    pub message: String,
    /// What the method adds, such as what a call that reverted returned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Box<Value>>,
}

impl RpcError {
    /// The message is not JSON.
    pub const PARSE_ERROR: i32 = -32700;
    /// The message is not a request.
    pub const INVALID_REQUEST: i32 = -32600;
    /// There is no such method, or it is not offered here.
    pub const METHOD_NOT_FOUND: i32 = -32601;
    /// The parameters are not the method's.
    pub const INVALID_PARAMS: i32 = -32602;
    /// This node's own trouble.
    pub const INTERNAL: i32 = -32603;
    /// The method could not do what was asked, for the reason in the message.
    pub const SERVER_ERROR: i32 = -32000;
    /// What was asked for is not there.
    pub const RESOURCE_NOT_FOUND: i32 = -32001;
    /// The call took longer than a call may.
    pub const TIMED_OUT: i32 = -32002;
    /// The answer is longer than an answer may be.
    pub const RESPONSE_TOO_LARGE: i32 = -32003;
    /// The call asks for more than one call may, or too many calls are waiting.
    pub const LIMIT_EXCEEDED: i32 = -32005;
    /// The transaction is in the pool, but was in no block in time ([EIP-7966](https://eips.ethereum.org/EIPS/eip-7966)).
    pub const NO_RECEIPT_IN_TIME: i32 = 4;
    /// The transaction is in the pool, but the next block cannot take it (EIP-7966).
    pub const NOT_READY: i32 = 5;
    /// The transaction is in the pool, but another of its sender has to come first (EIP-7966).
    pub const NONCE_GAP: i32 = 6;
    /// What was asked for was kept once, and is not any more
    /// ([EIP-4444](https://eips.ethereum.org/EIPS/eip-4444)).
    pub const PRUNED: i32 = 4444;

    /// An error of this code.
    pub fn new(code: i32, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), data: None }
    }

    /// The same error with something added.
    pub fn with_data(mut self, data: impl Into<Value>) -> Self {
        self.data = Some(Box::new(data.into()));
        self
    }

    /// A parameter that is not what it should be.
    pub fn invalid_params(message: impl Into<String>) -> Self {
        Self::new(Self::INVALID_PARAMS, message)
    }

    /// This node's own trouble; the log says it too, since the caller can do nothing about it.
    pub fn internal(error: impl Display) -> Self {
        tracing::error!(%error, "a call failed");
        Self::new(Self::INTERNAL, error.to_string())
    }

    /// A method that is not known, or not offered here.
    pub fn method_not_found(method: &str) -> Self {
        /// Longer names are cut short in the answer.
        const NAME_CHARS_MAX: usize = 100;
        let name: String = method.chars().take(NAME_CHARS_MAX).collect();
        Self::new(Self::METHOD_NOT_FOUND, format!("the method {name} does not exist/is not available"))
    }
}

impl From<balsa_chain::LookupError> for RpcError {
    fn from(error: balsa_chain::LookupError) -> Self {
        Self::internal(error)
    }
}
