//! `balsa`: an Ethereum execution client built around block access lists.
//!
//! This file parses the command line and hands it to a file of [`commands`]; `launch.rs` builds the parts of a node.

mod bench;
mod cli;
mod commands;
mod error;
mod input;
mod interrupt;
mod launch;
mod logging;
mod metrics;
mod options;
mod progress;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = std::env::args_os().collect::<Vec<_>>();
    if arguments.first().and_then(|name| name.to_str()).is_some_and(balsa_vectors::command::Evm::is_called_by) {
        return balsa_vectors::command::Evm::run(arguments);
    }
    let cli = cli::Cli::read(arguments);
    match commands::run(cli) {
        Ok(code) => code,
        Err(error) => error.report(),
    }
}
