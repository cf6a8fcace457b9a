//! `removedb`.

use crate::{error::CommandError, options::GlobalOptions};
use balsa_storage::{Identity, remove_directory};
use clap::Args;
use std::{
    io::{self, BufRead, IsTerminal, Write},
    path::Path,
    process::ExitCode,
};

/// Deletes the database.
#[derive(Debug, Args)]
pub(crate) struct RemoveDb {
    /// Do not ask.
    #[arg(long)]
    force: bool,
}

impl RemoveDb {
    /// Runs the command.
    pub(crate) fn run(&self, global: &GlobalOptions) -> Result<ExitCode, CommandError> {
        let dir = global.datadir()?;
        if Identity::read(&dir)?.is_none() {
            return Err(CommandError::NoDatabase(dir));
        }
        if !self.force && !confirmed(&dir)? {
            return Err(CommandError::NotConfirmed(dir));
        }
        remove_directory(&dir)?;
        tracing::info!(dir = %dir.display(), "removed the database");
        Ok(ExitCode::SUCCESS)
    }
}

/// Asks on a terminal. Without one nobody can answer, and silence is not consent.
fn confirmed(dir: &Path) -> Result<bool, CommandError> {
    if !io::stdin().is_terminal() {
        return Ok(false);
    }
    let mut answer = String::new();
    write!(io::stdout(), "Delete the database in {}? [y/N] ", dir.display())
        .and_then(|()| io::stdout().flush())
        .and_then(|()| io::stdin().lock().read_line(&mut answer))
        .map_err(CommandError::Output)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
