//! A chain begun from a genesis state that is larger than memory.

use std::{path::Path, sync::Arc};

use balsa_chainspec::ChainSpec;
use balsa_executor::SealedBlock;
use balsa_state::{Layer, StateDiff};
use balsa_storage::{Settings, StateChange, Store};
use balsa_trie::NodeChanges;

use crate::{ChainError, GenesisBlock, open::first_batch};

/// A directory that is being given its genesis state, part by part.
///
/// Dropped before [`Preparation::finish`], it leaves a directory in which no chain has begun.
pub struct Preparation {
    store: Store,
    genesis: GenesisBlock,
}

impl Preparation {
    /// Begins in `dir`, which is created.
    ///
    /// # Errors
    /// A directory that is not this chain's, or the file system.
    pub fn begin(dir: &Path, spec: Arc<ChainSpec>, block: SealedBlock, settings: Settings) -> Result<Self, ChainError> {
        let store = Store::open(dir, block.hash, spec.chain_id, settings)?;
        Ok(Self { store, genesis: GenesisBlock::stored(spec, block) })
    }

    /// Writes a part: accounts, slots and code that no part before it had, and the nodes as they are after it.
    ///
    /// # Errors
    /// The chain has begun in this directory already, or the file system.
    pub fn put(&self, diff: StateDiff, nodes: NodeChanges) -> Result<(), ChainError> {
        Ok(self.store.preload(&StateChange { layer: Arc::new(Layer::new(diff)), nodes: Arc::new(nodes) })?)
    }

    /// Begins the chain with its genesis block; the state must be whole. What comes back opens the directory.
    ///
    /// # Errors
    /// The file system.
    pub fn finish(self) -> Result<GenesisBlock, ChainError> {
        self.store.flush(&first_batch(&self.genesis, Vec::new()))?;
        Ok(self.genesis)
    }
}
