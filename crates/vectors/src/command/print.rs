//! What the subcommands print.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "this is where the program speaks")]

use crate::eip3155::state_root_line;
use crate::session::{Report, Tally};
use crate::{Options, Outcome};
use std::fmt::Write as _;
use std::io::{self, BufWriter, Write as _};
use std::process::ExitCode;

/// How many failures are shown to people; the JSON form has all of them.
const FAILURES_SHOWN_MAX: usize = 100;

/// The outcomes as `evm` reports them: an array on standard output, a line with the state root of each on
/// standard error. Faults and a closing line go to standard error as well.
pub(super) fn json(report: &Report, options: &Options) {
    errors(report, options);
    let mut out = BufWriter::new(io::stdout().lock());
    let _ = serde_json::to_writer_pretty(&mut out, &report.outcomes);
    let _ = writeln!(out);
    let _ = out.flush();
}

/// The same, with an array for each outcome, as `evm --fuzz` reports them.
pub(super) fn json_of_each(report: &Report, options: &Options) {
    errors(report, options);
    let mut out = BufWriter::new(io::stdout().lock());
    for outcome in &report.outcomes {
        let _ = serde_json::to_writer_pretty(&mut out, &[outcome]);
        let _ = writeln!(out);
    }
    let _ = out.flush();
}

fn errors(report: &Report, options: &Options) {
    let mut errors = BufWriter::new(io::stderr().lock());
    // A trace has them already, each where its test ends.
    let roots = report.outcomes.iter().filter_map(|outcome| outcome.state_root);
    for root in roots.filter(|_| options.trace.is_none()) {
        // A reader that has gone away is no reason to stop judging: the exit code still counts.
        let _ = errors.write_all(state_root_line(root).as_bytes());
    }
    for fault in &report.faults {
        let _ = writeln!(errors, "error: {fault}");
    }
    let _ = writeln!(errors, "{}", summary(report, options));
    let _ = errors.flush();
}

/// Failures, faults and a table of the kinds.
pub(super) fn human(report: &Report, options: &Options) {
    let failures: Vec<&Outcome> = report.failures(options).collect();
    for failure in failures.iter().take(FAILURES_SHOWN_MAX) {
        let error = failure.error.as_deref().unwrap_or_default();
        println!("FAIL {} ({}): {error}", failure.id(), failure.fork);
    }
    if failures.len() > FAILURES_SHOWN_MAX {
        println!("… and {} more", failures.len() - FAILURES_SHOWN_MAX);
    }
    for fault in &report.faults {
        println!("ERROR {fault}");
    }
    print!("{}", table(report));
    println!("{}", summary(report, options));
}

fn table(report: &Report) -> String {
    let mut text = String::new();
    for (kind, tally) in &report.tallies {
        let Tally { files, tests, passed, work } = tally;
        let seconds = work.as_secs_f64();
        let rate = *tests as f64 / seconds.max(1e-9);
        let kind = kind.name();
        let _ = writeln!(
            text,
            "{kind:<12} {files:>6} files {tests:>7} tests {passed:>7} passed {seconds:>8.1} s of work {rate:>8.0} tests/s"
        );
    }
    text
}

fn summary(report: &Report, options: &Options) -> String {
    let tests = report.outcomes.len();
    let passed = report.outcomes.iter().filter(|outcome| outcome.pass).count();
    let unexpected = report.failures(options).count();
    let expected = tests - passed - unexpected;
    let seconds = report.elapsed.as_secs_f64();
    let mut text = format!("{tests} tests, {passed} passed, {unexpected} failed");
    if expected > 0 {
        let _ = write!(text, ", {expected} failed as expected");
    }
    let _ = write!(text, ", {} errors, {seconds:.1} s", report.faults.len());
    if let Some(bytes) = peak_memory_bytes() {
        let _ = write!(text, ", {} MiB at most", bytes >> 20);
    }
    if report.files_of_other_kinds > 0 {
        let _ = write!(text, ", {} files of other suites", report.files_of_other_kinds);
    }
    if report.files_withdrawn > 0 {
        let _ = write!(text, ", {} files of withdrawn features", report.files_withdrawn);
    }
    text
}

/// The most memory that the process has held so far, where the system tells (Linux: `VmHWM`).
fn peak_memory_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()?.checked_mul(1 << 10)
}

/// Says what was wrong with the arguments, and gives the exit code for it.
pub(super) fn usage_error(error: &str) -> ExitCode {
    eprintln!("error: {error}");
    ExitCode::from(2)
}

/// Prints the version as tools that drive `evm` look for it.
pub(super) fn evm_version() {
    println!("evm version {}-balsa", env!("CARGO_PKG_VERSION"));
}
