//! The command line.
//!
//! Names are those that other clients have taught people, ethrex's first. Every flag is also an environment variable,
//! `BALSA_` and its name; a flag that is given twice counts as given last, so that launchers can append.

use crate::{commands, options::GlobalOptions};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use std::ffi::OsString;

/// Names of environment variables begin with it.
const ENV_PREFIX: &str = "BALSA";

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

impl Cli {
    /// Reads the command line and the environment; ends the process where they make no sense.
    pub(crate) fn read(arguments: impl IntoIterator<Item = OsString>) -> Self {
        Self::try_read(arguments).unwrap_or_else(|error| error.exit())
    }

    fn try_read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let command = with_env(Self::command(), ENV_PREFIX);
        let arguments = with_command(&command, arguments.into_iter().collect());
        Self::from_arg_matches(&command.try_get_matches_from(arguments)?)
    }
}

/// Puts `node` before arguments that name no command: its flags follow the program's name, as launchers have them.
fn with_command(command: &clap::Command, mut arguments: Vec<OsString>) -> Vec<OsString> {
    let names_one = |argument: &OsString| {
        let Some(argument) = argument.to_str() else { return false };
        matches!(argument, "help" | "--help" | "-h" | "--version" | "-V") || command.find_subcommand(argument).is_some()
    };
    if !arguments.iter().skip(1).any(names_one) {
        arguments.insert(1.min(arguments.len()), "node".into());
    }
    arguments
}

/// Gives every flag its environment variable: `BALSA_` and its name for those of every command, `BALSA_`, the command's
/// and its name for the others, which may mean different things to different commands.
fn with_env(command: clap::Command, prefix: &str) -> clap::Command {
    let subcommands: Vec<String> = command.get_subcommands().map(|command| command.get_name().to_owned()).collect();
    let command = command.mut_args(|argument| match argument.get_long() {
        None | Some("help" | "version") => argument,
        Some(long) => {
            let name = env_name(prefix, long);
            // clap keeps names for as long as the program runs; there are some tens of them, made once.
            argument.env(&*Box::leak(name.into_boxed_str()))
        }
    });
    subcommands.into_iter().fold(command, |command, name| {
        let prefix = env_name(prefix, &name);
        command.mut_subcommand(name, |subcommand| with_env(subcommand, &prefix))
    })
}

fn env_name(prefix: &str, name: &str) -> String {
    format!("{prefix}_{}", name.to_uppercase().replace(['-', '.'], "_"))
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
    /// Make a chain of real transactions from a seed.
    Workload(balsa_workload::command::WorkloadArgs),
    /// Delete the database.
    #[command(name = "removedb")]
    RemoveDb(commands::removedb::RemoveDb),
    /// Print the version and what it was built for.
    Version,
    /// Run a node; also without the word.
    Node(Box<commands::node::Node>),
    /// Run test vectors.
    #[command(flatten)]
    Vectors(balsa_vectors::command::Command),
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[track_caller]
    fn read(arguments: &[&str]) -> Cli {
        Cli::try_read(arguments.iter().map(OsString::from)).expect("a sound command line")
    }

    #[test]
    fn the_command_line_is_sound() {
        with_env(Cli::command(), ENV_PREFIX).debug_assert();
    }

    #[test]
    fn a_node_needs_no_command() {
        for arguments in [&["balsa"][..], &["balsa", "--http.port", "0", "--dev"], &["balsa", "--datadir", "d", "node"]]
        {
            assert!(matches!(read(arguments).command, Some(Command::Node(_))), "{arguments:?}");
        }
        assert!(matches!(read(&["balsa", "--datadir", "d", "version"]).command, Some(Command::Version)));
        assert!(Cli::try_read(["balsa", "--no-such-flag"].map(OsString::from)).is_err());
    }

    #[test]
    fn flags_of_launchers_are_taken() {
        let ethrex = "balsa --datadir=/d --network=hoodi --syncmode=full --log.level=info --http.port=8545 \
            --http.addr=0.0.0.0 --http.api=eth,net,web3,debug,admin,txpool --authrpc.port=8551 \
            --authrpc.jwtsecret=/jwt --authrpc.addr=0.0.0.0 --p2p.port=30303 --discovery.port=30303 \
            --p2p.discv4=false --p2p.discv5=true --metrics --metrics.addr=0.0.0.0 --metrics.port=9001 \
            --nat.extip=1.2.3.4 --bootnodes=enr:a,enr:b --builder.gas-limit=1 --builder.gas-limit=2";
        let reth = "balsa node --chain dev --datadir /d --http --http.addr 0.0.0.0 --http.api admin,net --ws --ws.addr 0.0.0.0 \
            --ws.port 8546 --ws.api net,eth --ws.origins * --nat extip:1.2.3.4 --authrpc.jwtsecret /jwt --port 30303 \
            --disable-discv4-discovery --full --builder.gaslimit 5";
        let hive = "balsa node --datadir /data --network g.json --log.level info --log.color never --http.addr 0.0.0.0 \
            --http.port 8545 --http.api admin,debug,eth,net,testing,txpool,web3 --ws.enabled --ws.addr 0.0.0.0 \
            --bootnodes enode://a --networkid 7 --rpc.allow-unprotected-txs --builder.gas-limit 30000000 --syncmode full \
            --authrpc.addr 0.0.0.0 --authrpc.port 8551 --authrpc.jwtsecret /jwtsecret";
        for line in [ethrex, reth, hive] {
            let read = read(&line.split_whitespace().collect::<Vec<_>>());
            assert!(matches!(read.command, Some(Command::Node(_))), "{line}");
        }
    }

    #[test]
    fn the_last_of_a_repeated_flag_counts() {
        let cli = read(&["balsa", "--datadir", "a", "removedb", "--datadir=b", "--datadir=c", "--force"]);
        assert_eq!(cli.global.datadir.as_deref(), Some(Path::new("c")));
        let cli = read(&["balsa", "import", "x.rlp", "--network=hoodi", "--chain", "sepolia"]);
        assert_eq!(cli.global.network.as_deref(), Some("sepolia"));
    }

    #[test]
    fn every_flag_is_an_environment_variable() {
        fn names(command: &clap::Command, all: &mut Vec<String>) {
            for argument in command.get_arguments().filter(|argument| argument.get_long().is_some()) {
                match argument.get_env().and_then(|name| name.to_str()) {
                    Some(name) => all.push(name.to_owned()),
                    None => assert!(matches!(argument.get_long(), Some("help" | "version")), "{argument:?}"),
                }
            }
            command.get_subcommands().for_each(|command| names(command, all));
        }
        let mut all = Vec::new();
        names(&with_env(Cli::command(), ENV_PREFIX), &mut all);
        for name in ["BALSA_DATADIR", "BALSA_LOG_LEVEL", "BALSA_IMPORT_BENCH_WITH_BAL", "BALSA_REMOVEDB_FORCE"] {
            assert!(all.iter().any(|known| known == name), "{name} is not among {all:?}");
        }
        let count = all.len();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), count, "a variable stands for one flag");
    }
}
