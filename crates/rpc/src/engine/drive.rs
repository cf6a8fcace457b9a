//! Payloads, fork choices, and payloads that are built: what drives the chain.

use balsa_engine::{
    EngineError, ForkchoiceParams, ForkchoiceVersion, GetPayloadVersion, NewPayloadParams, NewPayloadVersion,
    PayloadEnvelope, PayloadId, PayloadStatus,
};
use serde::Serialize;
use serde_json::value::RawValue;

use super::refused;
use crate::{Context, Methods, Params, RpcError};

/// The most parameters that any of these methods takes in any version; each judges the number itself.
const PARAMS_MAX: usize = 8;

pub(crate) fn register(methods: &mut Methods) {
    use NewPayloadVersion as New;
    for version in [New::V1, New::V2, New::V3, New::V4, New::V5] {
        methods.add(version.method(), PARAMS_MAX, move |context, params| new_payload(context, version, params));
    }
    use ForkchoiceVersion as Choice;
    for version in [Choice::V1, Choice::V2, Choice::V3, Choice::V4] {
        methods.add(version.method(), PARAMS_MAX, move |context, params| forkchoice_updated(context, version, params));
    }
    use GetPayloadVersion as Get;
    for version in [Get::V1, Get::V2, Get::V3, Get::V4, Get::V5, Get::V6] {
        methods.add(version.method(), 1, move |context, params| get_payload(context, version, params));
    }
    for method in ["engine_newPayloadV6", "engine_forkchoiceUpdatedV5", "engine_getInclusionListV1"] {
        methods.add(method, PARAMS_MAX, move |_, _| Err::<(), _>(refused(EngineError::FutureFork { method })));
    }
}

fn new_payload(context: &Context, version: NewPayloadVersion, params: Params) -> Result<PayloadStatus, RpcError> {
    let params = all(params);
    let params: Vec<&RawValue> = params.iter().map(|value| &**value).collect();
    let params = NewPayloadParams::from_json(version, &params).map_err(refused)?;
    Ok(context.node.new_payload(version, params).map_err(refused)?.status)
}

/// The answer to `engine_forkchoiceUpdated`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Updated {
    payload_status: PayloadStatus,
    payload_id: Option<PayloadId>,
}

fn forkchoice_updated(context: &Context, version: ForkchoiceVersion, params: Params) -> Result<Updated, RpcError> {
    let params = all(params);
    let params: Vec<&RawValue> = params.iter().map(|value| &**value).collect();
    let params = ForkchoiceParams::from_json(version, &params).map_err(refused)?;
    let updated = context.node.forkchoice_updated(version, params).map_err(refused)?;
    Ok(Updated { payload_status: updated.payload_status, payload_id: updated.payload_id })
}

fn get_payload(context: &Context, version: GetPayloadVersion, mut params: Params) -> Result<PayloadEnvelope, RpcError> {
    let id: PayloadId = params.required("payloadId")?;
    context.node.payload(version, id).map_err(refused)
}

fn all(mut params: Params) -> Vec<Box<RawValue>> {
    std::iter::from_fn(|| params.raw()).collect()
}
