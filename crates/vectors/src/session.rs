//! One run: every document of the sources, each test by its suite's runner.

use crate::fixture::{Kind, RawTest, tests_of};
use crate::index::{Index, Listed};
use crate::outcome::Place;
use crate::source::{Document, SourceError, for_each};
use crate::{Options, Outcome, suite, withdrawn};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// What a run saw and did.
#[derive(Debug, Default)]
pub struct Report {
    /// What became of each test, in the order of the sources.
    pub outcomes: Vec<Outcome>,
    /// What was wrong with the run itself: an unreadable source, a malformed file, a vector that was never run.
    pub faults: Vec<String>,
    /// Tests, passed tests and working time by kind.
    pub tallies: BTreeMap<Kind, Tally>,
    /// Files of other kinds than those asked for.
    pub files_of_other_kinds: usize,
    /// Files left out because their feature was withdrawn.
    pub files_withdrawn: usize,
    /// How long the run took.
    pub elapsed: Duration,
}

/// How many tests of a kind there were.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// Files opened.
    pub files: usize,
    /// Outcomes: a state test has one for each variant.
    pub tests: usize,
    /// Passed outcomes.
    pub passed: usize,
    /// Working time of all threads.
    pub work: Duration,
}

/// Runs every test of the given kinds in `paths`.
pub fn run(kinds: &[Kind], paths: &[PathBuf], options: &Options) -> Report {
    let start = Instant::now();
    let work = |document: &Document| examine(kinds, document, options);
    let (examined, errors) = for_each(paths, options.jobs, work);
    let mut report = Report::default();
    let mut index = Index::new(kinds, options);
    report.faults.extend(errors.iter().map(SourceError::to_string));
    for document in examined {
        report.add(document, &mut index);
    }
    report.faults.extend(index.never_run());
    report.judge_expected_failures(options);
    if report.outcomes.is_empty() && report.faults.is_empty() {
        report.faults.push("no test was run".to_owned());
    }
    report.elapsed = start.elapsed();
    report
}

/// What one document gave.
enum Examined {
    /// A file that holds no vectors; the listed tests, if it is a pack's index.
    NotAVector(Vec<Listed>),
    Withdrawn,
    OtherKind,
    Fault(String),
    Run {
        kind: Kind,
        path: String,
        tests: Vec<String>,
        outcomes: Vec<Outcome>,
        work: Duration,
    },
}

fn examine(kinds: &[Kind], document: &Document, options: &Options) -> Examined {
    let path = &document.path;
    if Kind::is_not_a_vector(path) {
        return Examined::NotAVector(crate::index::parse(path, &document.bytes));
    }
    if withdrawn::reason(path).is_some() {
        return Examined::Withdrawn;
    }
    match Kind::of(path, &document.bytes) {
        Some(kind) if kinds.contains(&kind) => run_document(kind, document, options),
        Some(_) => Examined::OtherKind,
        None => Examined::Fault(format!("{path}: not a vector of any known format")),
    }
}

fn run_document(kind: Kind, document: &Document, options: &Options) -> Examined {
    let start = Instant::now();
    let path = document.path.clone();
    let (tests, outcomes) = if kind == Kind::Basic {
        (Vec::new(), suite::basic::run(&path, &document.bytes, options))
    } else {
        match tests_of(&document.bytes) {
            Ok(tests) => run_tests(kind, &path, &tests, options),
            Err(error) => return Examined::Fault(format!("{path}: {error}")),
        }
    };
    Examined::Run { kind, path, tests, outcomes, work: start.elapsed() }
}

fn run_tests(kind: Kind, path: &str, tests: &[RawTest<'_>], options: &Options) -> (Vec<String>, Vec<Outcome>) {
    let file = path.into();
    let mut outcomes = Vec::new();
    for test in tests.iter().filter(|test| options.selects_test(&test.name)) {
        let place = Place { file: std::sync::Arc::clone(&file), name: (*test.name).into() };
        let before = outcomes.len();
        // A panic is a fault of ours: it fails its own test, and the run goes on to show the others.
        let run = catch_unwind(AssertUnwindSafe(|| suite::run(kind, &place, test, options)));
        match run {
            Ok(of_test) => outcomes.extend(of_test),
            Err(panic) => {
                let error = format!("panicked: {}", panic_message(&*panic));
                outcomes.push(Outcome::new(&place, "", Err(error)));
            }
        }
        if outcomes.len() == before && options.fork.is_none() && options.variant.is_none() {
            outcomes.push(Outcome::new(&place, "", Err("the test ran nothing".to_owned())));
        }
    }
    (tests.iter().map(|test| test.name.to_string()).collect(), outcomes)
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message")
}

impl Report {
    fn add(&mut self, examined: Examined, index: &mut Index) {
        match examined {
            Examined::NotAVector(listed) => index.list(listed),
            Examined::Withdrawn => self.files_withdrawn += 1,
            Examined::OtherKind => self.files_of_other_kinds += 1,
            Examined::Fault(fault) => self.faults.push(fault),
            Examined::Run { kind, path, tests, outcomes, work } => {
                index.saw(&path, &tests);
                let tally = self.tallies.entry(kind).or_default();
                tally.files += 1;
                tally.tests += outcomes.len();
                tally.passed += outcomes.iter().filter(|outcome| outcome.pass).count();
                tally.work += work;
                self.outcomes.extend(outcomes);
            }
        }
    }

    /// Takes expected failures off the failures, and makes a fault of each that passed.
    fn judge_expected_failures(&mut self, options: &Options) {
        let list = &options.expected_failures;
        let mut failed: BTreeMap<&str, bool> = BTreeMap::new();
        for outcome in &self.outcomes {
            if let Some(entry) = list.entry(outcome) {
                *failed.entry(entry).or_default() |= !outcome.pass;
            }
        }
        let passed = failed.iter().filter(|(_, failed)| !**failed);
        let faults: Vec<_> = passed.map(|(entry, _)| format!("expected to fail, but passes: {entry}")).collect();
        self.faults.extend(faults);
    }

    /// The outcomes that failed without being expected to.
    pub fn failures<'a>(&'a self, options: &'a Options) -> impl Iterator<Item = &'a Outcome> {
        let unexpected = |outcome: &&Outcome| options.expected_failures.entry(outcome).is_none();
        self.outcomes.iter().filter(|outcome| !outcome.pass).filter(unexpected)
    }

    /// Whether nothing failed that was not expected to, and nothing was wrong with the run.
    pub fn is_good(&self, options: &Options) -> bool {
        self.faults.is_empty() && self.failures(options).next().is_none()
    }
}
