//! Builds the parts of the program, each crate once, in a straight line: genesis, executor, chain.

use crate::{error::CommandError, options::GlobalOptions};
use balsa_chain::{Chain, ChainSettings, GenesisBlock};
use balsa_executor::{ExecutionMode, Executor, Stages};
use balsa_node::{DevSettings, NodeSettings, Observer, Running, Sealer, pool_head};
use balsa_rpc::{Context, Server, ServerSettings};
use balsa_storage::{Identity, Settings, Store};
use balsa_txindex::DirectoryIndex;
use balsa_txpool::{Limits, Pool};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// What chains are built from: made once, used for any number of them.
pub(crate) struct Parts {
    /// The first block with its state.
    pub(crate) genesis: GenesisBlock,
    /// What executes blocks.
    pub(crate) executor: Executor,
    /// How chains are kept.
    pub(crate) settings: ChainSettings,
}

impl Parts {
    /// The parts that the command line asks for.
    pub(crate) fn new(global: &GlobalOptions, genesis: &balsa_chainspec::Genesis) -> Result<Self, CommandError> {
        Self::on(global, GenesisBlock::new(genesis)?)
    }

    /// The same on a genesis block that is there already.
    pub(crate) fn on(global: &GlobalOptions, genesis: GenesisBlock) -> Result<Self, CommandError> {
        let executor = Executor::new(genesis.spec.clone(), global.workers(), ExecutionMode::Auto)?;
        Ok(Self { genesis, executor, settings: global.state.settings() })
    }

    /// The same with parts of the parallel path switched off.
    pub(crate) fn with_stages(self, stages: Stages) -> Self {
        Self { executor: self.executor.with_stages(stages), ..self }
    }

    /// Opens the chain in `dir`, or begins it there.
    pub(crate) fn open(&self, dir: &Path, mode: ExecutionMode) -> Result<Chain, CommandError> {
        self.open_with(dir, mode, self.settings.clone())
    }

    fn open_with(&self, dir: &Path, mode: ExecutionMode, settings: ChainSettings) -> Result<Chain, CommandError> {
        let executor = Arc::new(self.executor.with_mode(mode));
        Ok(Chain::open(dir, &self.genesis, executor, settings)?)
    }
}

/// What a node is built from, apart from its genesis.
pub(crate) struct NodePlan {
    /// Where the database lies.
    pub(crate) dir: PathBuf,
    /// How blocks are executed.
    pub(crate) mode: ExecutionMode,
    /// How the chain is kept.
    pub(crate) chain: ChainSettings,
    /// What the pool holds.
    pub(crate) pool: Limits,
    /// Where transactions outlast a restart, if they are to.
    pub(crate) journal: Option<PathBuf>,
    /// The transaction index, if it has directories of its own.
    pub(crate) index: Option<balsa_txindex::Settings>,
    /// How the node behaves.
    pub(crate) node: NodeSettings,
    /// What the methods allow.
    pub(crate) methods: balsa_rpc::Settings,
    /// How blocks are sealed without a consensus client.
    pub(crate) sealing: Option<DevSettings>,
    /// Who is told of blocks.
    pub(crate) observer: Observer,
}

/// A node with open doors.
pub(crate) struct LaunchedNode {
    pub(crate) running: Running,
    pub(crate) server: Server,
    pub(crate) sealer: Option<Sealer>,
}

impl NodePlan {
    /// Builds the node, lowest part first, and opens its doors last. What the doors are is asked then: their secret is
    /// made in the database's directory, which is the database's own until there is one.
    pub(crate) fn launch(
        self,
        parts: &Parts,
        doors: impl FnOnce() -> Result<ServerSettings, CommandError>,
    ) -> Result<LaunchedNode, CommandError> {
        let chain = parts.open_with(&self.dir, self.mode, self.chain)?;
        let head = pool_head(chain.view()).ok_or(CommandError::HeadState)?;
        let pool = Arc::new(Pool::new(self.pool, head));
        if let Some(path) = &self.journal {
            match pool.open_journal(path) {
                Ok(0) => {}
                Ok(count) => tracing::info!(count, "took up transactions of the last run"),
                Err(error) => tracing::warn!(%error, "transactions will not outlast a restart"),
            }
        }
        let index = self.index.map(|settings| DirectoryIndex::open(&settings, parts.genesis.hash())).transpose()?;
        let running = Running::start(chain, pool, index, self.node, self.observer)?;
        let context = Context::new(running.node().clone(), self.methods);
        let server = Server::start(Arc::new(context), doors()?)?;
        let start = |settings| Sealer::start(running.node().clone(), settings).map_err(CommandError::NodeThreads);
        let sealer = self.sealing.map(start).transpose()?;
        Ok(LaunchedNode { running, server, sealer })
    }
}

impl LaunchedNode {
    /// Shuts the doors, then ends what is behind them; `false` if the writer had ended before.
    pub(crate) fn shut_down(self) -> bool {
        self.server.stop();
        let ended_well = self.running.shut_down();
        if let Some(sealer) = self.sealer {
            sealer.join();
        }
        ended_well
    }
}

/// Opens the database that is there, without a chain on it. Whose chain it is stands in it, so no genesis is needed,
/// unless the command line names a network: then it must be that one.
pub(crate) fn existing_store(global: &GlobalOptions) -> Result<Store, CommandError> {
    let dir = global.datadir()?;
    let found = Identity::read(&dir)?.ok_or_else(|| CommandError::NoDatabase(dir.clone()))?;
    let expected = match global.network() {
        None => found,
        Some(_) => {
            let genesis = GenesisBlock::new(&global.genesis()?)?;
            Identity::new(genesis.spec.chain_id, genesis.hash())
        }
    };
    Ok(Store::open(&dir, expected.genesis_hash, expected.chain_id, Settings::default())?)
}
