//! The `testing_` namespace
//! ([execution-apis](https://github.com/ethereum/execution-apis/tree/main/src/testing)): off unless it is asked for.

use balsa_builder::BuildError;
use balsa_engine::{ExecutionPayload, FullEnvelope, GetPayloadVersion};
use balsa_executor::ExecuteError;
use balsa_node::{BuildBlockError, BuildRequest};

use crate::{Context, Methods, Params, RpcError};

pub(crate) fn register(methods: &mut Methods) {
    methods.add("testing_buildBlockV1", 4, build_block);
}

/// A block on a parent, of the transactions that are given, or of the pool's if `null` is. The chain stays as it is.
fn build_block(context: &Context, mut params: Params) -> Result<FullEnvelope, RpcError> {
    let request = BuildRequest {
        parent: params.required("parentBlockHash")?,
        attributes: params.required("payloadAttributes")?,
        transactions: params.optional("transactions")?,
        extra_data: params.optional("extraData")?,
    };
    let built = context.node.build_block(request)?;
    let payload = ExecutionPayload::of_block(&built.block, built.list.clone());
    Ok(FullEnvelope::new(GetPayloadVersion::V5, payload, &built))
}

impl From<BuildBlockError> for RpcError {
    fn from(error: BuildBlockError) -> Self {
        match &error {
            BuildBlockError::Build(BuildError::Execute(ExecuteError::Internal(_))) => Self::internal(error),
            _ => Self::new(Self::SERVER_ERROR, error.to_string()),
        }
    }
}
