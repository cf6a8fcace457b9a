//! The command line.
//!
//! Names are those that other clients have taught people, ethrex's first. Every flag is also an environment variable,
//! `BALSA_` and its name; a flag that is given twice counts as given last, so that launchers can append.

use crate::{commands, options::GlobalOptions};
use clap::{Parser, Subcommand};

/// An Ethereum execution client built around block access lists (EIP-7928).
#[derive(Debug, Parser)]
#[command(name = "balsa", version = commands::version::LINE, args_override_self = true)]
pub(crate) struct Cli {
    /// What holds for every command.
    #[command(flatten)]
    pub(crate) global: GlobalOptions,
    /// What to do. Without a command: run a node.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Create the database and write the genesis block.
    Init(commands::init::Init),
    /// Import blocks from chain files.
    Import(commands::import::Import),
    /// Write the canonical chain to a file.
    Export(commands::export::Export),
    /// Import a chain over and over, sequentially and in parallel, and show what each stage costs.
    ImportBench(commands::import_bench::ImportBench),
    /// Look into the database.
    #[command(subcommand)]
    Db(commands::db::Db),
    /// Delete the database.
    #[command(name = "removedb")]
    RemoveDb(commands::removedb::RemoveDb),
    /// Print the version and what it was built for.
    Version,
    /// Run a node. Not part of this version.
    Node,
    //TMP    /// Run test vectors.
    //TMP    #[command(flatten)]
    //TMP    Vectors(balsa_vectors::command::Command),
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;
    use std::path::Path;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_last_of_a_repeated_flag_counts() {
        let cli = Cli::parse_from(["balsa", "--datadir", "a", "removedb", "--datadir=b", "--datadir=c", "--force"]);
        assert_eq!(cli.global.datadir.as_deref(), Some(Path::new("c")));
        let cli = Cli::parse_from(["balsa", "import", "x.rlp", "--network=hoodi", "--chain", "sepolia"]);
        assert_eq!(cli.global.network.as_deref(), Some("sepolia"));
    }

    #[test]
    fn every_flag_is_an_environment_variable() {
        #[track_caller]
        fn check(command: &clap::Command) {
            for argument in command.get_arguments().filter(|argument| argument.get_long().is_some()) {
                let (name, env) = (argument.get_id().as_str(), argument.get_env());
                if matches!(name, "help" | "version") {
                    continue;
                }
                let expected = format!("BALSA_{}", name.to_uppercase());
                assert_eq!(env.and_then(|env| env.to_str()), Some(&*expected), "{}", command.get_name());
            }
        }
        let ours = ["init", "import", "export", "import-bench", "removedb"];
        let cli = Cli::command();
        check(&cli);
        for name in ours {
            check(cli.find_subcommand(name).expect("a command"));
        }
    }
}
