//! The Engine API's methods on a node: what `balsa-engine` judges, on what the node has.

use alloy_eips::eip4844::{BlobAndProofV1, BlobAndProofV2, BlobCellsAndProofsV1};
use alloy_primitives::{B128, B256};
use balsa_chain::ChainView;
use balsa_engine::{
    BodyList, BuiltPayload, CAPABILITIES, ClientVersion, EngineError, ForkchoiceParams, ForkchoiceVersion,
    GetPayloadVersion, HeldBlob, NewPayload, NewPayloadParams, NewPayloadVersion, PayloadAttributes, PayloadBlock,
    PayloadBody, PayloadEnvelope, PayloadId, PayloadStatus, TransitionConfiguration, blobs_v1, blobs_v2, blobs_v3,
    blobs_v4, body_range, check_blob_count, check_body_count, get_payload, read_payload,
};
use std::{fmt::Display, sync::Arc};

use crate::{Message, Node, build::block_attributes, jobs::Work, message::Chosen};

/// The answer to `engine_forkchoiceUpdated`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForkchoiceUpdated {
    /// What came of the choice.
    pub payload_status: PayloadStatus,
    /// The build process that was started.
    pub payload_id: Option<PayloadId>,
}

impl Node {
    /// `engine_newPayload`: a block is judged and brought into the tree.
    ///
    /// # Errors
    /// The call itself is refused: see [`EngineError`].
    pub fn new_payload(&self, version: NewPayloadVersion, params: NewPayloadParams) -> Result<NewPayload, EngineError> {
        // Whatever needs no chain happens here, so that the writer is free for others meanwhile.
        match read_payload(self.spec(), version, params)? {
            Ok(payload) => self.import(payload),
            Err(refused) => Ok(*refused),
        }
    }

    /// Brings a block into the tree, as [`new_payload`](Self::new_payload) does once it was read.
    ///
    /// # Errors
    /// This node's own trouble.
    pub fn import(&self, payload: PayloadBlock) -> Result<NewPayload, EngineError> {
        self.ask(|reply| Message::NewPayload { payload: Box::new(payload), reply })
    }

    /// `engine_forkchoiceUpdated`: the head moves, and a block is begun on it if attributes ask for one.
    ///
    /// # Errors
    /// The choice cannot be followed; or it was followed, and the attributes are not those of a block.
    pub fn forkchoice_updated(
        &self,
        version: ForkchoiceVersion,
        params: ForkchoiceParams,
    ) -> Result<ForkchoiceUpdated, EngineError> {
        let ForkchoiceParams { state, attributes, custody_columns: _ } = params;
        // Attributes that are not those of a block are refused after the choice was followed.
        let next_timestamp =
            attributes.as_ref().and_then(|asked| asked.as_ref().ok()).map(|asked| asked.timestamp.to());
        let Chosen { status, may_build, view } =
            self.ask(|reply| Message::ForkchoiceUpdated { state, next_timestamp, reply })?;
        let payload_id = match attributes {
            Some(attributes) if may_build => Some(self.begin(version, &view, &attributes?)?),
            _ => None,
        };
        Ok(ForkchoiceUpdated { payload_status: status, payload_id })
    }

    /// `engine_getPayload`: the best version of what is being built.
    ///
    /// # Errors
    /// No such process, or one for a fork that the version is not for.
    pub fn payload(&self, version: GetPayloadVersion, id: PayloadId) -> Result<PayloadEnvelope, EngineError> {
        get_payload(self.spec(), version, &self.0.jobs.fetch(id)?.payload)
    }

    /// The same without its envelope.
    ///
    /// # Errors
    /// No such process.
    pub fn built_payload(&self, id: PayloadId) -> Result<Arc<BuiltPayload>, EngineError> {
        Ok(self.0.jobs.fetch(id)?.payload.clone())
    }

    /// `engine_getPayloadBodiesByHash`; `with_lists` from version 2 on.
    ///
    /// # Errors
    /// Too many, or own trouble.
    pub fn bodies_by_hash(&self, hashes: &[B256], with_lists: bool) -> Result<Vec<Option<PayloadBody>>, EngineError> {
        check_body_count(hashes.len() as u64)?;
        let view = self.view();
        hashes.iter().map(|hash| body(&view, hash, with_lists)).collect()
    }

    /// `engine_getPayloadBodiesByRange`; `with_lists` from version 2 on.
    ///
    /// # Errors
    /// No range, one that is too long, or own trouble.
    pub fn bodies_by_range(
        &self,
        start: u64,
        count: u64,
        with_lists: bool,
    ) -> Result<Vec<Option<PayloadBody>>, EngineError> {
        let view = self.view();
        let range = body_range(start, count, view.head().number())?;
        let body_at = |number| match view.canonical_hash(number).map_err(internal)? {
            Some(hash) => body(&view, &hash, with_lists),
            None => Ok(None),
        };
        range.map(body_at).collect()
    }

    /// `engine_getBlobsV1`.
    ///
    /// # Errors
    /// Too many, or Osaka is active.
    pub fn blobs_v1(&self, hashes: &[B256]) -> Result<Vec<Option<BlobAndProofV1>>, EngineError> {
        let blobs = self.held_blobs(hashes)?;
        blobs_v1(&self.spec().rules_of(&self.view().head().block.header), &blobs)
    }

    /// `engine_getBlobsV2`.
    ///
    /// # Errors
    /// Too many.
    pub fn blobs_v2(&self, hashes: &[B256]) -> Result<Option<Vec<BlobAndProofV2>>, EngineError> {
        Ok(blobs_v2(&self.held_blobs(hashes)?))
    }

    /// `engine_getBlobsV3`.
    ///
    /// # Errors
    /// Too many.
    pub fn blobs_v3(&self, hashes: &[B256]) -> Result<Vec<Option<BlobAndProofV2>>, EngineError> {
        Ok(blobs_v3(&self.held_blobs(hashes)?))
    }

    /// `engine_getBlobsV4`.
    ///
    /// # Errors
    /// Too many, or own trouble.
    pub fn blobs_v4(&self, hashes: &[B256], indices: B128) -> Result<Vec<Option<BlobCellsAndProofsV1>>, EngineError> {
        blobs_v4(&self.held_blobs(hashes)?, indices)
    }

    /// `engine_exchangeCapabilities`.
    pub fn capabilities(&self) -> &'static [&'static str] {
        &CAPABILITIES
    }

    /// `engine_getClientVersionV1`.
    pub fn client_version(&self) -> &ClientVersion {
        &self.settings().client
    }

    /// `engine_exchangeTransitionConfigurationV1`.
    pub fn transition_configuration(&self) -> TransitionConfiguration {
        TransitionConfiguration::of(self.spec())
    }

    /// Starts a build process on the head.
    fn begin(
        &self,
        version: ForkchoiceVersion,
        view: &Arc<ChainView>,
        asked: &PayloadAttributes,
    ) -> Result<PayloadId, EngineError> {
        let head = view.head();
        let rules = self.spec().rules_at(head.number() + 1, asked.timestamp.to(), true);
        asked.check(version, &rules)?;
        let settings = &self.settings().building;
        let attributes = block_attributes(asked, settings);
        let header = attributes.header(self.spec(), head.hash(), &head.block.header);
        header.map_err(|error| EngineError::InvalidPayloadAttributes(error.to_string()))?;
        let id = asked.id(head.hash());
        let work = Work {
            executor: self.executor().clone(),
            pool: self.pool().clone(),
            parent: view.parent(&head.hash()).ok_or_else(|| internal("the head has no state"))?,
            attributes,
            settings: settings.clone(),
        };
        self.0.jobs.start(id, work).map_err(internal)?;
        Ok(id)
    }

    fn held_blobs(&self, hashes: &[B256]) -> Result<Vec<Option<HeldBlob>>, EngineError> {
        check_blob_count(hashes.len())?;
        let held = |hash: &B256| {
            let blob = self.pool().blob(hash)?;
            Some(HeldBlob { sidecar: blob.sidecar, index: blob.index })
        };
        Ok(hashes.iter().map(held).collect())
    }
}

fn body(view: &ChainView, hash: &B256, with_lists: bool) -> Result<Option<PayloadBody>, EngineError> {
    let Some(block) = view.block(hash).map_err(internal)? else { return Ok(None) };
    let list = if with_lists { BodyList::Given(view.list(hash).map_err(internal)?) } else { BodyList::LeftOut };
    Ok(Some(PayloadBody::new(&block, list)))
}

fn internal(error: impl Display) -> EngineError {
    EngineError::Internal(error.to_string())
}
