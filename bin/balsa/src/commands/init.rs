//! `init`.

use crate::{error::CommandError, launch::Parts, options, options::GlobalOptions};
use balsa_executor::ExecutionMode;
use clap::Args;
use std::{path::PathBuf, process::ExitCode};

/// Creates the database and writes the genesis block. Does nothing to a database of the same chain.
#[derive(Debug, Args)]
pub(crate) struct Init {
    /// The genesis file, in geth's format; without it the network's.
    #[arg(value_name = "FILE")]
    genesis: Option<PathBuf>,
}

impl Init {
    /// Runs the command.
    pub(crate) fn run(&self, global: &GlobalOptions) -> Result<ExitCode, CommandError> {
        let genesis = match &self.genesis {
            Some(path) => options::read_genesis(path)?,
            None => global.genesis()?,
        };
        let dir = global.datadir()?;
        let parts = Parts::new(global, &genesis)?;
        let chain = parts.open(&dir, ExecutionMode::Auto)?;
        let (head, hash) = (chain.view().head().number(), parts.genesis.hash());
        chain.close()?;
        tracing::info!(dir = %dir.display(), chain_id = genesis.spec.chain_id, genesis = %hash, head, "database is ready");
        Ok(ExitCode::SUCCESS)
    }
}
