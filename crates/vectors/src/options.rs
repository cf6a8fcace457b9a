//! What a run is asked for, apart from its sources.

use crate::{ExpectedFailures, TraceOutput};
use balsa_chainspec::{Fork, RuleOverride};
use regex::Regex;

/// What a run is asked for, apart from its sources.
#[derive(Debug, Default)]
pub struct Options {
    /// Run only tests whose name matches.
    pub run: Option<Regex>,
    /// Run only tests, and variants, of the fork with this name in the suite.
    pub fork: Option<String>,
    /// Run only this variant of a state test, by its place in its fork's list.
    pub variant: Option<usize>,
    /// Other meanings for forks' names.
    pub rules: Vec<RuleOverride>,
    /// Which executors run blocks.
    pub mode: Mode,
    /// How many documents are worked on at once.
    pub jobs: usize,
    /// Failures that are known.
    pub expected_failures: ExpectedFailures,
    /// Where each executed instruction is written to. Traces are of the sequential executor, one test at a time.
    pub trace: Option<TraceOutput>,
    /// Show the state after each state test and each test of blocks in RLP.
    pub dump: bool,
    /// Run each state test over and over, and say how long it takes.
    pub bench: bool,
}

/// Which executors run blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Mode {
    /// The sequential executor, which is the specification.
    Serial,
    /// The parallel executor where the block has a list, the sequential one elsewhere.
    Parallel,
    /// Both where the block has a list, compared; the sequential one elsewhere.
    #[default]
    Both,
}

impl Options {
    /// Whether a test of this name is to run.
    pub fn selects_test(&self, name: &str) -> bool {
        self.run.as_ref().is_none_or(|run| run.is_match(name))
    }

    /// Whether a test or variant under the fork that the suite calls so is to run.
    pub fn selects_fork(&self, name: &str) -> bool {
        self.fork.as_ref().is_none_or(|fork| fork == name)
    }

    /// The fork that the suites call `name`.
    pub fn fork_named(name: &str) -> Result<Fork, String> {
        Fork::from_test_name(name).ok_or_else(|| format!("unknown fork {name}"))
    }
}
