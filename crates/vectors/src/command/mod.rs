//! The subcommands, and `evm`, which answers as the tool of that name does.

mod arguments;
mod evm;
mod print;

pub use arguments::Arguments;
pub use evm::Evm;

use crate::fixture::Kind;
use arguments::ExitRule;
use std::process::ExitCode;

/// The subcommands that run suites.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Command {
    /// Run state tests: one transaction on a state, under many forks.
    Statetest(Arguments),
    /// Run blockchain tests: blocks in RLP.
    Blocktest(Arguments),
    /// Run blockchain tests in the form of Engine API calls.
    Enginetest(Arguments),
    /// Run transaction tests: are these bytes a transaction, and what does it cost at least.
    Txtest(Arguments),
    /// Run trie tests.
    Trietest(Arguments),
    /// Run RLP tests.
    Rlptest(Arguments),
    /// Run difficulty tests.
    Difficultytest(Arguments),
    /// Run tests of hashes, keys, encodings and genesis blocks.
    Basictest(Arguments),
    /// Run every suite that the given packs hold, in one pass.
    Vectors(Arguments),
}

impl Command {
    /// Runs the suite as asked. Ends as failed if a test failed that was not expected to, or if anything was
    /// wrong with the run itself.
    pub fn run(&self) -> ExitCode {
        self.run_with(ExitRule::FailureFails)
    }

    fn run_with(&self, rule: ExitRule) -> ExitCode {
        let (arguments, kinds): (_, &[Kind]) = match self {
            Self::Statetest(arguments) => (arguments, &[Kind::State, Kind::Vm]),
            Self::Blocktest(arguments) => (arguments, &[Kind::Blockchain]),
            Self::Enginetest(arguments) => (arguments, &[Kind::Engine]),
            Self::Txtest(arguments) => (arguments, &[Kind::Transaction]),
            Self::Trietest(arguments) => (arguments, &[Kind::Trie]),
            Self::Rlptest(arguments) => (arguments, &[Kind::Rlp]),
            Self::Difficultytest(arguments) => (arguments, &[Kind::Difficulty]),
            Self::Basictest(arguments) => (arguments, &[Kind::Basic]),
            Self::Vectors(arguments) => (arguments, &Kind::ALL),
        };
        arguments.run(kinds, rule)
    }
}
