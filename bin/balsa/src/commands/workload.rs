//! `workload`: a chain of real transactions from a seed, made by the crate of that name.

use crate::{error::CommandError, progress::Progress};
use balsa_workload::command::{self, WorkloadArgs};
use std::{io, process::ExitCode};

/// Runs the command.
pub(crate) fn run(arguments: &WorkloadArgs) -> Result<ExitCode, CommandError> {
    let blocks = usize::try_from(arguments.resolve()?.blocks).unwrap_or(usize::MAX);
    let progress = Progress::blocks("generate", blocks);
    command::run(arguments, &mut io::stdout().lock(), |_, _| progress.advance())?;
    Ok(ExitCode::SUCCESS)
}
