//! A chain in memory, for tests: every state is kept, nothing touches a disk.

use std::{collections::HashMap, path::PathBuf, sync::Arc};

use alloy_consensus::Header;
use alloy_primitives::{B256, Bytes};
use balsa_chainspec::Genesis;
use balsa_evm::BlockHashes;
use balsa_executor::{ExecuteError, ExecutedBlock, ExecutionMode, Executor, Parent, SealedBlock, genesis_state};
use balsa_state::{Layer, MemoryStore, State};
use balsa_trie::{NoNodes, StateTrie};

/// Blocks by hash, each with the state after it.
pub struct MemoryChain {
    pub executor: Executor,
    blocks: HashMap<B256, (Header, State, StateTrie)>,
}

impl MemoryChain {
    pub fn new(genesis: &Genesis, threads: usize) -> Self {
        let executor = Executor::new(Arc::new(genesis.spec.clone()), threads, ExecutionMode::Auto).unwrap();
        let start = genesis_state(genesis).unwrap();
        let mut store = MemoryStore::default();
        store.apply(&start.diff);
        let hash = start.block.hash;
        let first = (start.block.header, State::new(Arc::new(store)), start.trie);
        Self { executor, blocks: HashMap::from([(hash, first)]) }
    }

    pub fn parent(&self, hash: B256) -> Parent {
        let (header, state, trie) = &self.blocks[&hash];
        let hashes = self.ancestors(hash);
        let hashes = BlockHashes::new(header.number + 1, hash, move |number| hashes.get(&number).copied());
        Parent {
            header: header.clone(),
            hash,
            state: state.clone(),
            trie: trie.clone(),
            nodes: Arc::new(NoNodes),
            hashes: Arc::new(hashes),
        }
    }

    pub fn execute(
        &self,
        mode: ExecutionMode,
        block: &SealedBlock,
        list: Option<Bytes>,
    ) -> Result<ExecutedBlock, ExecuteError> {
        let parent = self.parent(block.header.parent_hash);
        self.executor.with_mode(mode).execute(block, list, &parent)
    }

    pub fn insert(&mut self, block: &SealedBlock, executed: &ExecutedBlock) {
        let state = self.blocks[&block.header.parent_hash].1.child(Arc::new(Layer::new(executed.diff.clone())));
        self.blocks.insert(block.hash, (block.header.clone(), state, executed.trie.clone()));
    }

    fn ancestors(&self, mut hash: B256) -> HashMap<u64, B256> {
        let mut hashes = HashMap::new();
        while let Some((header, ..)) = self.blocks.get(&hash).filter(|_| hashes.len() < 256) {
            hashes.insert(header.number, hash);
            hash = header.parent_hash;
        }
        hashes
    }
}

/// Two results of one block, part by part: the message says which part differs.
pub fn assert_equal(left: &ExecutedBlock, right: &ExecutedBlock) {
    assert_eq!(left.receipts, right.receipts, "receipts");
    assert_eq!(left.gas_used, right.gas_used, "gas used");
    assert_eq!(left.requests, right.requests, "requests");
    assert_eq!(left.list, right.list, "list");
    assert_eq!(left.diff, right.diff, "state change");
    assert_eq!(left.trie.root(), right.trie.root(), "state root");
}

/// Where the official vectors are, if they are: `BALSA_VECTORS`, beside the workspace, or in it.
pub fn vectors(name: &str) -> Option<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let named = std::env::var_os("BALSA_VECTORS").map(PathBuf::from);
    let places = named.into_iter().chain([root.join("../shared/vectors"), root.join("fixtures/vectors")]);
    let found = places.map(|place| place.join(name)).find(|path| path.exists());
    if found.is_none() {
        assert!(std::env::var_os("BALSA_VECTORS_REQUIRED").is_none(), "{name} is required and not there");
        #[expect(clippy::print_stderr, reason = "the one line that says what was not run")]
        {
            eprintln!("{name} not found: set BALSA_VECTORS, or run scripts/vectors");
        }
    }
    found
}
