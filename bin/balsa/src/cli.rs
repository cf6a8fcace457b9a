//! The command line.
//!
//! Names are those that other clients have taught people, ethrex's first. Every flag is also an environment variable,
//! `BALSA_` and its name; a flag that is given twice counts as given last, so that launchers can append.

use crate::{commands, options::GlobalOptions};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use std::ffi::OsString;

/// Names of environment variables begin with it.
const ENV_PREFIX: &str = "BALSA";

/// The command that goes without saying.
const NODE: &str = "node";

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

/// Puts `node` before a node's flags, where launchers have them right behind the program's name: with the word behind
/// them, or with no word at all.
fn with_command(command: &clap::Command, mut arguments: Vec<OsString>) -> Vec<OsString> {
    let is = |argument: &OsString, words: &[&str]| words.iter().any(|word| argument == word);
    match first_word(command, &arguments) {
        Some(at) if is(&arguments[at], &[NODE]) => {
            let word = arguments.remove(at);
            arguments.insert(1, word);
        }
        // A word that is no command is told from the node's flags.
        Some(at) if at > 1 && command.find_subcommand(&arguments[at]).is_none() && !is(&arguments[at], &["help"]) => {
            arguments.insert(1, NODE.into());
        }
        Some(_) => {}
        // Help and version of the whole program.
        None if arguments.get(1).is_some_and(|first| is(first, &["--help", "-h"])) => {}
        None if arguments.iter().any(|argument| is(argument, &["--version", "-V"])) => {}
        None => arguments.insert(1.min(arguments.len()), NODE.into()),
    }
    arguments
}

/// Where the first argument stands that is neither a flag nor the value of one.
fn first_word(command: &clap::Command, arguments: &[OsString]) -> Option<usize> {
    let node = command.find_subcommand(NODE);
    let takes_value = |flag: &str| {
        let of = |command: &clap::Command| {
            let argument = command.get_arguments().find(|argument| {
                let aliases = argument.get_all_aliases().unwrap_or_default();
                argument.get_long().into_iter().chain(aliases).any(|name| name == flag)
            })?;
            Some(argument.get_action().takes_values() && !argument.is_require_equals_set())
        };
        of(command).or_else(|| of(node?)).unwrap_or(false)
    };
    let mut at = 1;
    while let Some(argument) = arguments.get(at) {
        let flag = argument.to_str().and_then(|argument| argument.strip_prefix("--"));
        at += match flag {
            Some("") => return Some(at + 1).filter(|next| *next < arguments.len()),
            Some(flag) if !flag.contains('=') && takes_value(flag) => 2,
            Some(_) => 1,
            None if argument.to_str().is_some_and(|argument| argument.starts_with('-')) => 1,
            None => return Some(at),
        };
    }
    None
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
    use crate::options::LogLevel;
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
        let of_node = [
            "balsa",
            "balsa --http.port 0 --dev",
            "balsa --datadir d node",
            "balsa --http.addr 0.0.0.0 node --http.port 0",
            "balsa --http.port=0 --dev node",
            "balsa --dev --port 1 --http.api eth,net node",
            "balsa --metrics=127.0.0.1:9001 node",
            "balsa --datadir node --http.port 0",
            "balsa --datadir version",
            "balsa -vvv --http.port 0 node",
        ];
        for line in of_node {
            let read = read(&line.split_whitespace().collect::<Vec<_>>());
            assert!(matches!(read.command, Some(Command::Node(_))), "{line}");
        }
        assert_eq!(read(&["balsa", "--datadir", "node"]).global.datadir.as_deref(), Some(Path::new("node")));
        assert!(matches!(read(&["balsa", "--datadir", "d", "version"]).command, Some(Command::Version)));
        for wrong in ["balsa --no-such-flag", "balsa --http.port", "balsa nod", "balsa --http.port 1 version"] {
            assert!(Cli::try_read(wrong.split_whitespace().map(OsString::from)).is_err(), "{wrong}");
        }
        let unknown = Cli::try_read(["balsa", "--http.port", "1", "nod"].map(OsString::from)).expect_err("no command");
        assert!(unknown.to_string().contains("'nod'"), "{unknown}");
        for (line, shown) in [("balsa --help", "Commands:"), ("balsa --dev --help", "--http.port")] {
            let help = Cli::try_read(line.split_whitespace().map(OsString::from)).expect_err("help is no command");
            assert!(help.to_string().contains(shown), "{line}: {help}");
        }
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
        let geth = "balsa --sepolia --datadir=/d --syncmode=full --gcmode=archive --state.scheme=path --verbosity=3 \
            --http --http.port=8545 --http.addr=0.0.0.0 --http.vhosts=* --http.corsdomain=* --http.api=admin,eth \
            --ws --ws.addr=0.0.0.0 --ws.port=8546 --ws.api=eth --ws.origins=* --nat=extip:1.2.3.4 --allow-insecure-unlock \
            --authrpc.port=8551 --authrpc.addr=0.0.0.0 --authrpc.vhosts=* --authrpc.jwtsecret=/jwt --port=30303 \
            --discovery.port=30303 --rpc.allow-unprotected-txs --rpc.batch-request-limit=0 --rpc.rangelimit=9 \
            --miner.gaslimit=1 --miner.gasprice=1 --metrics --metrics.addr=0.0.0.0 --metrics.port=9001 --cache=4096 \
            --cache.preimages --log.file=l --log.maxsize=1 --log.maxbackups=2 --log.rotate --maxpeers=0 --history.state=0";
        let reth_more = "balsa node -vvvv --hoodi --metrics=0.0.0.0:9001 --log.file.directory /l --log.file.max-size 5 \
            --log.file.max-files 3 --color never --rpc.max-request-size 15 --rpc.max-response-size 160 \
            --rpc.max-blocks-per-filter 1 --rpc.max-logs-per-response 1 --rpc.max-simulate-blocks 2 \
            --rpc.max-subscriptions-per-connection 3 --rpc.max-connections 4 --engine.disable-bal-parallel-execution \
            --engine.disable-bal-parallel-state-root --engine.disable-bal-batch-io --engine.slow-block-threshold 5 \
            --discovery.v5.port 9200 --trusted-peers a --trusted-only --minimal --auth-ipc --rpc.eth-proof-window 7";
        for line in [ethrex, reth, hive, geth, reth_more] {
            let read = read(&line.split_whitespace().collect::<Vec<_>>());
            assert!(matches!(read.command, Some(Command::Node(_))), "{line}");
        }
    }

    #[test]
    fn the_last_of_a_repeated_flag_counts() {
        let cli = read(&["balsa", "--datadir", "a", "removedb", "--datadir=b", "--datadir=c", "--force"]);
        assert_eq!(cli.global.datadir.as_deref(), Some(Path::new("c")));
        let cli = read(&["balsa", "import", "x.rlp", "--network=hoodi", "--chain", "sepolia"]);
        assert_eq!(cli.global.network(), Some("sepolia"));
        let level = |line: &[&str]| read(line).global.log_level();
        assert_eq!(level(&["balsa", "--log.level", "debug", "--verbosity", "1"]), LogLevel::Error);
        assert_eq!(level(&["balsa", "--verbosity=5"]), LogLevel::Trace);
        assert_eq!(level(&["balsa", "-vvvv"]), LogLevel::Debug);
        assert_eq!(level(&["balsa"]), LogLevel::Info);
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
