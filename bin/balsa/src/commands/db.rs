//! `db`: a look into the database.

use crate::{error::CommandError, interrupt::Interrupt, launch, options::GlobalOptions, progress::Progress};
use balsa_storage::{Store, VerifyProgress, VerifyTrieError};
use clap::Subcommand;
use std::{
    io::{self, Write},
    ops::ControlFlow,
    process::ExitCode,
    time::Instant,
};

/// Looks into the database.
#[derive(Debug, Subcommand)]
pub(crate) enum Db {
    /// Print what the database holds, and how large each table is.
    Stats,
    /// Compute the state root and the trie's branch records anew from the flat state, and compare them with what is
    /// stored. Ends with 0 if they are right, with 1 and the first wrong place if not, with 2 if it cannot be told. No
    /// node may have the database open.
    VerifyTrie,
}

impl Db {
    /// Runs the command.
    pub(crate) fn run(&self, global: &GlobalOptions) -> Result<ExitCode, CommandError> {
        match self {
            Self::Stats => {
                print(&stats(&launch::existing_store(global)?)?)?;
                Ok(ExitCode::SUCCESS)
            }
            Self::VerifyTrie => match verify_trie(global) {
                Ok(()) => Ok(ExitCode::SUCCESS),
                Err(error) => Ok(verdict(&error)),
            },
        }
    }
}

/// The exit code of a verification that did not find the trie right: a script must know whether it is wrong, or could
/// not be read.
fn verdict(error: &CommandError) -> ExitCode {
    let code = error.report();
    match error {
        CommandError::Trie(VerifyTrieError::Wrong(_) | VerifyTrieError::Malformed(_)) | CommandError::Interrupted => {
            code
        }
        _ => ExitCode::from(2),
    }
}

/// Prints what was found, if that is right.
fn verify_trie(global: &GlobalOptions) -> Result<(), CommandError> {
    let store = launch::existing_store(global)?;
    let snapshot = store.snapshot()?;
    let interrupt = Interrupt::listen().map_err(CommandError::Signals)?;
    // By the first two bytes of the key: keys are hashes, so they come evenly.
    let progress = Progress::of_whole("verifying the trie", 1 << 16);
    let start = Instant::now();
    let rate = |done: &VerifyProgress| {
        let seconds = start.elapsed().as_secs_f64().max(1e-3);
        format!("{} accounts and {} slots, {:.0} rows/s", done.accounts, done.slots, done.rows() as f64 / seconds)
    };
    let found = snapshot.verify_trie(|done| {
        progress.reach(u16::from_be_bytes([done.key[0], done.key[1]]).into(), || rate(done));
        if interrupt.is_asked() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    drop(progress);
    let done = match found {
        Err(VerifyTrieError::Stopped) => return Err(CommandError::Interrupted),
        other => other?,
    };
    let head = snapshot.head().ok_or(VerifyTrieError::NoHead)?;
    print(&format!(
        "block {} {}: state root {} is right: {}, {} branch records, in {:.1} s\n",
        head.number,
        head.hash,
        head.state_root,
        rate(&done),
        done.branches,
        start.elapsed().as_secs_f64()
    ))
}

fn print(text: &str) -> Result<(), CommandError> {
    io::stdout().write_all(text.as_bytes()).map_err(CommandError::Output)
}

fn stats(store: &Store) -> Result<String, CommandError> {
    use std::fmt::Write as _;
    let snapshot = store.snapshot()?;
    let stats = store.stats()?;
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(out, "directory   {}", store.dir().display());
    let _ = match snapshot.head() {
        None => writeln!(out, "head        none"),
        Some(head) => writeln!(out, "head        {} {}\nstate root  {}", head.number, head.hash, head.state_root),
    };
    let _ = writeln!(out, "\n{:<24}{:>16}{:>16}", "table", "rows, about", "bytes");
    for row in &stats.tables {
        let _ = writeln!(out, "{:<24}{:>16}{:>16}", row.table.name(), row.rows_estimate, row.bytes);
    }
    let tables: u64 = stats.tables.iter().map(|row| row.bytes).sum();
    let _ = writeln!(out, "{:<40}{:>16}", "journals", stats.journal_bytes);
    let _ = writeln!(out, "{:<40}{:>16}", "total", tables.saturating_add(stats.journal_bytes));
    Ok(out)
}
