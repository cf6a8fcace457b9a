//! The `engine_` namespace: names and JSON of the Engine API; what they mean is in `balsa-engine` and `balsa-node`
//! ([execution-apis](https://github.com/ethereum/execution-apis/tree/main/src/engine)).

mod blobs;
mod bodies;
mod drive;
mod introduce;

use balsa_engine::EngineError;

use crate::{Methods, RpcError};

pub(crate) fn register(methods: &mut Methods) {
    drive::register(methods);
    bodies::register(methods);
    blobs::register(methods);
    introduce::register(methods);
}

/// An engine error as it is sent.
fn refused(error: EngineError) -> RpcError {
    match error {
        EngineError::Internal(message) => RpcError::internal(message),
        error => RpcError::new(i32::try_from(error.code()).unwrap_or(RpcError::SERVER_ERROR), error.to_string()),
    }
}
