//! What is benchmarked: chain files, their lists, and the state that they build on.

use crate::{
    error::CommandError,
    input::{
        blocks::{self, ChainCount},
        chain_files::chain_files,
    },
    options::{self, GlobalOptions},
};
use balsa_chainspec::Genesis;
use std::{
    env,
    path::{Path, PathBuf},
};

/// The folder of the fixture that is taken without an argument, below the workspace's root.
const DEFAULT_FIXTURE: &str = "fixtures/quick";

/// The files of a fixture's folder.
const GENESIS_FILE: &str = "genesis.json";
const CHAIN_FILE: &str = "chain.rlp";
const LISTS_FILE: &str = "lists.rlp";

/// A chain to import.
pub(crate) struct Subject {
    /// Where it came from, for the report.
    pub(crate) name: String,
    /// The chain's genesis.
    pub(crate) genesis: Genesis,
    /// Its files, in order.
    pub(crate) files: Vec<PathBuf>,
    /// The file of its lists.
    pub(crate) lists: Option<PathBuf>,
    /// What the files hold.
    pub(crate) count: ChainCount,
}

impl Subject {
    /// Finds the chain: the argument's, or the committed fixture's. A folder that holds a `genesis.json` is a fixture:
    /// it brings genesis, chain and lists, where the command line names no others.
    pub(crate) fn find(
        argument: Option<&Path>,
        lists: Option<&Path>,
        global: &GlobalOptions,
    ) -> Result<Self, CommandError> {
        let path = match argument {
            Some(path) => path.to_owned(),
            None => default_fixture()?,
        };
        let fixture = path.join(GENESIS_FILE);
        let is_fixture = fixture.is_file();
        let genesis = match &global.network {
            None if is_fixture => options::read_genesis(&fixture)?,
            _ => global.genesis()?,
        };
        let files = chain_files(&[if is_fixture { path.join(CHAIN_FILE) } else { path.clone() }])?;
        let own_lists = path.join(LISTS_FILE);
        let lists = lists.map(Path::to_owned).or_else(|| (is_fixture && own_lists.is_file()).then_some(own_lists));
        let count = blocks::count(&genesis.spec, &files)?;
        if count.blocks == 0 {
            return Err(CommandError::NoBlocks(path));
        }
        Ok(Self { name: path.display().to_string(), genesis, files, lists, count })
    }
}

/// The fixture below the working directory, or below the workspace that the program was built in.
fn default_fixture() -> Result<PathBuf, CommandError> {
    let built_in = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let here = env::current_dir().unwrap_or_default();
    [here, built_in]
        .into_iter()
        .map(|root| root.join(DEFAULT_FIXTURE))
        .find(|path| path.join(GENESIS_FILE).is_file())
        .ok_or(CommandError::NoFixture(DEFAULT_FIXTURE))
}
