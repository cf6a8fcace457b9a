//! The parameters of `engine_newPayload`, by version.

use crate::{EngineError, ExecutionPayload, NewPayloadVersion, requests};
use alloy_primitives::{B256, Bytes};
use balsa_chainspec::{Fork, Rules};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

/// The parameters of one call, each of its type. That those of the version are there is proved by
/// `NewPayloadParams::check`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPayloadParams {
    /// The payload.
    pub payload: ExecutionPayload,
    /// From version 3: hashes of the blobs of all transactions, in order (EIP-4844).
    pub expected_blob_versioned_hashes: Option<Vec<B256>>,
    /// From version 3: root of the parent beacon block (EIP-4788).
    pub parent_beacon_block_root: Option<B256>,
    /// From version 4: requests, each with its type in front (EIP-7685).
    pub execution_requests: Option<Vec<Bytes>>,
}

impl NewPayloadParams {
    /// Reads the parameters as they stand in a call.
    ///
    /// # Errors
    /// [`EngineError::InvalidParams`]: too few, too many, or not of their type.
    pub fn from_json(version: NewPayloadVersion, params: &[&RawValue]) -> Result<Self, EngineError> {
        let expected = match version {
            NewPayloadVersion::V1 | NewPayloadVersion::V2 => 1,
            NewPayloadVersion::V3 => 3,
            NewPayloadVersion::V4 | NewPayloadVersion::V5 => 4,
        };
        if params.len() != expected {
            let message = format!("{} takes {expected} parameters, not {}", version.method(), params.len());
            return Err(EngineError::InvalidParams(message));
        }
        Ok(Self {
            payload: read("payload", params[0])?,
            expected_blob_versioned_hashes: optional("expectedBlobVersionedHashes", params.get(1))?,
            parent_beacon_block_root: optional("parentBeaconBlockRoot", params.get(2))?,
            execution_requests: optional("executionRequests", params.get(3))?,
        })
    }

    /// Whether the parameters are those of the version, no more and no fewer.
    pub(crate) fn check(&self, version: NewPayloadVersion, rules: &Rules) -> Result<(), EngineError> {
        let payload = &self.payload;
        let blobs = version >= NewPayloadVersion::V3;
        let lists = version >= NewPayloadVersion::V5;
        presence("withdrawals", payload.withdrawals.is_some(), rules.has(Fork::Shanghai))?;
        presence("blobGasUsed", payload.blob_gas_used.is_some(), blobs)?;
        presence("excessBlobGas", payload.excess_blob_gas.is_some(), blobs)?;
        presence("expectedBlobVersionedHashes", self.expected_blob_versioned_hashes.is_some(), blobs)?;
        presence("parentBeaconBlockRoot", self.parent_beacon_block_root.is_some(), blobs)?;
        presence("executionRequests", self.execution_requests.is_some(), version >= NewPayloadVersion::V4)?;
        presence("blockAccessList", payload.block_access_list.is_some(), lists)?;
        presence("slotNumber", payload.slot_number.is_some(), rules.has(Fork::Amsterdam))?;
        requests::check(self.execution_requests.as_deref().unwrap_or_default())
    }
}

fn presence(name: &str, present: bool, expected: bool) -> Result<(), EngineError> {
    match (present, expected) {
        (true, false) => Err(EngineError::InvalidParams(format!("{name} is not a parameter of this version"))),
        (false, true) => Err(EngineError::InvalidParams(format!("{name} is missing"))),
        _ => Ok(()),
    }
}

pub(crate) fn optional<T: DeserializeOwned>(name: &str, value: Option<&&RawValue>) -> Result<Option<T>, EngineError> {
    match value {
        Some(value) if value.get() != "null" => read(name, value).map(Some),
        _ => Ok(None),
    }
}

pub(crate) fn read<T: DeserializeOwned>(name: &str, value: &RawValue) -> Result<T, EngineError> {
    serde_json::from_str(value.get()).map_err(|error| EngineError::InvalidParams(format!("{name}: {error}")))
}
