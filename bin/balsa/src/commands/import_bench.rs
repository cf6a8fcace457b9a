//! `import-bench`: what importing a chain costs, sequentially and in parallel, stage by stage.

use crate::{
    bench::{
        csv,
        measure::Bench,
        memory,
        report::{Report, Settings},
        sample::{Mode, Run},
        stage_recorder::{StageRecorder, StageSpans},
        subject::Subject,
        text,
    },
    error::CommandError,
    interrupt::Interrupt,
    launch::Parts,
    logging,
    options::{ExecutionOptions, GlobalOptions},
    progress::Progress,
};
use balsa_executor::ExecutionMode;
use balsa_storage::Identity;
use clap::{Args, ValueEnum};
use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};
use tempfile::TempDir;
use tracing_subscriber::Layer;

/// Imports a chain over and over, each time into a fresh database, and shows what each stage costs.
#[derive(Debug, Args)]
pub(crate) struct ImportBench {
    /// A chain file, a directory of them, a fixture's folder with genesis.json, chain.rlp and bals.rlp, or a load by
    /// name (quick, mainnet-mix, stress), which is generated when it is first asked for [default: quick].
    #[arg(value_name = "FILE|DIR|LOAD")]
    chain: Option<PathBuf>,
    /// The blocks' access lists: concatenated list RLP, one for each block that has one. Without it they are recorded
    /// in a sequential run before the measured ones.
    #[arg(long, value_name = "FILE")]
    with_bal: Option<PathBuf>,
    /// Only write the blocks' access lists to this file, as a sequential run records them, and measure nothing.
    #[arg(long, value_name = "FILE", conflicts_with = "with_bal")]
    export_bal: Option<PathBuf>,
    /// Which executors to measure.
    #[arg(long, value_name = "MODE", value_enum, default_value_t = Modes::Both)]
    mode: Modes,
    /// Runs of each mode that do not count.
    #[arg(long, value_name = "N", default_value_t = 1)]
    warmup: usize,
    /// Runs of each mode that count. Two or more give a confidence interval.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = at_least_one)]
    repeat: usize,
    /// Begin at the genesis block even if --datadir holds a database, which stays as it is.
    #[arg(long)]
    removedb: bool,
    /// How blocks are executed.
    #[command(flatten)]
    execution: ExecutionOptions,
    /// Print a line for each block of each measured run.
    #[arg(long)]
    blocks: bool,
    /// Write the report as JSON to this file; - is standard output, in place of the text.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write a table of all blocks as CSV to this file; - is standard output, in place of the text.
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
}

/// Which executors to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Modes {
    /// The sequential one.
    Serial,
    /// The parallel one.
    Parallel,
    /// Both, by turns.
    Both,
}

impl ImportBench {
    /// Runs the command.
    pub(crate) fn run(&self, global: &GlobalOptions) -> Result<ExitCode, CommandError> {
        let recorder = StageRecorder::default();
        logging::start(global, recorder.clone().with_filter(StageSpans))?;
        let interrupt = Interrupt::listen().map_err(CommandError::Signals)?;

        let subject = Subject::find(self.chain.as_deref(), self.with_bal.as_deref(), global)?;
        let parts = Parts::on(global, subject.genesis.clone())?.with_stages(self.execution.stages());
        let base = global.datadir.as_deref().filter(|_| !self.removedb);
        let place = Place::find(base, &parts)?;
        let bench = Bench {
            subject: &subject,
            parts: &parts,
            base: &place.base,
            scratch: place.scratch.path(),
            recorder: &recorder,
            interrupt: &interrupt,
        };
        if let Some(path) = &self.export_bal {
            bench.record_lists(path, &Progress::blocks("record lists", subject.count.blocks))?;
            return Ok(ExitCode::SUCCESS);
        }
        let lists = self.lists(&bench)?;
        let runs = self.measure(&bench, lists.as_deref())?;

        let settings = Settings { warmup: self.warmup, repeat: self.repeat, workers: global.workers() };
        let peak = memory::peak_rss_bytes().map_err(CommandError::Memory)?;
        let report = Report::of(subject.name.clone(), settings, &runs, peak);
        self.print(&report, &runs)?;
        match runs.iter().map(|run| run.paths.fallback).sum() {
            0 => Ok(ExitCode::SUCCESS),
            fallbacks => Err(CommandError::Fallback(fallbacks)),
        }
    }

    /// The modes to measure. Without parallel execution there is only one.
    fn modes(&self) -> &'static [Mode] {
        match (self.execution.mode(), self.mode) {
            (ExecutionMode::Sequential, _) | (_, Modes::Serial) => &[Mode::Serial],
            (_, Modes::Parallel) => &[Mode::Parallel],
            (_, Modes::Both) => &[Mode::Serial, Mode::Parallel],
        }
    }

    /// The file of lists that the parallel runs take, recorded if there is none.
    fn lists(&self, bench: &Bench<'_>) -> Result<Option<PathBuf>, CommandError> {
        let subject = bench.subject;
        if self.modes() == [Mode::Serial] || subject.lists.is_some() {
            return Ok(subject.lists.clone());
        }
        if subject.count.with_list == 0 {
            tracing::warn!("no block of this chain has an access list: parallel runs will be sequential");
            return Ok(None);
        }
        let path = bench.scratch.join("lists.rlp");
        bench.record_lists(&path, &Progress::blocks("record lists", subject.count.blocks))?;
        Ok(Some(path))
    }

    /// The measured runs. The modes take turns, so that a machine that grows slower does so for both.
    fn measure(&self, bench: &Bench<'_>, lists: Option<&Path>) -> Result<Vec<Run>, CommandError> {
        let modes = self.modes();
        let mut runs = Vec::new();
        for round in 0..self.warmup + self.repeat {
            for mode in modes {
                let is_warmup = round < self.warmup;
                let progress =
                    Progress::blocks(if is_warmup { "warm up" } else { mode.name() }, bench.subject.count.blocks);
                let run = bench.run(*mode, lists, &progress, |block| {
                    if self.blocks && !is_warmup {
                        progress.line(&text::block_line(*mode, block));
                    }
                })?;
                if !is_warmup {
                    runs.push(run);
                }
            }
        }
        Ok(runs)
    }

    fn print(&self, report: &Report, runs: &[Run]) -> Result<(), CommandError> {
        if let Some(path) = &self.json {
            write_to(path, |out| {
                serde_json::to_writer_pretty(&mut *out, report)?;
                writeln!(out)
            })?;
        }
        if let Some(path) = &self.csv {
            write_to(path, |mut out| csv::write(&mut out, runs))?;
        }
        if is_stdout(self.json.as_deref()) || is_stdout(self.csv.as_deref()) {
            return Ok(());
        }
        io::stdout().write_all(text::summary(report).as_bytes()).map_err(CommandError::Output)
    }
}

/// Where the runs' databases lie.
struct Place {
    base: PathBuf,
    scratch: TempDir,
}

impl Place {
    /// The database in `dir` is the base, if there is one: then the runs lie beside it, since files are linked.
    /// Otherwise the base is a new database of the genesis block.
    fn find(dir: Option<&Path>, parts: &Parts) -> Result<Self, CommandError> {
        if let Some(dir) = dir
            && Identity::read(dir)?.is_some()
        {
            // Closed at once: whatever a crash left to execute again is not part of any run.
            let mut chain = parts.open(dir, ExecutionMode::Auto)?;
            chain.flush_to_head()?;
            chain.close()?;
            let beside = dir.canonicalize().map_err(|error| CommandError::file(dir, "find", error))?;
            let scratch = scratch(|builder| builder.tempdir_in(beside.parent().unwrap_or(&beside)))?;
            return Ok(Self { base: dir.to_owned(), scratch });
        }
        let scratch = scratch(|builder| builder.tempdir())?;
        let base = scratch.path().join("base");
        let mut chain = parts.open(&base, ExecutionMode::Auto)?;
        chain.settle()?;
        chain.close()?;
        Ok(Self { base, scratch })
    }
}

fn scratch(make: impl FnOnce(&tempfile::Builder<'_, '_>) -> io::Result<TempDir>) -> Result<TempDir, CommandError> {
    make(tempfile::Builder::new().prefix("balsa-bench-")).map_err(CommandError::Scratch)
}

fn is_stdout(path: Option<&Path>) -> bool {
    path == Some(Path::new("-"))
}

fn write_to(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), CommandError> {
    if is_stdout(Some(path)) {
        return write(&mut io::stdout().lock()).map_err(CommandError::Output);
    }
    let io = |what| move |error| CommandError::file(path, what, error);
    let mut file = BufWriter::new(File::create(path).map_err(io("create"))?);
    write(&mut file).and_then(|()| file.flush()).map_err(io("write"))
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count) if count > 0 => Ok(count),
        _ => Err("not a number from 1 on".to_owned()),
    }
}
