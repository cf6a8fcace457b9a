//! From flags to a running node, and to its end.

use super::{dev, identity::enode, options::Node, report::Reporter, slow_block::SlowBlocks};
use crate::{
    bench::stage_recorder::{StageRecorder, StageSpans},
    commands::version,
    error::CommandError,
    interrupt::Interrupt,
    launch::{LaunchedNode, NodePlan, Parts},
    logging,
    metrics::Metrics,
    options::GlobalOptions,
};
use balsa_chain::ChainSettings;
use balsa_chainspec::{ChainSpec, Genesis, Network};
use balsa_node::Observer;
use balsa_rpc::MetricsServer;
use std::{path::PathBuf, process::ExitCode};
use tempfile::TempDir;
use tracing_subscriber::Layer;

/// The data directory that lies in memory, or as near to it as the system's temporary files are.
const IN_MEMORY: &str = "memory";

impl Node {
    /// Runs the node until the user ends it.
    pub(crate) fn run(&self, global: &GlobalOptions) -> Result<ExitCode, CommandError> {
        let metrics = Metrics::new();
        let observer = self.start_logging(global, &metrics)?;
        let interrupt = Interrupt::listen().map_err(CommandError::Signals)?;
        self.warn_of_flags();
        let genesis = self.genesis(global)?;
        let place = Place::find(self, global)?;
        let parts = Parts::new(global, &genesis)?.with_stages(self.execution.stages());
        say_what_starts(&parts, &place);
        let doors = || self.doors.settings(&place.dir, !self.dev.is_on);
        let launched = self.plan(&place, &genesis, parts.settings.clone(), observer)?.launch(&parts, doors)?;
        let metrics = self.serve_metrics(metrics, &launched)?;
        say_where(&launched, metrics.as_ref());
        if self.dev.is_on {
            dev::print_accounts(&genesis).map_err(CommandError::Output)?;
        }

        interrupt.wait().map_err(CommandError::Signals)?;
        tracing::info!("shutting down");
        drop(metrics);
        let ended_well = launched.shut_down();
        tracing::info!("good bye");
        Ok(if ended_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    /// The log's lines and the metrics; stages are recorded for both.
    fn start_logging(&self, global: &GlobalOptions, metrics: &Metrics) -> Result<Observer, CommandError> {
        let recorder = StageRecorder::default();
        logging::start(global, recorder.clone().with_filter(StageSpans))?;
        let slow_blocks = self.watching.slow_block().map(SlowBlocks::new);
        let mut reporter = Reporter { metrics: metrics.clone(), recorder, slow_blocks };
        Ok(Box::new(move |chain, report| reporter.report(chain, &report)))
    }

    /// Serves metrics, if they are asked for.
    fn serve_metrics(&self, metrics: Metrics, launched: &LaunchedNode) -> Result<Option<MetricsServer>, CommandError> {
        let Some(address) = self.watching.metrics_address()? else { return Ok(None) };
        let node = launched.running.node().clone();
        let server = MetricsServer::start(address, move || metrics.text(Some(&node)))
            .map_err(|error| CommandError::Metrics { address, error })?;
        Ok(Some(server))
    }

    fn genesis(&self, global: &GlobalOptions) -> Result<Genesis, CommandError> {
        if self.dev.is_on && global.network().is_none() {
            return Ok(Network::Dev.genesis());
        }
        global.genesis()
    }

    fn plan(
        &self,
        place: &Place,
        genesis: &Genesis,
        common: ChainSettings,
        observer: Observer,
    ) -> Result<NodePlan, CommandError> {
        let journal = self.pool.journal.clone().unwrap_or_else(|| place.dir.join("transactions.journal"));
        let index = self.pool.index_dirs.as_deref().map(balsa_txindex::Settings::parse).transpose()?;
        let network_id = self.network.network_id.unwrap_or(genesis.spec.chain_id);
        Ok(NodePlan {
            dir: place.dir.clone(),
            mode: self.execution.mode(),
            chain: self.chain_settings(common),
            pool: self.pool_limits(),
            journal: (!self.pool.no_journal).then_some(journal),
            index,
            node: self.settings(),
            methods: self.methods.settings(network_id, enode(&place.dir)?),
            sealing: self.dev.settings(),
            observer,
        })
    }
}

/// Where the node keeps what it keeps.
struct Place {
    dir: PathBuf,
    /// Removed at the end.
    _scratch: Option<TempDir>,
}

impl Place {
    fn find(node: &Node, global: &GlobalOptions) -> Result<Self, CommandError> {
        let named = global.datadir.as_ref();
        let in_memory = named.is_some_and(|dir| dir.as_os_str() == IN_MEMORY) || named.is_none() && node.dev.is_on;
        if in_memory {
            let scratch = tempfile::Builder::new().prefix("balsa-").tempdir().map_err(CommandError::Scratch)?;
            return Ok(Self { dir: scratch.path().to_owned(), _scratch: Some(scratch) });
        }
        Ok(Self { dir: global.datadir()?, _scratch: None })
    }
}

fn say_what_starts(parts: &Parts, place: &Place) {
    let spec: &ChainSpec = &parts.genesis.spec;
    let hash = parts.genesis.hash();
    tracing::info!(version = version::LINE, datadir = %place.dir.display(), "balsa starts");
    tracing::info!(chain_id = spec.chain_id, genesis = %hash, "chain");
}

fn say_where(launched: &LaunchedNode, metrics: Option<&MetricsServer>) {
    let view = launched.running.node().view();
    let head = view.head();
    tracing::info!(number = head.number(), hash = %head.hash(), state_from = view.root().number(), "head");
    let addresses = launched.server.addresses();
    let or_none = |address: Option<std::net::SocketAddr>| address.map_or("none".to_owned(), |at| at.to_string());
    let ipc = addresses.ipc.as_ref().map_or("none".to_owned(), |path| path.display().to_string());
    tracing::info!(
        http = or_none(addresses.http),
        ws = or_none(addresses.ws),
        engine = or_none(addresses.auth),
        ipc,
        metrics = or_none(metrics.map(MetricsServer::address)),
        "ready"
    );
}
