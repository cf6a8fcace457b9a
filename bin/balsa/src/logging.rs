//! Where log lines go: to standard error, so that standard output carries results only, and to a file if one is named.

mod json_line;
mod rotating_file;

pub(crate) use json_line::JSON_LINE;

use crate::{
    error::CommandError,
    options::{GlobalOptions, LogColor, LogFormat, LogLevel, LogOptions},
};
use json_line::OrJsonLine;
use rotating_file::RotatingFile;
use std::{
    io::{self, IsTerminal},
    sync::Mutex,
};
use tracing::{Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{
    Layer, Registry, filter::Targets, fmt::MakeWriter, layer::SubscriberExt, registry::LookupSpan,
    util::SubscriberInitExt,
};

/// Starts logging, with a further layer that a command brings.
///
/// # Errors
/// If the file for the log cannot be opened.
pub(crate) fn start<L>(options: &GlobalOptions, further: L) -> Result<(), CommandError>
where
    L: Layer<Registry> + Send + Sync,
{
    let color = match options.log.color {
        LogColor::Auto => io::stderr().is_terminal(),
        LogColor::Always => true,
        LogColor::Never => false,
    };
    let (level, format) = (level(options.log_level()), options.log.format);
    let file = file(&options.log)?.map(|file| lines(Mutex::new(file), false, format, level));
    let terminal = lines(io::stderr, color, format, level);
    // A second start, as in tests, is refused; the first one stands.
    let _ = tracing_subscriber::registry().with(further).with(terminal).with(file).try_init();
    Ok(())
}

/// Lines of one form to one place.
fn lines<S, W>(writer: W, color: bool, format: LogFormat, level: LevelFilter) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt::layer().with_writer(writer).with_ansi(color).with_target(false);
    match format {
        LogFormat::Terminal => lines.map_event_format(OrJsonLine).with_filter(targets(level)).boxed(),
        LogFormat::Json => lines.json().map_event_format(OrJsonLine).with_filter(targets(level)).boxed(),
    }
}

fn file(options: &LogOptions) -> Result<Option<RotatingFile>, CommandError> {
    let Some(path) = options.file() else { return Ok(None) };
    let bytes_max = options.file_megabytes_max.saturating_mul(1 << 20);
    let failed = |error| CommandError::file(&path, "open", error);
    RotatingFile::open(path.clone(), bytes_max, options.files_max).map(Some).map_err(failed)
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
