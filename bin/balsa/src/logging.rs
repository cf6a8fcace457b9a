//! Where log lines go: to standard error, so that standard output carries results only.

use crate::options::{GlobalOptions, LogColor, LogFormat, LogLevel};
use std::io::{self, IsTerminal};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{Layer, Registry, filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};

/// Starts logging, with a further layer that a command brings.
pub(crate) fn start<L>(options: &GlobalOptions, further: L)
where
    L: Layer<Registry> + Send + Sync,
{
    let color = match options.log_color {
        LogColor::Auto => io::stderr().is_terminal(),
        LogColor::Always => true,
        LogColor::Never => false,
    };
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr).with_ansi(color).with_target(false);
    let level = targets(level(options.log_level));
    let registry = tracing_subscriber::registry().with(further);
    // A second start, as in tests, is refused; the first one stands.
    let _ = match options.log_format {
        LogFormat::Terminal => registry.with(lines.with_filter(level)).try_init(),
        LogFormat::Json => registry.with(lines.json().with_filter(level)).try_init(),
    };
}

/// Our own crates at the level asked for; others only with what they warn of, unless everything is asked for.
fn targets(level: LevelFilter) -> Targets {
    let others = if level == LevelFilter::TRACE { level } else { level.min(LevelFilter::WARN) };
    Targets::new().with_default(others).with_target("balsa", level)
}

fn level(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Off => LevelFilter::OFF,
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    }
}
