//! Runs the official test suites with the executors that import blocks.
//!
//! - [`source`]: files, folders and archives as a stream of documents in memory.
//! - [`fixture`]: the fixtures in the suites' own words.
//! - [`suite`]: one runner for each kind of test.
//! - [`TraceOutput`]: where the instructions of what is run are written to, if anywhere.
//! - [`exception`]: our reasons and the suites' names for them.
//! - [`session`]: one run over sources, and what it reports.
//! - [`command`]: the subcommands of the program, with their arguments.

mod chain;
pub mod command;
mod dump;
mod eip3155;
mod engine_tree;
pub mod exception;
mod executors;
mod expected_failures;
pub mod fixture;
mod index;
mod options;
mod outcome;
mod price;
pub mod session;
pub mod source;
mod state_transaction;
pub mod suite;
mod transaction_fault;
mod tree;
mod withdrawn;
mod world;

pub use eip3155::TraceOutput;
pub use expected_failures::{ExpectedFailures, ExpectedFailuresError};
pub use options::{Mode, Options};
pub use outcome::{BenchStats, Outcome, Place};
pub use session::Report;

use executors::Executors;
