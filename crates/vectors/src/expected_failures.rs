//! Tests that are known to fail, each with its reason.
//!
//! A line holds a test's name (`name`, `file::name`, or `file::name[fork/variant]` for one variant), two spaces
//! or a tab, and the reason. `#` opens a comment.

use crate::Outcome;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// A list of known failures.
#[derive(Debug, Default)]
pub struct ExpectedFailures {
    reasons: HashMap<String, String>,
}

/// What makes a list of known failures unusable.
#[derive(Debug, thiserror::Error)]
pub enum ExpectedFailuresError {
    /// The file cannot be read.
    #[error("{}: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// A line without a reason: a failure that nobody can explain is not an expected one.
    #[error("{}:{line}: no reason given for {name}", path.display())]
    NoReason {
        /// The file.
        path: PathBuf,
        /// The line, from one.
        line: usize,
        /// The test's name.
        name: String,
    },
}

impl ExpectedFailures {
    /// Reads a list from a file.
    ///
    /// # Errors
    /// If it cannot be read, or a line gives no reason.
    pub fn read(path: &Path) -> Result<Self, ExpectedFailuresError> {
        let text = fs::read_to_string(path)
            .map_err(|error| ExpectedFailuresError::Unreadable { path: path.to_owned(), error })?;
        Self::parse(&text, path)
    }

    fn parse(text: &str, path: &Path) -> Result<Self, ExpectedFailuresError> {
        let lines = text.lines().enumerate();
        let lines = lines.filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
        let entry = |(index, line): (usize, &str)| {
            let (name, reason) = line.split_once("  ").or(line.split_once('\t')).unwrap_or((line, ""));
            let (name, reason) = (name.trim().to_owned(), reason.trim().to_owned());
            if reason.is_empty() {
                let (path, line) = (path.to_owned(), index + 1);
                return Err(ExpectedFailuresError::NoReason { path, line, name });
            }
            Ok((name, reason))
        };
        Ok(Self { reasons: lines.map(entry).collect::<Result<_, _>>()? })
    }

    /// The entry that names this outcome's test.
    pub fn entry(&self, outcome: &Outcome) -> Option<&str> {
        if self.reasons.is_empty() {
            return None;
        }
        let test = format!("{}::{}", outcome.file, outcome.name);
        let names = [outcome.id(), test, outcome.name.to_string()];
        names.iter().find_map(|name| self.reasons.get_key_value(name)).map(|(name, _)| name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Place;

    #[test]
    fn a_line_is_a_name_and_a_reason() {
        let path = Path::new("list");
        let text = "# comment\n\na.json::t[x 1]  the suite's root is wrong\nu\tthe suite contradicts itself\n";
        let list = ExpectedFailures::parse(text, path).unwrap();
        let place = |file: &str, name: &str| Place { file: file.into(), name: name.into() };
        let found = |file, name| {
            let outcome = Outcome::new(&place(file, name), "Osaka", Ok(None));
            list.entry(&outcome).map(str::to_owned)
        };
        assert_eq!(found("a.json", "t[x 1]").as_deref(), Some("a.json::t[x 1]"));
        assert_eq!(found("b.json", "t[x 1]"), None);
        assert_eq!(found("b.json", "u").as_deref(), Some("u"));
        let error = ExpectedFailures::parse("name\n", path).unwrap_err();
        assert!(error.to_string().starts_with("list:1: no reason"));
    }
}
