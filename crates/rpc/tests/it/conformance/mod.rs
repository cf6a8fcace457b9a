//! The official request and response files
//! ([execution-apis, tests](https://github.com/ethereum/execution-apis/tree/main/tests)) against a node on their chain.
//!
//! Error messages are not compared, numbers are compared as numbers, everything else must be equal. Where a file says
//! `speconly`, only the shape of the answer is compared. What still fails is listed in `still_failing.txt`, with the
//! reason; a listed file that passes is an error, so the list can only shrink.

mod compare;
mod still_failing;

use std::{
    fs,
    path::{Path, PathBuf},
};

use balsa_chain::GenesisBlock;
use balsa_chainspec::genesis;
use balsa_executor::SealedBlock;
use balsa_rpc::Limits;
use serde_json::Value;

use crate::support::{TestNode, execution_apis, http, open_chain, open_doors};

/// Fewer would mean that the pack was not read.
const FILES_MIN: usize = 200;

#[test]
#[expect(clippy::print_stderr, reason = "how many pass is what one wants to know of a run")]
fn answers_are_those_of_the_official_files() {
    let Some(folder) = execution_apis() else { return };
    let node = node_of(&folder);
    let files = files(&folder);
    assert!(files.len() >= FILES_MIN, "only {} files", files.len());
    let mut failures = Vec::new();
    for path in &files {
        let name = path.strip_prefix(&folder).unwrap().display().to_string();
        if let Err(reason) = check(&node, &fs::read_to_string(path).unwrap()) {
            failures.push((name, reason));
        }
    }
    eprintln!("execution-apis: {} of {} files pass", files.len() - failures.len(), files.len());
    let surprises = still_failing::surprises(&failures);
    assert!(surprises.is_empty(), "{} surprises\n{}", surprises.len(), surprises.join("\n"));
}

/// A node that has imported the chain and follows the fork choice that comes with it.
fn node_of(folder: &Path) -> TestNode {
    let read = |name: &str| fs::read(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    let genesis = GenesisBlock::new(&genesis::parse(&read("genesis.json")).unwrap()).unwrap();
    let (mut chain, chain_folder) = open_chain(&genesis);
    let bytes = read("chain.rlp");
    let mut rest = &bytes[..];
    while !rest.is_empty() {
        chain.import_and_choose(SealedBlock::decode_next(&mut rest).unwrap(), None).unwrap();
    }
    let choice: Value = serde_json::from_slice(&read("headfcu.json")).unwrap();
    let hash = |name: &str| choice["params"][0][name].as_str().unwrap().parse().unwrap();
    let head = hash("headBlockHash");
    chain.set_head(head, Some(hash("safeBlockHash")), Some(hash("finalizedBlockHash"))).unwrap();
    assert_eq!(chain.view().head().hash(), head);
    open_doors((chain, chain_folder), Limits::public())
}

/// All files, in the order of their names: some send transactions that later ones see.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = |folder: &Path| {
        let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        entries.sort();
        entries
    };
    let methods = entries(folder).into_iter().filter(|path| path.is_dir());
    let files = methods.flat_map(|method| entries(&method));
    files.filter(|file| file.extension().is_some_and(|extension| extension == "io")).collect()
}

/// Sends what a file sends, and compares what comes.
fn check(node: &TestNode, text: &str) -> Result<(), String> {
    let shape_only = text.lines().any(|line| line.starts_with("// speconly:"));
    let mut answer: Option<Value> = None;
    for line in text.lines() {
        if let Some(request) = line.strip_prefix(">> ") {
            let body = http(node.http(), request).body;
            answer = Some(serde_json::from_str(&body).map_err(|error| format!("{error}: {body}"))?);
        } else if let Some(expected) = line.strip_prefix("<< ") {
            let expected = serde_json::from_str(expected).map_err(|error| format!("expected answer: {error}"))?;
            let found = answer.take().ok_or("an answer without a request")?;
            if shape_only { compare::shapes(&expected, &found)? } else { compare::answers(&expected, &found)? }
        }
    }
    if answer.is_some() { Err("a request without an answer".into()) } else { Ok(()) }
}
