//! A block that is built on a parent, of the pool's transactions or of those that are given.

use std::sync::Arc;

use alloy_eips::eip7594::BlobTransactionSidecarVariant;
use alloy_primitives::{B256, Bytes};
use balsa_builder::{Attributes, AttributesError, BlockBuilder, BuildError, BuiltBlock, Skipped};
use balsa_chainspec::{Fork, Rules};
use balsa_engine::{BuiltPayload, PayloadAttributes};
use balsa_executor::{Executor, InternalError, Parent, SenderError, recover_sender};
use balsa_state::Layer;
use balsa_trie::StateTrie;
use balsa_txpool::{BestTransactions, PoolError, PoolTransaction, RawTransaction, decode};
use thiserror::Error;

use crate::{BuildSettings, Node};

/// No transaction uses less gas: with less left, a block is full.
const TRANSACTION_GAS_MIN: u64 = 21_000;

/// What `testing_buildBlockV1` asks for.
#[derive(Clone, Debug)]
pub struct BuildRequest {
    /// The block to build on.
    pub parent: B256,
    /// What the consensus client would ask for.
    pub attributes: PayloadAttributes,
    /// These transactions and no others, in this order; `None` for those of the pool.
    pub transactions: Option<Vec<Bytes>>,
    /// The header's extra data; `None` for the operator's.
    pub extra_data: Option<Bytes>,
}

/// Why no block could be built.
#[derive(Debug, Error)]
pub enum BuildBlockError {
    /// The parent is not known, or its state is not kept.
    #[error("no state of parent {0}")]
    UnknownParent(B256),
    /// No block can have these attributes, or own trouble.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// A transaction that was given does not decode.
    #[error("transaction {index}: {error}")]
    Decode {
        /// Position among those given.
        index: usize,
        /// Why.
        error: PoolError,
    },
    /// A transaction that was given has no sender.
    #[error("transaction {index}: {error}")]
    Sender {
        /// Position among those given.
        index: usize,
        /// Why.
        error: SenderError,
    },
    /// A transaction that was given cannot stand there.
    #[error("transaction {index}: {skipped}")]
    Refused {
        /// Position among those given.
        index: usize,
        /// Why.
        skipped: Skipped,
    },
}

impl From<AttributesError> for BuildBlockError {
    fn from(error: AttributesError) -> Self {
        Self::Build(error.into())
    }
}

impl From<InternalError> for BuildBlockError {
    fn from(error: InternalError) -> Self {
        Self::Build(BuildError::Execute(error.into()))
    }
}

impl Node {
    /// Builds a block without a build process (`testing_buildBlockV1`). The chain stays as it is.
    ///
    /// # Errors
    /// See [`BuildBlockError`].
    pub fn build_block(&self, request: BuildRequest) -> Result<BuiltPayload, BuildBlockError> {
        let parent = self.view().parent(&request.parent).ok_or(BuildBlockError::UnknownParent(request.parent))?;
        let settings = &self.settings().building;
        let mut attributes = block_attributes(&request.attributes, settings);
        attributes.extra_data = request.extra_data.unwrap_or(attributes.extra_data);
        let room = Room { blobs_max: settings.blobs_max };
        match request.transactions {
            None => {
                let best = Some(self.pool().best());
                let version = build(self.executor(), &parent, attributes, best, room, || false)?;
                Ok(Arc::unwrap_or_clone(version.payload))
            }
            Some(given) => build_of(self.executor(), &parent, attributes, &given),
        }
    }
}

/// What was built, and the state after it.
#[derive(Debug)]
pub(crate) struct Version {
    pub(crate) payload: Arc<BuiltPayload>,
    /// What the block changed.
    pub(crate) changed: Arc<Layer>,
    pub(crate) trie: StateTrie,
}

/// What a block has room for beside what its fork allows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    pub(crate) blobs_max: Option<u64>,
}

/// The builder's attributes of the consensus client's.
pub(crate) fn block_attributes(asked: &PayloadAttributes, settings: &BuildSettings) -> Attributes {
    Attributes {
        timestamp: asked.timestamp.to(),
        prev_randao: asked.prev_randao,
        fee_recipient: asked.suggested_fee_recipient,
        withdrawals: asked.withdrawals(),
        parent_beacon_block_root: asked.parent_beacon_block_root,
        slot_number: asked.slot_number.map(|slot| slot.to()),
        gas_limit_target: asked.target_gas_limit.map_or(settings.gas_limit, |limit| limit.to()),
        extra_data: settings.extra_data.clone(),
    }
}

/// Builds a block of the best transactions, until it is full, there are no more, or `is_enough`.
pub(crate) fn build(
    executor: &Executor,
    parent: &Parent,
    attributes: Attributes,
    best: Option<BestTransactions>,
    room: Room,
    is_enough: impl Fn() -> bool,
) -> Result<Version, BuildError> {
    let (rules, _) = attributes.header(executor.spec(), parent.hash, &parent.header)?;
    let mut builder = BlockBuilder::open(executor, parent, attributes)?;
    let mut sidecars = Vec::new();
    if let Some(mut best) = best {
        fill(&mut builder, &mut best, &rules, room, is_enough, &mut sidecars)
            .map_err(|error| BuildError::Execute(error.into()))?;
    }
    Ok(version(builder.seal()?, sidecars))
}

fn fill(
    builder: &mut BlockBuilder<'_>,
    best: &mut BestTransactions,
    rules: &Rules,
    room: Room,
    is_enough: impl Fn() -> bool,
    sidecars: &mut Vec<Arc<BlobTransactionSidecarVariant>>,
) -> Result<(), InternalError> {
    let blobs_of_fork = rules.blobs.map_or(0, |blobs| blobs.max);
    let mut blobs_left = room.blobs_max.map_or(blobs_of_fork, |max| max.min(blobs_of_fork));
    best.set_blobs_left(blobs_left);
    while builder.header().gas_limit - builder.gas_used() >= TRANSACTION_GAS_MIN && !is_enough() {
        let Some(transaction) = best.next() else { break };
        if !has_form_of(&transaction, rules) || builder.add(&transaction.transaction, transaction.sender)?.is_err() {
            best.skip_sender();
            continue;
        }
        blobs_left -= transaction.blob_count().min(blobs_left);
        best.set_blobs_left(blobs_left);
        sidecars.extend(transaction.sidecar.clone());
    }
    Ok(())
}

/// Whether the sidecar, if there is one, has the proofs that the block's fork wants (EIP-7594).
fn has_form_of(transaction: &PoolTransaction, rules: &Rules) -> bool {
    transaction.sidecar.as_ref().is_none_or(|sidecar| sidecar.is_eip7594() == rules.has(Fork::Osaka))
}

/// Builds a block of these transactions, all of them.
fn build_of(
    executor: &Executor,
    parent: &Parent,
    attributes: Attributes,
    given: &[Bytes],
) -> Result<BuiltPayload, BuildBlockError> {
    let (rules, _) = attributes.header(executor.spec(), parent.hash, &parent.header)?;
    let mut builder = BlockBuilder::open(executor, parent, attributes)?;
    let mut sidecars = Vec::new();
    for (index, bytes) in given.iter().enumerate() {
        let RawTransaction { transaction, sidecar } =
            decode(bytes).map_err(|error| BuildBlockError::Decode { index, error })?;
        let sender = recover_sender(&rules, &transaction).map_err(|error| BuildBlockError::Sender { index, error })?;
        builder.add(&transaction, sender)?.map_err(|skipped| BuildBlockError::Refused { index, skipped })?;
        sidecars.extend(sidecar.map(Arc::new));
    }
    Ok(Arc::unwrap_or_clone(version(builder.seal()?, sidecars).payload))
}

fn version(built: BuiltBlock, sidecars: Vec<Arc<BlobTransactionSidecarVariant>>) -> Version {
    let BuiltBlock { block, requests, list, value, diff, trie, .. } = built;
    let payload = Arc::new(BuiltPayload { block, list, requests, value, sidecars });
    Version { payload, changed: Arc::new(Layer::new(diff)), trie }
}
