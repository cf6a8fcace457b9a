//! What is benchmarked: chain files, their lists, and the state that they build on.

use crate::{
    error::CommandError,
    input::{
        blocks::{self, ChainCount},
        chain_files::chain_files,
    },
    options::{self, GlobalOptions},
    progress::Progress,
};
use balsa_chain::GenesisBlock;
use balsa_workload::{
    fixture::{self, file},
    prepare::prepared,
    profile::Profile,
};
use std::{
    env,
    path::{Path, PathBuf},
};

/// The load that is taken without an argument: its chain is committed.
const DEFAULT: Profile = Profile::Quick;

/// The folder of the loads, below the workspace's root.
const FIXTURES: &str = "fixtures";

/// The most holders that a fixture's genesis file is read with.
const HOLDERS_IN_MEMORY_MAX: u64 = 500_000;

/// A chain to import.
pub(crate) struct Subject {
    /// Where it came from, for the report.
    pub(crate) name: String,
    /// The chain's genesis.
    pub(crate) genesis: GenesisBlock,
    /// Its files, in order.
    pub(crate) files: Vec<PathBuf>,
    /// The file of its lists.
    pub(crate) lists: Option<PathBuf>,
    /// What the files hold.
    pub(crate) count: ChainCount,
}

impl Subject {
    /// Finds the chain: a file or folder, or a load by name, which is generated when it is first asked for. A folder that
    /// holds a `genesis.json` is a fixture: it brings genesis, chain and lists, where the command line names no others.
    pub(crate) fn find(
        argument: Option<&Path>,
        lists: Option<&Path>,
        global: &GlobalOptions,
    ) -> Result<Self, CommandError> {
        let named = argument.and_then(Path::to_str).and_then(Profile::named);
        let path = match (argument, named) {
            (None, _) => load(DEFAULT)?,
            (Some(path), Some(profile)) if !path.exists() => load(profile)?,
            (Some(path), _) => path.to_owned(),
        };
        let fixture = path.join(file::GENESIS);
        let is_fixture = fixture.is_file();
        let genesis = match global.network() {
            None if is_fixture => genesis_of(&path)?,
            _ => GenesisBlock::new(&global.genesis()?)?,
        };
        let files = chain_files(&[if is_fixture { path.join(file::CHAIN) } else { path.clone() }])?;
        let own_lists = path.join(file::LISTS);
        let lists = lists.map(Path::to_owned).or_else(|| (is_fixture && own_lists.is_file()).then_some(own_lists));
        let count = blocks::count(&genesis.spec, &files)?;
        if count.blocks == 0 {
            return Err(CommandError::NoBlocks(path));
        }
        Ok(Self { name: path.display().to_string(), genesis, files, lists, count })
    }
}

/// The genesis of a fixture. Where its state is large the file is left alone, which would take a kilobyte of memory for
/// each account and slot: such a load is imported into a database that `workload --prepare` has made.
fn genesis_of(folder: &Path) -> Result<GenesisBlock, CommandError> {
    match fixture::params_of(folder).filter(|params| params.state.holders > HOLDERS_IN_MEMORY_MAX) {
        Some(params) => Ok(prepared(&params)?),
        None => Ok(GenesisBlock::new(&options::read_genesis(&folder.join(file::GENESIS))?)?),
    }
}

/// The folder of a load's chain: below the working directory, or below the workspace that the program was built in.
fn load(profile: Profile) -> Result<PathBuf, CommandError> {
    let built_in = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let here = env::current_dir().unwrap_or_default();
    let fixtures = [here, built_in]
        .into_iter()
        .map(|root| root.join(FIXTURES))
        .find(|fixtures| fixtures.is_dir())
        .ok_or(CommandError::NoFixtures(FIXTURES))?;
    let blocks = usize::try_from(profile.params().blocks).unwrap_or(usize::MAX);
    let progress = Progress::blocks("generate", blocks);
    Ok(fixture::ensure(profile, &fixtures, |_| progress.advance())?)
}
