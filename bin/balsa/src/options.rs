//! Flags that several commands share.

use crate::error::CommandError;
use balsa_chain::{ChainSettings, TrieMemory};
use balsa_chainspec::{Genesis, Network, genesis};
use balsa_executor::{ExecutionMode, Stages};
use clap::{ArgAction, Args, ValueEnum};
use std::{
    env, fs,
    io::Read,
    path::{Path, PathBuf},
};

/// What holds for every command.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Every command")]
pub(crate) struct GlobalOptions {
    /// A network's name (mainnet, sepolia, holesky, hoodi, dev) or a genesis file in geth's format
    /// [default: mainnet].
    #[arg(long, visible_alias = "chain", global = true, value_name = "NAME|FILE")]
    network: Option<String>,
    /// The network of a name, as geth has it.
    #[command(flatten)]
    named: NamedNetwork,
    /// Where the database lies [default: balsa/NETWORK in the user's directory for data].
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) datadir: Option<PathBuf>,
    /// Worker threads [default: one a core].
    #[arg(long, global = true, value_name = "N", value_parser = workers)]
    pub(crate) workers: Option<usize>,
    /// What is logged, and where.
    #[command(flatten)]
    pub(crate) log: LogOptions,
    /// How states are kept.
    #[command(flatten)]
    pub(crate) state: StateMemoryOptions,
}

/// Networks by flags of their own.
#[derive(Clone, Copy, Debug, Args)]
#[group(multiple = false, conflicts_with = "network")]
struct NamedNetwork {
    /// The same as --network mainnet.
    #[arg(long, global = true, hide = true)]
    mainnet: bool,
    /// The same as --network sepolia.
    #[arg(long, global = true, hide = true)]
    sepolia: bool,
    /// The same as --network holesky.
    #[arg(long, global = true, hide = true)]
    holesky: bool,
    /// The same as --network hoodi.
    #[arg(long, global = true, hide = true)]
    hoodi: bool,
}

impl NamedNetwork {
    fn name(self) -> Option<&'static str> {
        let Self { mainnet, sepolia, holesky, hoodi } = self;
        let all = [(mainnet, "mainnet"), (sepolia, "sepolia"), (holesky, "holesky"), (hoodi, "hoodi")];
        all.into_iter().find_map(|(is_named, name)| is_named.then_some(name))
    }
}

/// What is logged, and where.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Log")]
pub(crate) struct LogOptions {
    /// How much to say; geth's numbers 0 to 5 are taken too.
    #[arg(id = "log_level", long = "log.level", visible_alias = "verbosity", global = true, value_name = "LEVEL",
        value_enum, default_value_t = LogLevel::Info)]
    level: LogLevel,
    /// The same, as reth counts it: -vvv is info.
    #[arg(id = "log_v", short = 'v', global = true, action = ArgAction::Count, hide = true)]
    v: u8,
    /// How to say it.
    #[arg(id = "log_format", long = "log.format", alias = "log.stdout.format", global = true, value_name = "FORMAT",
        value_enum, default_value_t = LogFormat::Terminal)]
    pub(crate) format: LogFormat,
    /// Whether to say it in colour.
    #[arg(id = "log_color", long = "log.color", alias = "color", global = true, value_name = "WHEN",
        value_enum, default_value_t = LogColor::Auto)]
    pub(crate) color: LogColor,
    /// Say it in this file too; of a directory that is there it is balsa.log.
    #[arg(id = "log_file", long = "log.file", global = true, value_name = "FILE|DIR")]
    file: Option<PathBuf>,
    /// Say it in balsa.log of this directory too.
    #[arg(
        id = "log_dir",
        long = "log.dir",
        visible_alias = "log.file.directory",
        global = true,
        value_name = "DIR",
        conflicts_with = "log_file"
    )]
    dir: Option<PathBuf>,
    /// Megabytes of the file from which a new one is begun.
    #[arg(id = "log_maxsize", long = "log.maxsize", visible_alias = "log.file.max-size", global = true,
        value_name = "MB", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) file_megabytes_max: u64,
    /// Older files that are kept, as FILE.1, FILE.2 and so on.
    #[arg(
        id = "log_maxbackups",
        long = "log.maxbackups",
        visible_alias = "log.file.max-files",
        global = true,
        value_name = "N",
        default_value_t = 10
    )]
    pub(crate) files_max: usize,
    /// Taken for the sake of scripts that were written for geth: files are always bounded.
    #[arg(id = "log_rotate", long = "log.rotate", global = true, hide = true)]
    _rotate: bool,
}

/// The file of a directory for the log.
const LOG_FILE: &str = "balsa.log";

impl LogOptions {
    /// The file for the log, if there is to be one.
    pub(crate) fn file(&self) -> Option<PathBuf> {
        match (&self.file, &self.dir) {
            (Some(path), _) if path.is_dir() => Some(path.join(LOG_FILE)),
            (Some(path), _) => Some(path.clone()),
            (None, dir) => dir.as_ref().map(|dir| dir.join(LOG_FILE)),
        }
    }
}

/// How states are kept.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "State")]
pub(crate) struct StateMemoryOptions {
    /// Memory for states: the trie, recent blocks with their changes, what was read lately. Looked at after every block:
    /// what was not changed for long is left to the disk, and the oldest blocks are written early.
    #[arg(id = "state_cache_bytes", long = "state.cache-bytes", global = true, value_name = "BYTES",
        default_value_t = ChainSettings::default().state_bytes_max)]
    cache_bytes: u64,
    /// Keep the nodes of the trie in a file of this directory, mapped into memory, instead of anonymous memory. The
    /// file has no name there, and its room is free again when the process has ended.
    #[arg(id = "state_mmap_dir", long = "state.mmap-dir", global = true, value_name = "DIR")]
    mmap_dir: Option<PathBuf>,
}

impl StateMemoryOptions {
    /// The settings of chains.
    pub(crate) fn settings(&self) -> ChainSettings {
        ChainSettings {
            state_bytes_max: self.cache_bytes,
            trie_memory: self.mmap_dir.clone().map_or(TrieMemory::Anonymous, TrieMemory::FilesIn),
            ..ChainSettings::default()
        }
    }
}

/// How blocks are executed.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct ExecutionOptions {
    /// Execute blocks sequentially even where their access list is at hand.
    #[arg(long, alias = "engine.disable-bal-parallel-execution")]
    no_bal_parallel_exec: bool,
    /// Read parent values when a transaction needs them, not ahead in the order of the store.
    #[arg(long, alias = "engine.disable-bal-batch-io")]
    no_bal_prefetch: bool,
    /// Compute the state root after the transactions, not beside them.
    #[arg(long, alias = "engine.disable-bal-parallel-state-root")]
    no_bal_parallel_trie: bool,
    /// Taken for the sake of scripts that were written for ethrex: there is no cache of precompiles to switch off.
    #[arg(long, hide = true)]
    no_precompile_cache: bool,
}

impl ExecutionOptions {
    /// The executor's mode.
    pub(crate) fn mode(self) -> ExecutionMode {
        if self.no_bal_parallel_exec { ExecutionMode::Sequential } else { ExecutionMode::Auto }
    }

    /// What runs beside the transactions of a block with a list.
    pub(crate) fn stages(self) -> Stages {
        Stages { prefetch: !self.no_bal_prefetch, early_root: !self.no_bal_parallel_trie }
    }
}

/// How much to log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogLevel {
    #[value(alias = "0")]
    Off,
    #[value(alias = "1")]
    Error,
    #[value(alias = "2")]
    Warn,
    #[value(alias = "3")]
    Info,
    #[value(alias = "4")]
    Debug,
    #[value(alias = "5")]
    Trace,
}

/// The form of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// Lines for people.
    Terminal,
    /// A JSON object a line.
    Json,
}

/// Colour in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogColor {
    /// On a terminal.
    Auto,
    /// Everywhere.
    Always,
    /// Nowhere.
    Never,
}

/// The largest number of worker threads that makes sense on any machine.
const WORKERS_MAX: usize = 1_024;

/// The largest genesis file, in bytes.
const GENESIS_FILE_BYTES_MAX: u64 = genesis::GENESIS_BYTES_MAX as u64;

fn workers(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count @ 1..=WORKERS_MAX) => Ok(count),
        _ => Err(format!("not a number from 1 to {WORKERS_MAX}")),
    }
}

impl GlobalOptions {
    /// How much to log.
    pub(crate) fn log_level(&self) -> LogLevel {
        match self.log.v {
            0 => self.log.level,
            1 => LogLevel::Error,
            2 => LogLevel::Warn,
            3 => LogLevel::Info,
            4 => LogLevel::Debug,
            _ => LogLevel::Trace,
        }
    }

    /// What names the network, if anything does.
    pub(crate) fn network(&self) -> Option<&str> {
        self.network.as_deref().or_else(|| self.named.name())
    }

    /// The chain's genesis, of a named network or from a file.
    pub(crate) fn genesis(&self) -> Result<Genesis, CommandError> {
        match self.network() {
            None => Ok(Network::Mainnet.genesis()),
            Some(name) => match name.parse::<Network>() {
                Ok(network) => Ok(network.genesis()),
                Err(unknown) if !Path::new(name).exists() => Err(CommandError::Network(unknown)),
                Err(_) => read_genesis(Path::new(name)),
            },
        }
    }

    /// The database's directory.
    pub(crate) fn datadir(&self) -> Result<PathBuf, CommandError> {
        match &self.datadir {
            Some(given) => Ok(given.clone()),
            None => Ok(data_home().ok_or(CommandError::NoHome)?.join("balsa").join(self.network_dir())),
        }
    }

    /// The number of worker threads.
    pub(crate) fn workers(&self) -> usize {
        self.workers.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
    }

    /// The part of the default directory that keeps networks apart: the name of the network or of the genesis file.
    fn network_dir(&self) -> PathBuf {
        let name = self.network().unwrap_or(Network::Mainnet.name());
        Path::new(name).file_stem().unwrap_or(name.as_ref()).into()
    }
}

/// Reads a genesis file.
pub(crate) fn read_genesis(path: &Path) -> Result<Genesis, CommandError> {
    let io = |what| move |error| CommandError::file(path, what, error);
    let file = fs::File::open(path).map_err(io("open"))?;
    // The size is not asked for: a pipe or a device has none. One byte more than allowed is told from the rest by `parse`.
    let mut bytes = Vec::new();
    file.take(GENESIS_FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(io("read"))?;
    let genesis = genesis::parse(&bytes).map_err(|error| CommandError::Genesis { path: path.to_owned(), error })?;
    for key in &genesis.unknown_forks {
        tracing::warn!(file = %path.display(), key, "genesis schedules a fork that this version does not know");
    }
    Ok(genesis)
}

/// The user's directory for data, as the XDG specification finds it.
fn data_home() -> Option<PathBuf> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("XDG_DATA_HOME").or_else(|| Some(set("HOME")?.join(".local/share")))
}
