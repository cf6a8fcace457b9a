//! A database that stands at a load's genesis block, whatever the size of its state: for cold runs on large states.

use std::path::Path;
use std::sync::Arc;

use balsa_chain::{ChainError, GenesisBlock, Preparation};
use balsa_storage::Settings;

use crate::params::{Params, ParamsError};
use crate::prestate::{Prestate, PrestateError};
use crate::world::World;

/// Why no database was prepared.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// The parameters do not hold together.
    #[error("parameters: {0}")]
    Params(#[from] ParamsError),
    /// The state could not be made.
    #[error(transparent)]
    Prestate(#[from] PrestateError),
    /// The database did not take it.
    #[error(transparent)]
    Chain(#[from] ChainError),
}

/// Writes the genesis state of `params` to a database in `folder`, which is created, in parts; nothing is held in memory
/// but one part and twelve bytes for each key. What comes back opens the database as a chain.
///
/// The state is made twice: a database names its genesis block from the start, and the block the root of the state.
///
/// # Errors
/// See [`PrepareError`].
pub fn prepare(params: &Params, folder: &Path, settings: Settings) -> Result<GenesisBlock, PrepareError> {
    params.check()?;
    let world = Arc::new(World::new(params));
    let genesis = genesis(params, world.clone())?;
    let preparation = Preparation::begin(folder, genesis.spec, genesis.block, settings)?;
    let mut put = Ok(());
    Prestate::new(params, world, |part| {
        if put.is_ok() {
            put = preparation.put(part.diff, part.nodes);
        }
    })?;
    put?;
    Ok(preparation.finish()?)
}

/// The genesis block of `params` without its state: opens a database that was prepared before.
///
/// # Errors
/// See [`PrepareError`].
pub fn prepared(params: &Params) -> Result<GenesisBlock, PrepareError> {
    params.check()?;
    genesis(params, Arc::new(World::new(params)))
}

fn genesis(params: &Params, world: Arc<World>) -> Result<GenesisBlock, PrepareError> {
    let prestate = Prestate::new(params, world, drop)?;
    Ok(GenesisBlock::stored(prestate.spec.clone(), prestate.block.clone()))
}
