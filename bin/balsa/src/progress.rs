//! A progress bar on a terminal, nothing in a pipe.

use indicatif::{ProgressBar, ProgressStyle};
use std::time::Duration;

/// How far a command has come with its blocks. Draws on standard error, and only if that is a terminal.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
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
        Self { bar }
    }

    /// One more block is done.
    pub(crate) fn advance(&self) {
        self.bar.inc(1);
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
