//! The commands, a file each.

pub(crate) mod db;
pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod import_bench;
pub(crate) mod init;
pub(crate) mod node;
pub(crate) mod removedb;
pub(crate) mod version;
mod workload;

use crate::{
    cli::{Cli, Command},
    error::CommandError,
    logging,
};
use std::process::ExitCode;

/// Runs what the command line asks for.
pub(crate) fn run(cli: Cli) -> Result<ExitCode, CommandError> {
    let Cli { global, command } = cli;
    if let Some(Command::ImportBench(command)) = &command {
        // It brings a layer of its own to measure the stages.
        return command.run(&global);
    }
    if let Some(Command::Node(command)) = command {
        // The same, if slow blocks are to be told of.
        return command.run(&global);
    }
    logging::start(&global, tracing_subscriber::layer::Identity::new())?;
    match command {
        Some(Command::Init(command)) => command.run(&global),
        Some(Command::Import(command)) => command.run(&global),
        Some(Command::Export(command)) => command.run(&global),
        Some(Command::ImportBench(command)) => command.run(&global),
        Some(Command::Db(command)) => command.run(&global),
        Some(Command::Workload(command)) => workload::run(&command),
        Some(Command::RemoveDb(command)) => command.run(&global),
        Some(Command::Vectors(command)) => Ok(command.run()),
        Some(Command::Version) => version::run(),
        // Both were taken above, the second by the command line.
        Some(Command::Node(_)) | None => Ok(ExitCode::FAILURE),
    }
}
