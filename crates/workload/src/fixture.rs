//! Fixtures on disk: a folder with the genesis file, the chain and its lists.
//!
//! - `params.toml`: what the rest follows from.
//! - `genesis.json`: geth's format.
//! - `chain.rlp`: the blocks' RLP, one after the other, without the genesis block.
//! - `bals.rlp`: the lists' RLP, one for each block that has one; missing under forks without lists.
//! - `head`: the hash of the last block, written last: a folder without it was never finished.
//!
//! Small fixtures are committed; large ones are made on first use and held against the committed hash of their head.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use alloy_primitives::B256;

use crate::generate::{GenerateError, Summary, generate};
use crate::genesis;
use crate::params::{Params, ParamsError};
use crate::profile::Profile;
use crate::world::World;

/// File names within a fixture's folder.
pub mod file {
    /// The parameters.
    pub const PARAMS: &str = "params.toml";
    /// The genesis file.
    pub const GENESIS: &str = "genesis.json";
    /// The chain.
    pub const CHAIN: &str = "chain.rlp";
    /// The block access lists.
    pub const LISTS: &str = "bals.rlp";
    /// The hash of the last block.
    pub const HEAD: &str = "head";
}

/// The folder below `fixtures/` in which large fixtures are made.
const GENERATED: &str = "generated";

/// Why a fixture could not be made or used.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say what the fields are")]
pub enum FixtureError {
    #[error("{path}: {error}")]
    Io { path: PathBuf, error: io::Error },
    #[error("parameters: {0}")]
    Params(#[from] ParamsError),
    #[error(transparent)]
    Generate(#[from] Box<GenerateError<io::Error>>),
    #[error("{name}: the generated head is {generated}, the committed one {committed}")]
    HeadDiffers { name: &'static str, generated: B256, committed: B256 },
}

/// Makes the fixture of `params` in `folder`, which is created; `progress` is told of each finished block.
///
/// # Errors
/// See [`FixtureError`].
pub fn write(params: &Params, folder: &Path, mut progress: impl FnMut(u64)) -> Result<Summary, FixtureError> {
    params.check()?;
    let in_folder = |name: &str| folder.join(name);
    fs::create_dir_all(folder).map_err(|error| at(folder, error))?;
    remove(&in_folder(file::HEAD))?;
    write_params(params, &in_folder(file::PARAMS))?;
    write_genesis(params, &in_folder(file::GENESIS))?;

    let mut chain = Output::create(in_folder(file::CHAIN))?;
    let mut lists = Output::create(in_folder(file::LISTS))?;
    let summary = generate(params, |built| {
        chain.writer.write_all(&built.block.encode())?;
        if let Some(list) = &built.list {
            lists.writer.write_all(list)?;
        }
        progress(built.block.header.number);
        Ok(())
    })
    .map_err(Box::new)?;
    chain.finish()?;
    if lists.finish()? == 0 {
        remove(&in_folder(file::LISTS))?;
    }
    let head = in_folder(file::HEAD);
    fs::write(&head, format!("{}\n", summary.head)).map_err(|error| at(&head, error))?;
    Ok(summary)
}

/// The folder of a profile's fixture under `fixtures`: the committed one, or the generated one, made if it is missing
/// or of other parameters.
///
/// # Errors
/// [`FixtureError::HeadDiffers`] where what is generated is not what was committed to.
pub fn ensure(profile: Profile, fixtures: &Path, progress: impl FnMut(u64)) -> Result<PathBuf, FixtureError> {
    let committed = profile.head();
    let folders = [fixtures.join(profile.name()), fixtures.join(GENERATED).join(profile.name())];
    let is_whole = |folder: &PathBuf| head_of(folder) == Some(committed) && folder.join(file::CHAIN).is_file();
    if let Some(folder) = folders.iter().find(|folder| is_whole(folder)) {
        return Ok(folder.clone());
    }
    let [_, folder] = folders;
    let summary = write(&profile.params(), &folder, progress)?;
    match summary.head == committed {
        true => Ok(folder),
        false => Err(FixtureError::HeadDiffers { name: profile.name(), generated: summary.head, committed }),
    }
}

/// The hash of the last block of the fixture in `folder`, if it was finished.
#[must_use]
pub fn head_of(folder: &Path) -> Option<B256> {
    fs::read_to_string(folder.join(file::HEAD)).ok()?.trim().parse().ok()
}

/// The parameters of the fixture in `folder`, where they are there and make sense.
#[must_use]
pub fn params_of(folder: &Path) -> Option<Params> {
    Params::parse(&fs::read_to_string(folder.join(file::PARAMS)).ok()?).ok()
}

/// Leaves a file that says the same, perhaps with comments.
fn write_params(params: &Params, path: &Path) -> Result<(), FixtureError> {
    if path.parent().and_then(params_of).as_ref() == Some(params) {
        return Ok(());
    }
    fs::write(path, params.to_text()).map_err(|error| at(path, error))
}

fn write_genesis(params: &Params, path: &Path) -> Result<(), FixtureError> {
    let mut output = Output::create(path.to_owned())?;
    genesis::write(params, &World::new(params), &mut output.writer).map_err(|error| at(path, error))?;
    output.finish().map(drop)
}

/// A file being written.
struct Output {
    path: PathBuf,
    writer: BufWriter<File>,
}

impl Output {
    fn create(path: PathBuf) -> Result<Self, FixtureError> {
        let file = File::create(&path).map_err(|error| at(&path, error))?;
        Ok(Self { path, writer: BufWriter::new(file) })
    }

    /// Writes out what is left; returns the file's size, in bytes.
    fn finish(mut self) -> Result<u64, FixtureError> {
        let size = self.writer.flush().and_then(|()| self.writer.get_ref().metadata());
        size.map(|metadata| metadata.len()).map_err(|error| at(&self.path, error))
    }
}

fn remove(path: &Path) -> Result<(), FixtureError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at(path, error)),
        _ => Ok(()),
    }
}

fn at(path: &Path, error: io::Error) -> FixtureError {
    FixtureError::Io { path: path.to_owned(), error }
}
