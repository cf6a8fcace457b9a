//! How far long work has come: a progress bar on a terminal, a log line now and then elsewhere.

use indicatif::{ProgressBar, ProgressStyle};
use std::{
    cell::Cell,
    time::{Duration, Instant},
};

/// How long nothing is said where no bar can be drawn.
const SILENCE: Duration = Duration::from_secs(8);

/// How far a command has come with its blocks. The bar stands on standard error, and only if that is a terminal.
#[derive(Debug)]
pub(crate) struct Progress {
    what: &'static str,
    bar: ProgressBar,
    last_said: Cell<Instant>,
}

impl Progress {
    /// A bar of so many blocks.
    pub(crate) fn blocks(what: &'static str, count: usize) -> Self {
        const TEMPLATE: &str = "{msg} {wide_bar} {pos}/{len} blocks, {per_sec}, {eta} left";
        let bar = ProgressBar::new(count as u64).with_message(what);
        if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(250));
        Self { what, bar, last_said: Cell::new(Instant::now()) }
    }

    /// A bar that is full at `whole`; what was done is for the caller to say.
    pub(crate) fn of_whole(what: &'static str, whole: u64) -> Self {
        let bar = ProgressBar::new(whole).with_message(what);
        if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {percent} %, {eta} left") {
            bar.set_style(style);
        }
        Self { what, bar, last_said: Cell::new(Instant::now()) }
    }

    /// How far it has come, and what was done on the way.
    pub(crate) fn reach(&self, position: u64, done: impl FnOnce() -> String) {
        if !self.bar.is_hidden() {
            self.bar.set_position(position);
            self.bar.set_message(format!("{} {}", self.what, done()));
        } else if self.last_said.get().elapsed() >= SILENCE {
            self.last_said.set(Instant::now());
            let percent = 100 * position / self.bar.length().unwrap_or(1).max(1);
            tracing::info!(percent, done = done(), "{}", self.what);
        }
    }

    /// One more block is done.
    pub(crate) fn advance(&self) {
        self.bar.inc(1);
        if self.bar.is_hidden() && self.last_said.get().elapsed() >= SILENCE {
            self.last_said.set(Instant::now());
            tracing::info!(done = self.bar.position(), of = self.bar.length(), "{}", self.what);
        }
    }

    /// Prints a line to standard output, above the bar if there is one.
    #[expect(clippy::print_stdout, reason = "results go to standard output")]
    pub(crate) fn line(&self, line: &str) {
        self.bar.suspend(|| println!("{line}"));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
