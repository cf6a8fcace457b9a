//! What became of one test.

use crate::dump::Dump;
use alloy_primitives::B256;
use serde::Serialize;
use std::sync::Arc;

/// What became of one test, or of one variant of a state test, in the form that `evm statetest` reports.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// The test's name in its file.
    pub name: Arc<str>,
    /// Whether everything was as the suite says, the reason of an expected failure included.
    pub pass: bool,
    /// The state root after the test.
    #[serde(rename = "stateRoot", skip_serializing_if = "Option::is_none")]
    pub state_root: Option<B256>,
    /// The fork, or transition of forks, by the suite's name. Empty where a suite knows none.
    pub fork: String,
    /// What was not as the suite says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The state after the test, if it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<Box<Dump>>,
    /// How long a state test's transaction takes, if it was asked for.
    #[serde(rename = "benchStats", skip_serializing_if = "Option::is_none")]
    pub bench_stats: Option<BenchStats>,
    /// Which of a state test's alternatives, as `d0g0v0`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// The file that holds the test.
    #[serde(skip)]
    pub file: Arc<str>,
}

impl Outcome {
    /// The outcome of a test of `file` called `name` under `fork`: passed unless `judged` says why not.
    pub fn new(place: &Place, fork: impl Into<String>, judged: Result<Option<B256>, String>) -> Self {
        let (state_root, error) = match judged {
            Ok(root) => (root, None),
            Err(error) => (None, Some(error)),
        };
        Self {
            name: place.name.clone(),
            pass: error.is_none(),
            state_root,
            fork: fork.into(),
            error,
            state: None,
            bench_stats: None,
            variant: None,
            file: place.file.clone(),
        }
    }

    /// The same, as the variant `variant` of its test.
    pub fn with_variant(mut self, variant: String) -> Self {
        self.variant = Some(variant);
        self
    }

    /// The test's full name: `file::name`, and for a variant `file::name[fork/variant]`.
    pub fn id(&self) -> String {
        match &self.variant {
            Some(variant) => format!("{}::{}[{}/{variant}]", self.file, self.name, self.fork),
            None => format!("{}::{}", self.file, self.name),
        }
    }
}

/// What running a transaction takes, in the fields of `evm`.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BenchStats {
    /// Nanoseconds, on average.
    #[serde(rename = "time")]
    pub time_ns: u64,
    /// Gas that the transaction used.
    pub gas_used: u64,
}

/// Where a test stands.
#[derive(Clone, Debug)]
pub struct Place {
    /// The file.
    pub file: Arc<str>,
    /// The test's name in it.
    pub name: Arc<str>,
}
