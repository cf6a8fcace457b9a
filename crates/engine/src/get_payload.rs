//! `engine_getPayload`: a block that was built, in the envelope of the version.

use crate::{EngineError, ExecutionPayload, GetPayloadVersion};
use alloy_eips::eip7594::BlobTransactionSidecarVariant;
use alloy_eips::eip7685::Requests;
use alloy_primitives::{B256, Bytes, FixedBytes, U256};
use balsa_chainspec::ChainSpec;
use balsa_executor::SealedBlock;
use serde::Serialize;
use std::sync::Arc;

/// A block that was built, with what goes with it.
#[derive(Clone, Debug)]
pub struct BuiltPayload {
    /// The block.
    pub block: SealedBlock,
    /// Its access list, from EIP-7928 on.
    pub list: Option<Bytes>,
    /// Requests to the consensus layer (EIP-7685).
    pub requests: Requests,
    /// What the fee recipient gets, in wei.
    pub value: U256,
    /// Sidecars of its type-3 transactions, in order, in the form of its fork.
    pub sidecars: Vec<Arc<BlobTransactionSidecarVariant>>,
}

/// The answer to `engine_getPayload`.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum PayloadEnvelope {
    /// Version 1: the payload alone.
    Bare(Box<ExecutionPayload>),
    /// From version 2 on.
    Full(Box<FullEnvelope>),
}

/// The answer from version 2 on; what a version does not have is left out.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are those of the specification")]
pub struct FullEnvelope {
    pub execution_payload: ExecutionPayload,
    pub block_value: U256,
    /// From version 3.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blobs_bundle: Option<BlobsBundle>,
    /// From version 3.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub should_override_builder: Option<bool>,
    /// From version 4: requests that are not empty, by type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub execution_requests: Option<Vec<Bytes>>,
}

/// `BlobsBundleV1` and `V2`, which differ in what the proofs prove: blobs, or their cells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names are those of the specification")]
pub struct BlobsBundle {
    pub commitments: Vec<FixedBytes<48>>,
    pub proofs: Vec<FixedBytes<48>>,
    pub blobs: Vec<Bytes>,
}

/// The envelope of a version round a block.
///
/// # Errors
/// The block is of a fork that the version is not for.
pub fn get_payload(
    spec: &ChainSpec,
    version: GetPayloadVersion,
    built: &BuiltPayload,
) -> Result<PayloadEnvelope, EngineError> {
    version.check(&spec.rules_of(&built.block.header))?;
    let payload = ExecutionPayload::of_block(&built.block, built.list.clone());
    if version == GetPayloadVersion::V1 {
        return Ok(PayloadEnvelope::Bare(Box::new(payload)));
    }
    Ok(PayloadEnvelope::Full(Box::new(FullEnvelope::new(version, payload, built))))
}

impl FullEnvelope {
    /// The envelope of a version, whether or not the block is of one of its forks.
    pub fn new(version: GetPayloadVersion, execution_payload: ExecutionPayload, built: &BuiltPayload) -> Self {
        Self {
            execution_payload,
            block_value: built.value,
            blobs_bundle: (version >= GetPayloadVersion::V3).then(|| BlobsBundle::of(&built.sidecars)),
            should_override_builder: (version >= GetPayloadVersion::V3).then_some(false),
            execution_requests: (version >= GetPayloadVersion::V4).then(|| built.execution_requests()),
        }
    }
}

impl BuiltPayload {
    /// Requests that are not empty, each with its type in front, by type.
    pub fn execution_requests(&self) -> Vec<Bytes> {
        self.requests.iter().filter(|request| request.len() > 1).cloned().collect()
    }

    /// The hash of the block.
    pub fn hash(&self) -> B256 {
        self.block.hash
    }
}

impl BlobsBundle {
    fn of(sidecars: &[Arc<BlobTransactionSidecarVariant>]) -> Self {
        let mut bundle = Self::default();
        for sidecar in sidecars {
            bundle.commitments.extend(sidecar.commitments());
            bundle.blobs.extend(sidecar.blobs().iter().map(|blob| Bytes::copy_from_slice(blob.as_slice())));
            bundle.proofs.extend(match &**sidecar {
                BlobTransactionSidecarVariant::Eip4844(sidecar) => &sidecar.proofs,
                BlobTransactionSidecarVariant::Eip7594(sidecar) => &sidecar.cell_proofs,
            });
        }
        bundle
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_consensus::Header;
    use balsa_chainspec::Fork;

    fn built() -> BuiltPayload {
        let header = Header { base_fee_per_gas: Some(7), ..Header::default() };
        let requests = vec![Bytes::from_static(&[0]), Bytes::from_static(&[1, 2])];
        BuiltPayload {
            block: SealedBlock::from_parts(header, Vec::new(), Vec::new(), None),
            list: None,
            requests: Requests::new(requests),
            value: U256::from(5),
            sidecars: Vec::new(),
        }
    }

    fn keys(version: GetPayloadVersion, fork: Fork) -> Result<Vec<String>, i64> {
        let spec = ChainSpec::all_at_genesis(1, fork);
        let answer = get_payload(&spec, version, &built()).map_err(|error| error.code())?;
        let serde_json::Value::Object(answer) = serde_json::to_value(answer).unwrap() else { unreachable!() };
        let mut keys: Vec<_> = answer.keys().cloned().collect();
        keys.sort();
        Ok(keys)
    }

    #[test]
    fn each_version_has_its_envelope() {
        use GetPayloadVersion::*;
        assert!(keys(V1, Fork::Paris).unwrap().iter().any(|key| key == "blockHash"));
        assert_eq!(keys(V2, Fork::Paris).unwrap(), ["blockValue", "executionPayload"]);
        assert_eq!(keys(V2, Fork::Cancun), Err(-38005));
        assert_eq!(keys(V3, Fork::Paris), Err(-38005));
        let without_requests = ["blobsBundle", "blockValue", "executionPayload", "shouldOverrideBuilder"];
        assert_eq!(keys(V3, Fork::Cancun).unwrap(), without_requests);
        let all = ["blobsBundle", "blockValue", "executionPayload", "executionRequests", "shouldOverrideBuilder"];
        for (version, fork) in [(V4, Fork::Prague), (V5, Fork::Osaka), (V5, Fork::Bpo2), (V6, Fork::Amsterdam)] {
            assert_eq!(keys(version, fork).unwrap(), all, "{version:?}");
        }
        for (version, fork) in [(V3, Fork::Prague), (V4, Fork::Osaka), (V5, Fork::Amsterdam), (V6, Fork::Bpo2)] {
            assert_eq!(keys(version, fork), Err(-38005), "{version:?} {fork}");
        }
    }

    #[test]
    fn empty_requests_are_left_out() {
        assert_eq!(built().execution_requests(), [Bytes::from_static(&[1, 2])]);
    }
}
