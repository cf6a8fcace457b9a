//! Chains to ask.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use alloy_primitives::Bytes;
use balsa_chain::{Chain, ChainSettings, GenesisBlock};
use balsa_chainspec::genesis;
use balsa_executor::{ExecutionMode, Executor, SealedBlock};
use balsa_storage::{Durability, Settings};

/// A chain with every block imported, and every state kept.
pub(crate) struct TestChain {
    pub(crate) chain: Chain,
    pub(crate) blocks: Vec<SealedBlock>,
    _dir: tempfile::TempDir,
}

impl TestChain {
    /// The chain of a folder with genesis.json, chain.rlp and perhaps bals.rlp.
    pub(crate) fn open(folder: &Path) -> Self {
        let read = |name: &str| std::fs::read(folder.join(name));
        let genesis = genesis::parse(&read("genesis.json").unwrap()).unwrap();
        let genesis = GenesisBlock::new(&genesis).unwrap();
        let executor = Executor::new(genesis.spec.clone(), 1, ExecutionMode::Auto).unwrap();
        let storage = Settings { durability: Durability::Process, worker_threads: 1, ..Settings::default() };
        let settings = ChainSettings { kept_blocks: 256, flush_blocks: 256, storage, ..ChainSettings::default() };
        let dir = tempfile::tempdir().unwrap();
        let mut chain = Chain::open(dir.path(), &genesis, Arc::new(executor), settings).unwrap();
        let (bytes, lists) = (read("chain.rlp").unwrap(), read("bals.rlp").unwrap_or_default());
        let (mut rest, mut lists) = (&bytes[..], &lists[..]);
        let mut blocks = Vec::new();
        while !rest.is_empty() {
            let block = SealedBlock::decode_next(&mut rest).unwrap();
            chain.import_and_choose(block.clone(), next_item(&mut lists)).unwrap();
            blocks.push(block);
        }
        assert_eq!(chain.view().head().hash(), blocks.last().unwrap().hash);
        Self { chain, blocks, _dir: dir }
    }

    /// Twelve blocks under Amsterdam's rules, with lists.
    pub(crate) fn amsterdam() -> Self {
        Self::open(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/quick"))
    }
}

/// The bytes of the next RLP item.
fn next_item(rest: &mut &[u8]) -> Option<Bytes> {
    let before = *rest;
    let header = alloy_rlp::Header::decode(rest).ok()?;
    *rest = &rest[header.payload_length..];
    Some(Bytes::copy_from_slice(&before[..before.len() - rest.len()]))
}

/// The request and response files of execution-apis, with their chain.
pub(crate) fn vectors() -> PathBuf {
    let folder = std::env::var_os("BALSA_VECTORS").map(PathBuf::from).unwrap_or_else(|| {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let shared = workspace.join("../shared/vectors");
        if shared.exists() { shared } else { workspace.join("fixtures/vectors") }
    });
    folder.join("execution-apis/tests")
}
