//! A node in a folder of its own, and blocks for it.

use std::sync::Arc;

use alloy_consensus::{Header, SignableTransaction, TxEip1559, TxEnvelope};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B256, Signature, TxKind, U64, U256, b256};
use balsa_chain::{Chain, ChainSettings, GenesisBlock};
use balsa_chainspec::{Fork, Genesis, Network};
use balsa_engine::{
    BuiltPayload, ForkchoiceParams, ForkchoiceState, ForkchoiceVersion, NewPayload, PayloadAttributes, PayloadBlock,
};
use balsa_executor::{ExecutionMode, Executor};
use balsa_node::{BuildRequest, ForkchoiceUpdated, Node, NodeSettings, Running, pool_head};
use balsa_storage::{Durability, Settings as StorageSettings};
use balsa_txindex::DirectoryIndex;
use balsa_txpool::{Limits, Pool};
use secp256k1::{Message, SECP256K1, SecretKey};
use tempfile::TempDir;

/// A folder that several nodes use one after another.
pub(crate) struct Place {
    pub(crate) folder: TempDir,
    /// Directories of the transaction index; none for the engine's own.
    pub(crate) directories: usize,
    /// Blocks below the head whose states are kept.
    pub(crate) kept_blocks: u64,
}

/// A running node; its folder goes with it unless it is a [`Place`].
pub(crate) struct TestNode {
    running: Running,
    _folder: Option<TempDir>,
}

/// The development chain: every fork from the first block on, and accounts with funds.
pub(crate) fn genesis() -> Genesis {
    Network::Dev.genesis()
}

impl Place {
    pub(crate) fn new(directories: usize) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), directories, kept_blocks: 128 }
    }
}

impl TestNode {
    pub(crate) fn start() -> Self {
        Self::with_settings(NodeSettings::default())
    }

    pub(crate) fn with_settings(settings: NodeSettings) -> Self {
        Self::on(&genesis(), settings)
    }

    /// A node on a chain of its own.
    pub(crate) fn on(genesis: &Genesis, settings: NodeSettings) -> Self {
        let place = Place::new(0);
        let running = run_on(genesis, &place, settings);
        Self { running, _folder: Some(place.folder) }
    }

    /// A node whose place goes with it.
    pub(crate) fn within(place: Place) -> Self {
        let running = run(&place, NodeSettings::default());
        Self { running, _folder: Some(place.folder) }
    }

    pub(crate) fn open(place: &Place) -> Self {
        Self { running: run(place, NodeSettings::default()), _folder: None }
    }

    pub(crate) fn node(&self) -> &Node {
        self.running.node()
    }

    /// A block on a parent of the tree; `variant` tells siblings apart.
    pub(crate) fn child(&self, parent: B256, variant: u64) -> BuiltPayload {
        let attributes = self.attributes(parent, variant);
        let request = BuildRequest { parent, attributes, transactions: None, extra_data: None };
        self.node().build_block(request).unwrap()
    }

    /// What a consensus client asks for on a parent of the tree.
    pub(crate) fn attributes(&self, parent: B256, variant: u64) -> PayloadAttributes {
        let header = self.node().view().header(&parent).unwrap().expect("a block of the tree");
        let timestamp = header.timestamp + 1 + variant % 5;
        self.attributes_at(&header, timestamp, variant)
    }

    /// The same at another time.
    pub(crate) fn attributes_at(&self, parent: &Header, timestamp: u64, variant: u64) -> PayloadAttributes {
        let rules = self.node().spec().rules_at(parent.number + 1, timestamp, true);
        PayloadAttributes {
            timestamp: U64::from(timestamp),
            prev_randao: B256::from(U256::from(variant)),
            suggested_fee_recipient: Address::with_last_byte(variant as u8),
            withdrawals: Some(Vec::new()),
            parent_beacon_block_root: Some(B256::ZERO),
            slot_number: rules.has(Fork::Amsterdam).then(|| U64::from(parent.number + 1)),
            target_gas_limit: rules.has(Fork::Amsterdam).then(|| U64::from(60_000_000)),
        }
    }

    pub(crate) fn import(&self, built: &BuiltPayload) -> NewPayload {
        self.node().import(PayloadBlock { block: built.block.clone(), list: built.list.clone() }).unwrap()
    }

    /// Makes a block the head, with nothing safe or finalized; the answer or the error's code.
    pub(crate) fn choose(&self, head: B256) -> Result<ForkchoiceUpdated, i64> {
        self.choose_with(head, B256::ZERO, B256::ZERO, None)
    }

    pub(crate) fn choose_with(
        &self,
        head: B256,
        safe: B256,
        finalized: B256,
        attributes: Option<PayloadAttributes>,
    ) -> Result<ForkchoiceUpdated, i64> {
        let state = ForkchoiceState { head_block_hash: head, safe_block_hash: safe, finalized_block_hash: finalized };
        let params = ForkchoiceParams { state, attributes: attributes.map(Ok), custody_columns: None };
        self.node().forkchoice_updated(ForkchoiceVersion::V4, params).map_err(|error| error.code())
    }
}

fn run(place: &Place, settings: NodeSettings) -> Running {
    run_on(&genesis(), place, settings)
}

fn run_on(genesis: &Genesis, place: &Place, settings: NodeSettings) -> Running {
    let genesis = GenesisBlock::new(genesis).unwrap();
    let transaction_index = place.directories == 0;
    let storage =
        StorageSettings { durability: Durability::Process, worker_threads: 1, transaction_index, ..Default::default() };
    let flush_blocks = if place.kept_blocks < 32 { 1 } else { 32 };
    let chain_settings =
        ChainSettings { kept_blocks: place.kept_blocks, flush_blocks, storage, ..ChainSettings::default() };
    let executor = Arc::new(Executor::new(genesis.spec.clone(), 1, ExecutionMode::Auto).unwrap());
    let chain = Chain::open(&place.folder.path().join("chain"), &genesis, executor, chain_settings).unwrap();
    let pool = Arc::new(Pool::new(Limits::default(), pool_head(chain.view()).unwrap()));
    let directories: Vec<_> = (0..place.directories).map(|n| place.folder.path().join(format!("index{n}"))).collect();
    let index = balsa_txindex::Settings { directories, recent_records_max: 1 << 10 };
    let index = (!transaction_index).then(|| DirectoryIndex::open(&index, genesis.hash()).unwrap());
    Running::start(chain, pool, index, settings, Box::new(|_, _| ())).unwrap()
}

/// A signed transfer of one of the accounts that the development chain funds.
pub(crate) fn transfer(account: usize, nonce: u64) -> Vec<u8> {
    transfer_with_gas(account, nonce, 500_000)
}

/// The same with a gas limit.
pub(crate) fn transfer_with_gas(account: usize, nonce: u64, gas_limit: u64) -> Vec<u8> {
    let transaction = TxEip1559 {
        chain_id: genesis().spec.chain_id,
        nonce,
        gas_limit,
        max_fee_per_gas: 100_000_000_000,
        max_priority_fee_per_gas: 2_000_000_000,
        to: TxKind::Call(Address::repeat_byte(0xbb)),
        value: U256::from(1),
        ..TxEip1559::default()
    };
    let key = SecretKey::from_byte_array(KEYS[account].0).unwrap();
    let message = Message::from_digest(transaction.signature_hash().0);
    let (recovery, bytes) = SECP256K1.sign_ecdsa_recoverable(message, &key).serialize_compact();
    let (r, s) = (U256::from_be_slice(&bytes[..32]), U256::from_be_slice(&bytes[32..]));
    let signature = Signature::new(r, s, i32::from(recovery) == 1);
    TxEnvelope::from(transaction.into_signed(signature)).encoded_2718()
}

/// Of the phrase `test test test test test test test test test test test junk`.
const KEYS: [B256; 2] = [
    b256!("0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"),
    b256!("0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"),
];
