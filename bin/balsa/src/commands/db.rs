//! `db`: a look into the database.

use crate::{error::CommandError, launch, options::GlobalOptions};
use balsa_storage::Store;
use clap::Subcommand;
use std::{
    io::{self, Write},
    process::ExitCode,
};

/// Looks into the database.
#[derive(Debug, Subcommand)]
pub(crate) enum Db {
    /// Print what the database holds, and how large each table is.
    Stats,
}

impl Db {
    /// Runs the command.
    pub(crate) fn run(&self, global: &GlobalOptions) -> Result<ExitCode, CommandError> {
        let Self::Stats = self;
        let store = launch::existing_store(global)?;
        let text = stats(&store)?;
        io::stdout().write_all(text.as_bytes()).map_err(CommandError::Output)?;
        Ok(ExitCode::SUCCESS)
    }
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
