//! What is known to fail, and why.

use std::collections::BTreeMap;

/// A line a file: its name, then the reason.
const LIST: &str = include_str!("still_failing.txt");

/// What does not agree with the list: files that fail unlisted, and listed ones that do not fail.
pub(super) fn surprises(failures: &[(String, String)]) -> Vec<String> {
    let failures: BTreeMap<&str, &str> =
        failures.iter().map(|(name, reason)| (name.as_str(), reason.as_str())).collect();
    let listed: BTreeMap<&str, &str> = lines().collect();
    let unlisted = failures.iter().filter(|(name, _)| !listed.contains_key(*name));
    let unlisted = unlisted.map(|(name, reason)| format!("fails: {name}: {reason}"));
    let passing = listed.keys().filter(|name| !failures.contains_key(*name));
    let passing = passing.map(|name| format!("passes, or is not there, but is in still_failing.txt: {name}"));
    unlisted.chain(passing).collect()
}

fn lines() -> impl Iterator<Item = (&'static str, &'static str)> {
    let lines = LIST.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| line.split_once(' ').unwrap_or_else(|| panic!("no reason: {line}")))
}
