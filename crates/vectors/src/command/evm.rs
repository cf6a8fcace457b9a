//! What balsa answers when it is called through a link named `evm`.
//!
//! The tools that drive `evm` find it by the first words of its version, and take a failed test from the output:
//! the exit code speaks of the run alone.

use super::arguments::ExitRule;
use super::{Command, print};
use clap::Parser;
use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

/// The command line of `evm`.
#[derive(Debug, Parser)]
#[command(name = "evm", about = "Runs Ethereum test vectors", disable_version_flag = true)]
pub struct Evm {
    /// Print the version.
    #[arg(short = 'v', long = "version")]
    version: bool,
    /// How much to log: accepted, and without effect.
    #[arg(long, global = true, value_name = "N", hide = true)]
    verbosity: Option<u32>,
    #[command(subcommand)]
    command: Option<EvmCommand>,
}

#[derive(Debug, clap::Subcommand)]
enum EvmCommand {
    /// Print the version.
    Version,
    #[command(flatten)]
    Suite(Box<Command>),
}

impl Evm {
    /// Whether the program was called by this name.
    pub fn is_called_by(program: &str) -> bool {
        Path::new(program).file_stem().is_some_and(|name| name == "evm")
    }

    /// Parses the arguments, the program's name included, and runs what they ask for.
    pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
        let arguments = match Self::try_parse_from(arguments) {
            Ok(arguments) => arguments,
            Err(error) => {
                let _ = error.print();
                return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
            }
        };
        match arguments.command {
            Some(EvmCommand::Suite(command)) => command.run_with(ExitRule::FaultFails),
            Some(EvmCommand::Version) => version(),
            None if arguments.version => version(),
            None => print::usage_error("no command: try evm --help"),
        }
    }
}

fn version() -> ExitCode {
    print::evm_version();
    ExitCode::SUCCESS
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Evm::command().debug_assert();
    }

    #[test]
    fn the_name_decides() {
        for (program, is_evm) in [("evm", true), ("/usr/bin/evm", true), ("evm.exe", true), ("balsa", false)] {
            assert_eq!(Evm::is_called_by(program), is_evm, "{program}");
        }
    }
}
