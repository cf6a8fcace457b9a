//! Builds the parts of the program, each crate once, in a straight line: genesis, executor, chain.

use crate::{error::CommandError, options::GlobalOptions};
use balsa_chain::{Chain, ChainSettings, GenesisBlock};
use balsa_executor::{ExecutionMode, Executor, Stages};
use balsa_storage::{Identity, Settings, Store};
use std::{path::Path, sync::Arc};

/// What chains are built from: made once, used for any number of them.
pub(crate) struct Parts {
    /// The first block with its state.
    pub(crate) genesis: GenesisBlock,
    /// What executes blocks.
    pub(crate) executor: Executor,
}

impl Parts {
    /// The parts that the command line asks for.
    pub(crate) fn new(global: &GlobalOptions, genesis: &balsa_chainspec::Genesis) -> Result<Self, CommandError> {
        Self::on(global, GenesisBlock::new(genesis)?)
    }

    /// The same on a genesis block that is there already.
    pub(crate) fn on(global: &GlobalOptions, genesis: GenesisBlock) -> Result<Self, CommandError> {
        let executor = Executor::new(genesis.spec.clone(), global.workers(), ExecutionMode::Auto)?;
        Ok(Self { genesis, executor })
    }

    /// The same with parts of the parallel path switched off.
    pub(crate) fn with_stages(self, stages: Stages) -> Self {
        Self { executor: self.executor.with_stages(stages), ..self }
    }

    /// Opens the chain in `dir`, or begins it there.
    pub(crate) fn open(&self, dir: &Path, mode: ExecutionMode) -> Result<Chain, CommandError> {
        let executor = Arc::new(self.executor.with_mode(mode));
        Ok(Chain::open(dir, &self.genesis, executor, ChainSettings::default())?)
    }
}

/// Opens the database that is there, without a chain on it. Whose chain it is stands in it, so no genesis is needed,
/// unless the command line names a network: then it must be that one.
pub(crate) fn existing_store(global: &GlobalOptions) -> Result<Store, CommandError> {
    let dir = global.datadir()?;
    let found = Identity::read(&dir)?.ok_or_else(|| CommandError::NoDatabase(dir.clone()))?;
    let expected = match &global.network {
        None => found,
        Some(_) => {
            let genesis = GenesisBlock::new(&global.genesis()?)?;
            Identity::new(genesis.spec.chain_id, genesis.hash())
        }
    };
    Ok(Store::open(&dir, expected.genesis_hash, expected.chain_id, Settings::default())?)
}
