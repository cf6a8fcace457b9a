//! `version`.

use crate::error::CommandError;
use std::{
    env::consts::{ARCH, OS},
    io::{self, Write},
    process::ExitCode,
};

/// What `--version` prints after the name. One line: test harnesses take the first.
pub(crate) const LINE: &str = env!("CARGO_PKG_VERSION");

/// Prints the version and what it was built for.
pub(crate) fn run() -> Result<ExitCode, CommandError> {
    let mut out = io::stdout().lock();
    writeln!(out, "balsa {LINE}")
        .and_then(|()| writeln!(out, "platform {OS}-{ARCH}"))
        .and_then(|()| writeln!(out, "database format {}", balsa_storage::FORMAT))
        .and_then(|()| writeln!(out, "latest fork {}", balsa_chainspec::Fork::Amsterdam))
        .map_err(CommandError::Output)?;
    Ok(ExitCode::SUCCESS)
}
