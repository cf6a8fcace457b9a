//! A pack's own list of its tests, held against what was run.

use crate::Options;
use crate::fixture::Kind;
use serde::Deserialize;
use std::collections::HashSet;

/// One line of a pack's index.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
pub struct Listed {
    /// The test's name.
    pub id: String,
    /// Its file, inside the pack.
    #[serde(alias = "json_path")]
    pub file: String,
    /// The format's name.
    pub format: String,
}

/// The index that a release holds in its `.meta` folder.
#[derive(Default, Deserialize)]
struct ReleaseIndex {
    test_cases: Vec<Listed>,
}

/// The tests listed by `<pack>/index.json` or a release's `.meta/index.json`, their files prefixed with the folder that
/// these stand in. Empty for other files.
pub fn parse(path: &str, bytes: &[u8]) -> Vec<Listed> {
    let Some(folder) = path.strip_suffix("index.json") else { return Vec::new() };
    let (folder, listed) = match folder.strip_suffix(".meta/") {
        Some(folder) => (folder, serde_json::from_slice::<ReleaseIndex>(bytes).unwrap_or_default().test_cases),
        None => (folder, serde_json::from_slice::<Vec<Listed>>(bytes).unwrap_or_default()),
    };
    let prefix = |listed: Listed| Listed { file: format!("{folder}{}", listed.file), ..listed };
    listed.into_iter().map(prefix).filter(|listed| crate::withdrawn::reason(&listed.file).is_none()).collect()
}

/// What packs list, and what was seen.
pub struct Index {
    kinds: Vec<Kind>,
    /// A run that was asked for less cannot be held against the whole list.
    partial: bool,
    listed: Vec<Listed>,
    seen: HashSet<(String, String)>,
}

impl Index {
    /// For a run of these kinds.
    pub fn new(kinds: &[Kind], options: &Options) -> Self {
        let partial = options.run.is_some() || options.fork.is_some();
        Self { kinds: kinds.to_vec(), partial, listed: Vec::new(), seen: HashSet::new() }
    }

    /// Takes the lines of an index.
    pub fn list(&mut self, listed: Vec<Listed>) {
        self.listed.extend(listed);
    }

    /// Notes that these tests of a file were there.
    pub fn saw(&mut self, path: &str, tests: &[String]) {
        self.seen.extend(tests.iter().map(|test| (path.to_owned(), test.clone())));
    }

    /// One line for each listed test of these kinds that never came up.
    pub fn never_run(&self) -> Vec<String> {
        if self.partial {
            return Vec::new();
        }
        let of_kinds = |listed: &&Listed| kind_named(&listed.format).is_none_or(|kind| self.kinds.contains(&kind));
        let unseen = |listed: &&Listed| !self.seen.contains(&(listed.file.clone(), listed.id.clone()));
        let line = |listed: &Listed| {
            format!("{}::{} ({}) is in the pack's index and was never run", listed.file, listed.id, listed.format)
        };
        self.listed.iter().filter(of_kinds).filter(unseen).map(line).collect()
    }
}

fn kind_named(format: &str) -> Option<Kind> {
    Some(match format {
        "state_test" => Kind::State,
        "blockchain_test" => Kind::Blockchain,
        "blockchain_test_engine" | "blockchain_test_sync" => Kind::Engine,
        "transaction_test" => Kind::Transaction,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listed_test_that_never_came_up_is_named() {
        let json = br#"[{"id": "a", "file": "x.json", "format": "state_test", "size": 1},
                        {"id": "b", "file": "x.json", "format": "state_test"},
                        {"id": "c", "file": "y.json", "format": "blockchain_test"},
                        {"id": "d", "file": "z.json", "format": "new_test"}]"#;
        let release = br#"{"test_count": 2, "test_cases": [
            {"id": "b", "json_path": "state_tests/x.json", "fork": null, "format": "state_test"},
            {"id": "c", "json_path": "blockchain_tests_engine_x/x.json", "format": "blockchain_test_engine_x"}]}"#;
        let listed = parse("fixtures/.meta/index.json", release);
        assert_eq!(listed.iter().map(|listed| &*listed.file).collect::<Vec<_>>(), ["fixtures/state_tests/x.json"]);
        let mut index = Index::new(&[Kind::State], &Options::default());
        index.list(parse("pack/index.json", json));
        index.saw("pack/x.json", &["a".to_owned()]);
        let missing = index.never_run();
        assert_eq!(missing.len(), 2);
        assert!(missing[0].starts_with("pack/x.json::b (state_test)"));
        assert!(missing[1].contains("::d (new_test)"));
    }
}
