//! The chains that geth made, as blocks; and a chain opened on them.

#![allow(dead_code, reason = "each test file uses another part")]

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use alloy_consensus::Header;
use alloy_primitives::{B256, Bytes};
use balsa_chain::{Chain, ChainError, ChainSettings, GenesisBlock, ImportOutcome};
use balsa_chainspec::genesis;
use balsa_executor::{ExecutionMode, Executor, SealedBlock};
use balsa_storage::{Durability, Settings};

/// A chain file with its genesis and the head that its makers name.
pub(crate) struct RealChain {
    pub(crate) genesis: GenesisBlock,
    pub(crate) blocks: Vec<SealedBlock>,
    pub(crate) head: B256,
}

/// 600 blocks to Prague.
pub(crate) fn to_prague() -> RealChain {
    RealChain::read("devp2p-chain")
}

/// 54 blocks, from proof of work through the merge to the second blob schedule.
pub(crate) fn through_the_merge() -> RealChain {
    RealChain::read("execution-apis/tests")
}

impl RealChain {
    fn read(folder: &str) -> Self {
        let folder = vectors().join(folder);
        let read = |name: &str| {
            let path = folder.join(name);
            std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        };
        let genesis = genesis::parse(&read("genesis.json")).unwrap();
        let bytes = read("chain.rlp");
        let mut rest = &bytes[..];
        let mut blocks = Vec::new();
        while !rest.is_empty() {
            blocks.push(SealedBlock::decode_next(&mut rest).unwrap());
        }
        let fork_choice = String::from_utf8(read("headfcu.json")).unwrap();
        let head = fork_choice.split("\"headBlockHash\": \"").nth(1).and_then(|text| text.get(..66));
        let head = head.expect("a head hash").parse().unwrap();
        Self { genesis: GenesisBlock::new(&genesis).unwrap(), blocks, head }
    }

    /// The chain in `dir`, as far as it is there.
    pub(crate) fn open(&self, dir: &Path, settings: ChainSettings) -> Result<Chain, ChainError> {
        let executor = Executor::new(self.genesis.spec.clone(), 1, ExecutionMode::Auto).unwrap();
        Chain::open(dir, &self.genesis, Arc::new(executor), settings)
    }
}

/// Imports a block that is valid and extends the head, and makes it the head.
pub(crate) fn import_next(chain: &mut Chain, block: &SealedBlock) {
    let (outcome, change) = chain.import_and_choose(block.clone(), None).unwrap();
    let number = block.header.number;
    assert!(
        matches!(&outcome, ImportOutcome::Imported(imported) if imported.extends_head),
        "block {number}: {outcome:?}"
    );
    assert_eq!(change.map(|change| change.new.hash), Some(block.hash), "block {number}");
}

/// Few blocks in memory, so that much of a short chain goes to the disk.
pub(crate) fn small() -> ChainSettings {
    let storage = Settings { durability: Durability::Process, worker_threads: 1, ..Settings::default() };
    ChainSettings { kept_blocks: 8, flush_blocks: 4, storage, ..ChainSettings::default() }
}

pub(crate) fn vectors() -> PathBuf {
    if let Some(folder) = std::env::var_os("BALSA_VECTORS") {
        return folder.into();
    }
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let shared = workspace.join("../shared/vectors");
    if shared.exists() { shared } else { workspace.join("fixtures/vectors") }
}

/// The same blocks on another parent and under other extra data: a branch that is as valid as the original, as long as
/// nothing in it reads the hash of a block.
pub(crate) fn branch(blocks: &[SealedBlock], parent: B256, name: &[u8]) -> Vec<SealedBlock> {
    let mut parent_hash = parent;
    let on_parent = |block: &SealedBlock| {
        let SealedBlock { header, transactions, ommers, withdrawals, .. } = block.clone();
        let header = Header { parent_hash, extra_data: Bytes::copy_from_slice(name), ..header };
        let block = SealedBlock::from_parts(header, transactions, ommers, withdrawals);
        parent_hash = block.hash;
        block
    };
    blocks.iter().map(on_parent).collect()
}

/// A block with another header, as if its maker had erred.
pub(crate) fn altered(block: &SealedBlock, alter: impl FnOnce(&mut Header)) -> SealedBlock {
    let SealedBlock { mut header, transactions, ommers, withdrawals, .. } = block.clone();
    alter(&mut header);
    SealedBlock::from_parts(header, transactions, ommers, withdrawals)
}
