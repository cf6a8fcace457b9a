//! The arrows between crates are those that ARCHITECTURE.md allows: no more, and no circle.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Command,
};

type Arrows = BTreeMap<String, BTreeSet<String>>;

#[test]
fn crates_depend_as_architecture_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = std::fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap();
    let allowed = allowed(&text);
    let found = found(&root);
    assert!(found.len() > 10, "cargo metadata was read wrongly: {found:?}");
    for (name, arrows) in &found {
        let allowed = allowed.get(name).unwrap_or_else(|| panic!("ARCHITECTURE.md does not list {name}"));
        let more: Vec<_> = arrows.difference(allowed).collect();
        assert!(more.is_empty(), "{name} depends on {more:?}, which ARCHITECTURE.md does not allow");
        let fewer: Vec<_> = allowed.difference(arrows).collect();
        assert!(fewer.is_empty(), "ARCHITECTURE.md lets {name} depend on {fewer:?}, and it does not");
    }
    let gone: Vec<_> = allowed.keys().filter(|name| !found.contains_key(*name)).collect();
    assert!(gone.is_empty(), "ARCHITECTURE.md lists {gone:?}, which do not exist");
}

#[test]
fn arrows_point_down() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = std::fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap();
    let mut above = BTreeSet::new();
    for (name, arrows) in lines(&text) {
        let up: Vec<_> = arrows.iter().filter(|to| !above.contains(*to)).collect();
        assert!(up.is_empty(), "{name} points at {up:?}, which stand below it in the list");
        above.insert(name);
    }
}

/// The fenced block `arrows`: a line a crate, lowest first, `name -> what it may depend on`.
fn lines(text: &str) -> Vec<(String, BTreeSet<String>)> {
    let block = text.split("```arrows\n").nth(1).expect("ARCHITECTURE.md has a block `arrows`");
    let block = block.split("```").next().unwrap_or_default();
    let line = |line: &str| {
        let (name, arrows) = line.split_once("->").unwrap_or_else(|| panic!("no arrow in {line:?}"));
        (name.trim().to_owned(), arrows.split_whitespace().map(str::to_owned).collect())
    };
    block.lines().filter(|text| !text.trim().is_empty()).map(line).collect()
}

fn allowed(text: &str) -> Arrows {
    lines(text).into_iter().collect()
}

/// What the manifests say, development dependencies left out.
fn found(root: &Path) -> Arrows {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let short = |name: &str| name.strip_prefix("balsa-").unwrap_or(name).to_owned();
    let packages = metadata["packages"].as_array().unwrap().iter();
    let arrows = |package: &serde_json::Value| {
        let dependencies = package["dependencies"].as_array().unwrap().iter();
        let ours = dependencies.filter(|dependency| dependency["kind"].is_null());
        let names = ours.map(|dependency| dependency["name"].as_str().unwrap());
        names.filter(|name| name.starts_with("balsa-")).map(short).collect()
    };
    packages.map(|package| (short(package["name"].as_str().unwrap()), arrows(package))).collect()
}
