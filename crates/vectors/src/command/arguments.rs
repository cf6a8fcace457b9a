//! The arguments that all suites share, named as `evm` names them where it has them.

use super::print;
use crate::fixture::Kind;
use crate::session;
use crate::{ExpectedFailures, Mode, Options, TraceOutput};
use balsa_chainspec::RuleOverride;
use regex::Regex;
use std::io::BufRead;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::{io, thread};

/// Arguments of a run of a suite.
#[derive(Clone, Debug, clap::Args)]
pub struct Arguments {
    /// Vector files, folders of them, and .tar.zst or .tar archives, which are read in memory.
    /// Without any, or for -, file names are read from standard input, and each is answered at once.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Run only the tests whose name matches.
    #[arg(long, value_name = "REGEX")]
    run: Option<Regex>,
    /// Run only tests of this fork, by the suite's name for it.
    #[arg(long, visible_alias = "statetest.fork", value_name = "NAME")]
    fork: Option<String>,
    /// Run only this variant of a state test, by its place in the fork's list.
    #[arg(long, visible_alias = "statetest.index", value_name = "N")]
    index: Option<usize>,
    /// Another meaning for a fork's name, as Amsterdam=BPO2+EIP7928. May be repeated.
    #[arg(long, value_name = "NAME=FORK+EIP…")]
    rules: Vec<RuleOverride>,
    /// How many files to work on at once [default: one a core].
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Which executors run blocks that have an access list.
    #[arg(long, value_enum, default_value_t)]
    mode: Mode,
    /// Print outcomes as a JSON array on standard output, which is the default.
    #[arg(long, overrides_with = "human")]
    json: bool,
    /// Print failures and a table for people instead.
    #[arg(long)]
    human: bool,
    /// Tests that are known to fail: a name and a reason a line. One that passes is an error.
    #[arg(long, value_name = "FILE")]
    expected_failures: Option<PathBuf>,
    /// Write each executed instruction to standard error, one EIP-3155 line each: of the sequential executor, one test
    /// after another.
    #[arg(long)]
    trace: bool,
    #[command(flatten)]
    trace_form: TraceForm,
    /// Add the state after each state test, or test of blocks in RLP, to its outcome.
    #[arg(long)]
    dump: bool,
    /// Add the time that each state test's transaction takes to its outcome, one test after another.
    #[arg(long)]
    bench: bool,
    /// Print the outcome of each test as an array of its own, as soon as its file is done.
    #[arg(long, hide = true)]
    fuzz: bool,
    /// Accepted for those who drive `evm`: what has a list is run on both executors without it.
    #[arg(long, visible_alias = "xc", hide = true)]
    cross_check: bool,
}

/// The form of a trace, in the flags of `evm`. What balsa does not have is refused, not passed over in silence.
#[derive(Clone, Debug, clap::Args)]
struct TraceForm {
    /// There is one form.
    #[arg(long = "trace.format", value_name = "FORMAT", default_value = "json", value_parser = ["json"], hide = true)]
    format: String,
    /// Leave the stack out of the trace.
    #[arg(long = "trace.nostack", alias = "nostack", value_name = "BOOL", num_args = 0..=1, require_equals = true,
        default_value_t = false, default_missing_value = "true")]
    no_stack: bool,
    /// Memory is never shown.
    #[arg(long = "trace.nomemory", alias = "nomemory", value_name = "BOOL", num_args = 0..=1, require_equals = true,
        default_value = "true", default_missing_value = "true", value_parser = ["true"], hide = true)]
    no_memory: String,
    /// What calls returned is shown where their frames end only.
    #[arg(long = "trace.noreturndata", alias = "noreturndata", value_name = "BOOL", num_args = 0..=1,
        require_equals = true, default_value = "true", default_missing_value = "true", value_parser = ["true"],
        hide = true)]
    no_return_data: String,
    /// Storage is never shown.
    #[arg(long = "trace.nostorage", alias = "nostorage", value_name = "BOOL", num_args = 0..=1, require_equals = true,
        default_value = "true", default_missing_value = "true", hide = true)]
    no_storage: String,
}

/// What makes the process end as failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ExitRule {
    /// A failed test, or a fault of the run.
    FailureFails,
    /// A fault of the run only: a failed test stands in the output, as with `evm`.
    FaultFails,
}

impl Arguments {
    pub(super) fn run(&self, kinds: &[Kind], rule: ExitRule) -> ExitCode {
        // Refused rather than ignored: a fuzzer that compares traces must not take silence for agreement.
        if self.trace && !kinds.iter().any(|kind| kind.runs_transactions()) {
            return print::usage_error("--trace: tests of this suite run no transactions");
        }
        if self.trace && self.mode == Mode::Parallel {
            return print::usage_error("--trace shows the sequential executor: use --mode serial or --mode both");
        }
        if self.bench && !kinds.contains(&Kind::State) {
            return print::usage_error("--bench is for state tests");
        }
        if self.dump && !kinds.iter().any(|kind| matches!(kind, Kind::State | Kind::Blockchain)) {
            return print::usage_error("--dump is for state tests and tests of blocks in RLP");
        }
        if self.dump && self.mode == Mode::Parallel && kinds.contains(&Kind::Blockchain) {
            return print::usage_error("--dump asks the sequential executor: use --mode serial or --mode both");
        }
        let options = match self.options() {
            Ok(options) => options,
            Err(error) => return print::usage_error(&error.to_string()),
        };
        let good = if self.paths.is_empty() || self.paths == [PathBuf::from("-")] {
            self.run_batch(kinds, rule, &options)
        } else {
            self.run_paths(kinds, rule, &options, &self.paths)
        };
        if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    /// Answers each file named on standard input before the next line is read: a fuzzer waits for it.
    fn run_batch(&self, kinds: &[Kind], rule: ExitRule, options: &Options) -> bool {
        let mut good = true;
        for line in io::stdin().lock().lines() {
            match line {
                Ok(line) if line.is_empty() => break,
                Ok(line) => good &= self.run_paths(kinds, rule, options, &[PathBuf::from(line)]),
                Err(error) => {
                    print::usage_error(&format!("standard input: {error}"));
                    return false;
                }
            }
        }
        good
    }

    fn run_paths(&self, kinds: &[Kind], rule: ExitRule, options: &Options, paths: &[PathBuf]) -> bool {
        let report = session::run(kinds, paths, options);
        if self.human && !self.json {
            print::human(&report, options);
        } else if self.fuzz {
            print::json_of_each(&report, options);
        } else {
            print::json(&report, options);
        }
        match rule {
            ExitRule::FailureFails => report.is_good(options),
            ExitRule::FaultFails => report.faults.is_empty(),
        }
    }

    fn options(&self) -> Result<Options, crate::ExpectedFailuresError> {
        let list = self.expected_failures.as_deref().map(ExpectedFailures::read).transpose()?;
        let trace = self.trace.then(|| TraceOutput::new(Arc::new(Mutex::new(io::stderr()))));
        let trace = if self.trace_form.no_stack { trace.map(TraceOutput::without_stack) } else { trace };
        let cores = || thread::available_parallelism().map_or(1, usize::from);
        Ok(Options {
            run: self.run.clone(),
            fork: self.fork.clone(),
            variant: self.index,
            rules: self.rules.clone(),
            mode: self.mode,
            // Lines of two tests at once would be of no use, nor the time of tests that disturb each other.
            jobs: if self.trace || self.bench { 1 } else { self.jobs.unwrap_or_else(cores) },
            trace,
            dump: self.dump,
            bench: self.bench,
            expected_failures: list.unwrap_or_default(),
        })
    }
}
