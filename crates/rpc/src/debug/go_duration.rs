//! Spans of time in the notation of Go, which tracers' options are written in: `5s`, `1m30s`, `250ms`.

use std::{str::FromStr, time::Duration};

use thiserror::Error;

/// A span of time that is not negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GoDuration(pub(crate) Duration);

/// The text is no span of time.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("time: invalid duration {0:?}")]
pub(crate) struct GoDurationError(String);

/// Nanoseconds in each unit; longer names first where one begins another.
const UNITS: [(&str, u64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("ms", 1_000_000),
    ("μs", 1_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

impl FromStr for GoDuration {
    type Err = GoDurationError;

    fn from_str(text: &str) -> Result<Self, GoDurationError> {
        parse(text).map(Self).ok_or_else(|| GoDurationError(text.chars().take(40).collect()))
    }
}

fn parse(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let (mut rest, mut sum) = (text, Duration::ZERO);
    loop {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(end);
        let (unit, nanoseconds) = UNITS.into_iter().find(|(unit, _)| after.starts_with(unit))?;
        let seconds = number.parse::<f64>().ok()? * (nanoseconds as f64 / 1e9);
        sum = sum.checked_add(Duration::try_from_secs_f64(seconds).ok()?)?;
        rest = &after[unit.len()..];
        if rest.is_empty() {
            return Some(sum);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_go_reads_them() {
        for (text, milliseconds) in [
            ("5s", Some(5_000)),
            ("1m30s", Some(90_000)),
            ("250ms", Some(250)),
            ("1.5h", Some(5_400_000)),
            ("2000us", Some(2)),
            ("0", Some(0)),
            ("", None),
            ("5", None),
            ("s", None),
            ("-1s", None),
            ("1..5s", None),
            ("99999999999999999999999999h", None),
            ("5 s", None),
        ] {
            let parsed = text.parse().ok().map(|GoDuration(span)| span.as_millis());
            assert_eq!(parsed, milliseconds, "{text}");
        }
    }
}
