//! How a command fails, and with which exit code.

use crate::input::InputError;
use alloy_primitives::B256;
use balsa_chain::ChainError;
use balsa_chainspec::{GenesisError, UnknownNetwork};
use balsa_storage::{DirectoryError, OpenError, StoreError, VerifyTrieError};
use std::{
    io,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Why a command fails. Each message names the file, and the block and its rule where there is one.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    /// A file cannot be read or written.
    #[error("{}: cannot {what}: {error}", path.display())]
    File { path: PathBuf, what: &'static str, error: io::Error },
    /// Blocks or lists cannot be read.
    #[error(transparent)]
    Input(#[from] InputError),
    /// There is no such network, and no such file.
    #[error("{0}, and no file of this name exists")]
    Network(UnknownNetwork),
    /// A genesis file is not sound.
    #[error("{}: {error}", path.display())]
    Genesis { path: PathBuf, error: GenesisError },
    /// There is no directory for the database.
    #[error("no --datadir is given, and neither XDG_DATA_HOME nor HOME is set")]
    NoHome,
    /// The database cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The database cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The trie in the database is not what its flat state gives, or cannot be compared with it.
    #[error(transparent)]
    Trie(#[from] VerifyTrieError),
    /// A database's directory cannot be removed or forked.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The genesis state has no root.
    #[error("genesis state: {0}")]
    GenesisState(#[from] balsa_trie::TrieError),
    /// The system gives no threads.
    #[error("threads: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
    /// The chain could not do its work.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// A block is refused.
    #[error("{}: block {number} {hash}: {rule}", file.display())]
    Block { file: PathBuf, number: u64, hash: B256, rule: String },
    /// A chain file begins with another genesis block.
    #[error("{}: block 0 {found} is not this chain's, which is {expected}", file.display())]
    OtherGenesis { file: PathBuf, found: B256, expected: B256 },
    /// There is nothing to import.
    #[error("{}: holds no block but the genesis block", .0.display())]
    NoBlocks(PathBuf),
    /// There is no place for the loads that come with the program.
    #[error("no {0} folder below the working directory: name a chain file, or run from the repository's root")]
    NoFixtures(&'static str),
    /// A load's chain cannot be made or used.
    #[error(transparent)]
    Fixture(#[from] balsa_workload::fixture::FixtureError),
    /// A load cannot be made.
    #[error(transparent)]
    Workload(#[from] balsa_workload::command::CommandError),
    /// A load's genesis state could not be made.
    #[error(transparent)]
    Prepare(#[from] balsa_workload::prepare::PrepareError),
    /// The parallel executor was wrong about valid blocks.
    #[error("the parallel executor failed on {0} valid blocks; the log says why")]
    Fallback(usize),
    /// There is no database.
    #[error("{}: there is no database", .0.display())]
    NoDatabase(PathBuf),
    /// Nobody confirmed that the database may be deleted.
    #[error("{}: not deleted; --force deletes without asking", .0.display())]
    NotConfirmed(PathBuf),
    /// Blocks are asked for that the chain does not have.
    #[error("blocks {first} to {last} are no part of a chain that ends at block {head}")]
    Range { first: u64, last: u64, head: u64 },
    /// A block of the canonical chain is not in the database.
    #[error("block {number} is not in the database")]
    BlockGone { number: u64 },
    /// A block's access list is kept for a time only.
    #[error("the access list of block {number} is not in the database any more")]
    ListGone { number: u64 },
    /// The system refuses to tell of signals.
    #[error("cannot listen for signals: {0}")]
    Signals(io::Error),
    /// There is no place for the runs of a benchmark.
    #[error("cannot make a directory for the runs: {0}")]
    Scratch(io::Error),
    /// The system does not say how much memory was used.
    #[error("cannot read the peak memory: {0}")]
    Memory(io::Error),
    /// An address is none.
    #[error("--{flag} {host}: no such address")]
    Address { flag: &'static str, host: String },
    /// A file of a secret, the Engine API's or the node's own, cannot be used.
    #[error("secret: {0}")]
    Secret(#[from] balsa_rpc::SecretFileError),
    /// The node cannot be reached where it is to be.
    #[error(transparent)]
    Doors(#[from] balsa_rpc::StartError),
    /// The metrics cannot be served where they are to be.
    #[error("metrics on {address}: {error}")]
    Metrics { address: std::net::SocketAddr, error: io::Error },
    /// The node cannot be started.
    #[error(transparent)]
    Node(#[from] balsa_node::StartError),
    /// A part of the node gets no thread.
    #[error("threads: {0}")]
    NodeThreads(io::Error),
    /// The directories of the transaction index are not well named.
    #[error("--txindex.dirs: {0}")]
    IndexDirectories(#[from] balsa_txindex::SettingsError),
    /// The transaction index cannot be opened.
    #[error("transaction index: {0}")]
    Index(#[from] balsa_txindex::IndexError),
    /// The chain's head has no state.
    #[error("the state of the head is not in the database")]
    HeadState,
    /// Standard output is gone.
    #[error("standard output: {0}")]
    Output(io::Error),
    /// The user pressed ^C.
    #[error("interrupted")]
    Interrupted,
}

impl CommandError {
    /// A file that cannot be read or written.
    pub(crate) fn file(path: &Path, what: &'static str, error: io::Error) -> Self {
        Self::File { path: path.to_owned(), what, error }
    }

    /// Prints the error and gives the exit code: 2 for what the caller asked wrongly, as with a wrong flag; 130 after
    /// ^C, as shells have it; 1 for everything else.
    #[expect(clippy::print_stderr, reason = "the last words of the program")]
    pub(crate) fn report(&self) -> ExitCode {
        eprintln!("balsa: {self}");
        ExitCode::from(match self {
            Self::Network(_) | Self::NoHome | Self::NoFixtures(_) | Self::Range { .. } => 2,
            Self::Address { .. } | Self::IndexDirectories(_) => 2,
            Self::Interrupted => 130,
            _ => 1,
        })
    }
}
