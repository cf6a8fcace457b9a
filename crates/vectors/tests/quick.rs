//! A fixed, quick share of every official suite, where the packs are found. `scripts/vectors-all` runs all of it.
#![allow(missing_docs, reason = "a test has no users")]
#![expect(clippy::print_stderr, reason = "what was not found must be said")]

use balsa_vectors::fixture::Kind;
use balsa_vectors::{ExpectedFailures, Options, session};
use regex::Regex;
use std::path::{Path, PathBuf};

/// Packs that are run: the pack, the tests of it that are run by name, and how many these are at least.
///
/// Whole packs where they are small; of the large ones one test in some hundreds, chosen by name.
const SHARE: [(&str, &str, usize); 9] = [
    ("amst-7928-dev", "bal_(invalid|7702|selfdestruct|create)", 100),
    ("amst-state-dev", "warm_coinbase|invalid_tx", 40),
    ("mainnet-bpo", "", 90),
    ("mainnet-osaka-bc", "system_contract|eip7825|withdrawal_requests_fork", 20),
    ("mainnet-osaka-engine", "eip7685|invalid_(deposit|pre_fork)", 20),
    ("mainnet-prague-bc", "system_contract", 10),
    ("amst-legacy-engine-dev", "eip4788.*(calldata_lengths|fork)", 5),
    ("ethereum-tests", "^(add|sub|TransactionWith|RLP|difficulty|DifficultyTest|ommers|basefee|uncle)", 4_000),
    ("ethereum-tests", "(At5|AtTime15k|AtDiffC0000)$", 15),
];

fn folder() -> PathBuf {
    if let Some(folder) = std::env::var_os("BALSA_VECTORS") {
        return folder.into();
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let shared = root.join("../shared/vectors");
    if shared.exists() { shared } else { root.join("fixtures/vectors") }
}

#[test]
fn a_quick_share_of_every_suite_passes() {
    let folder = folder();
    let mut missing = Vec::new();
    for (pack, run, at_least) in SHARE {
        let path = folder.join(format!("{pack}.tar.zst"));
        if path.exists() {
            check(&path, run, at_least);
        } else {
            missing.push(pack);
        }
    }
    if !missing.is_empty() {
        eprintln!("{}: no {}; scripts/vectors fetches the official releases", folder.display(), missing.join(", "));
        assert!(std::env::var_os("BALSA_VECTORS_REQUIRED").is_none(), "vectors are required and not there");
    }
}

fn check(path: &Path, run: &str, at_least: usize) {
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/vectors/expected-failures.txt");
    let options = Options {
        run: Some(Regex::new(run).unwrap()),
        rules: vec!["Amsterdam=BPO2+EIP7928".parse().unwrap()],
        jobs: 2,
        expected_failures: ExpectedFailures::read(&list).unwrap(),
        ..Options::default()
    };
    let report = session::run(&Kind::ALL, &[path.to_owned()], &options);
    let failures: Vec<_> = report.failures(&options).map(|outcome| (outcome.id(), &outcome.error)).collect();
    assert!(report.faults.is_empty(), "{}: {:?}", path.display(), report.faults);
    assert!(failures.is_empty(), "{}: {failures:#?}", path.display());
    assert!(report.outcomes.len() >= at_least, "{}: only {} tests", path.display(), report.outcomes.len());
}
