//! The program from outside: exit codes, messages and what is left on disk.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};
use tempfile::TempDir;

/// Runs `balsa` in a fresh environment.
fn balsa(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_balsa"));
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("BALSA_")) {
        command.env_remove(name);
    }
    command.args(arguments).output().expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[track_caller]
fn check(arguments: &[&str], code: i32, stderr: &str) -> Output {
    let output = balsa(arguments);
    let found = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {found}");
    assert!(found.contains(stderr), "{arguments:?}: {found}");
    output
}

fn vectors() -> PathBuf {
    if let Some(given) = env::var_os("BALSA_VECTORS") {
        return given.into();
    }
    let workspace = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let beside = workspace.join("../shared/vectors");
    if beside.exists() { beside } else { workspace.join("fixtures/vectors") }
}

/// A database directory, and a chain that geth made: 600 blocks to Prague.
struct Setting {
    dir: TempDir,
    genesis: String,
    chain: PathBuf,
}

impl Setting {
    fn new() -> Self {
        let devp2p = vectors().join("devp2p-chain");
        let genesis = devp2p.join("genesis.json").to_string_lossy().into_owned();
        Self { dir: TempDir::new().expect("a directory"), genesis, chain: devp2p.join("chain.rlp") }
    }

    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).to_string_lossy().into_owned()
    }

    fn file(&self, name: &str, bytes: &[u8]) -> String {
        fs::write(self.dir.path().join(name), bytes).expect("a temporary file is written");
        self.path(name)
    }

    fn chain(&self) -> Vec<u8> {
        fs::read(&self.chain).unwrap_or_else(|error| panic!("{}: {error}", self.chain.display()))
    }

    #[track_caller]
    fn check(&self, arguments: &[&str], code: i32, stderr: &str) -> Output {
        let datadir = self.path("db");
        let mut all = arguments.to_vec();
        all.extend(["--datadir", &datadir, "--network", &self.genesis]);
        check(&all, code, stderr)
    }

    #[track_caller]
    fn check_head(&self, number: u64) {
        let output = self.check(&["db", "stats"], 0, "");
        let found = text(&output.stdout);
        assert!(found.contains(&format!("head        {number} 0x")), "{found}");
    }
}

/// Where each block of a chain file begins.
fn offsets(chain: &[u8]) -> Vec<usize> {
    let mut rest = chain;
    let mut offsets = Vec::new();
    while !rest.is_empty() {
        offsets.push(chain.len() - rest.len());
        alloy_rlp::Header::decode_bytes(&mut rest, true).expect("a list");
    }
    offsets
}

#[test]
fn a_chain_comes_back_as_it_went_in() {
    let setting = Setting::new();
    let chain = setting.chain.to_string_lossy().into_owned();
    setting.check(&["import", &chain], 0, "imported=600 known=0 failed_files=0 head=600");
    setting.check(&["import", &chain], 0, "imported=0 known=600 failed_files=0 head=600");
    let out = setting.path("out.rlp");
    setting.check(&["export", &out], 0, "");
    assert!(fs::read(&out).expect("the export") == setting.chain(), "the export differs from what was imported");

    let part = setting.path("part.rlp");
    setting.check(&["export", &part, "--first", "10", "--last", "19"], 0, "");
    let whole = setting.chain();
    let offsets = offsets(&whole);
    assert!(fs::read(&part).expect("the export") == whole[offsets[9]..offsets[19]]);

    let output = setting.check(&["db", "verify-trie"], 0, "");
    let found = text(&output.stdout);
    assert!(
        found.starts_with("block 600 0x") && found.contains("is right: ") && found.contains(" accounts"),
        "{found}"
    );

    setting.check(&["export", &out, "--last", "601"], 2, "no part of a chain that ends at block 600");
    setting.check(&["removedb"], 1, "--force deletes without asking");
    setting.check_head(600);
    setting.check(&["removedb", "--force"], 0, "");
    assert!(!Path::new(&setting.path("db")).exists());
}

#[test]
fn a_bad_block_ends_its_file_and_the_head_stays_valid() {
    let setting = Setting::new();
    let mut chain = setting.chain();
    let offsets = offsets(&chain);
    // The state root of block 101: its list's header is three bytes long, the header's three, then the parent's and
    // the ommers' hash and the beneficiary, each with a byte before it.
    let state_root = offsets[100] + 3 + 3 + 33 + 33 + 21 + 1;
    chain[state_root] ^= 1;
    let bad = setting.file("bad.rlp", &chain);
    let output = setting.check(&["import", &bad], 1, "bad.rlp: block 101 0x");
    assert!(text(&output.stderr).contains("state root"), "{}", text(&output.stderr));
    setting.check_head(100);

    // A folder of a block each: what follows a bad block is tried.
    let folder = setting.dir.path().join("blocks");
    fs::create_dir(&folder).expect("a folder");
    fs::write(folder.join("0001.rlp"), &chain[offsets[100]..offsets[101]]).expect("a bad block");
    fs::write(folder.join("0002.rlp"), &setting.chain()[offsets[100]..offsets[101]]).expect("a good block");
    let folder = folder.to_string_lossy().into_owned();
    setting.check(&["import", &folder], 1, "imported=1 known=0 failed_files=1 head=101");
    setting.check_head(101);
}

#[test]
fn bad_input_leaves_no_database() {
    let setting = Setting::new();
    let whole = setting.chain();
    let cut = setting.file("cut.rlp", &whole[..whole.len() - 1]);
    let not_a_chain = setting.file("text.rlp", b"hello");
    let lists = setting.file("lists.rlp", b"\xc0");
    let chain = setting.chain.to_string_lossy().into_owned();
    setting.check(&["import", &cut], 1, "cut.rlp: item 599 at byte");
    setting.check(&["import", &not_a_chain], 1, "text.rlp: item 0 at byte 0: not an RLP list");
    setting.check(&["import", &chain, "--with-bal", &lists], 1, "lists.rlp: 1 access lists for 0 blocks");
    setting.check(&["import", "missing.rlp"], 1, "missing.rlp: cannot open");
    assert!(!Path::new(&setting.path("db")).exists());
}

#[test]
fn another_chains_database_is_refused() {
    let setting = Setting::new();
    setting.check(&["init"], 0, "database is ready");
    setting.check(&["init"], 0, "database is ready");
    let datadir = setting.path("db");
    check(&["init", "--datadir", &datadir, "--network", "dev"], 1, "not of chain 1337");
    check(&["db", "stats", "--datadir", &datadir, "--network", "dev"], 1, "not of chain 1337");
    let strange = setting.dir.path().join("strange");
    fs::create_dir(&strange).expect("a folder");
    fs::write(strange.join("file"), b"").expect("a file");
    let strange = strange.to_string_lossy().into_owned();
    check(&["init", "--datadir", &strange, "--network", "dev"], 1, "not a balsa database");
    check(&["db", "stats", "--datadir", &setting.path("none")], 1, "there is no database");
    check(&["db", "verify-trie", "--datadir", &setting.path("none")], 2, "there is no database");
    setting.check(&["db", "verify-trie"], 0, "");
}

#[test]
fn wrong_questions_end_with_two() {
    check(&["--http.port", "many"], 2, "invalid value 'many' for '--http.port");
    check(&["node", "--dev.period", "soon"], 2, "--dev.period");
    check(&["import"], 2, "required");
    check(&["init", "--network", "oslo"], 2, "\"oslo\" is not a known network");
    check(&["version", "--workers", "0"], 2, "not a number from 1 to 1024");
    let output = check(&["--version"], 0, "");
    assert_eq!(text(&output.stdout), format!("balsa {}\n", env!("CARGO_PKG_VERSION")));
    let output = check(&["version"], 0, "");
    assert!(text(&output.stdout).starts_with(&format!("balsa {}\n", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn a_benchmark_reports_what_it_promises() {
    let setting = Setting::new();
    let chain = setting.chain();
    let short = setting.file("short.rlp", &chain[..offsets(&chain)[20]]);
    let arguments = ["import-bench", &short, "--network", &setting.genesis, "--warmup", "0", "--repeat", "2"];
    let mut json = arguments.to_vec();
    json.extend(["--json", "-"]);
    let output = check(&json, 0, "no block of this chain has an access list");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON alone on standard output");
    assert_eq!(report["chain"]["blocks"], 20);
    assert_eq!(report["serial"]["paths"]["sequential"], 20);
    assert!(report["serial"]["stages_ms"]["execute"]["mean"].as_f64().is_some_and(|ms| ms > 0.0));
    assert!(report["serial"]["stages_ms"]["merkleize"]["mean"].as_f64().is_some_and(|ms| ms > 0.0));

    let mut lines = arguments.to_vec();
    lines.extend(["--mode", "serial", "--blocks"]);
    let output = check(&lines, 0, "");
    let found = text(&output.stdout);
    assert_eq!(found.lines().filter(|line| line.starts_with("block ")).count(), 40, "{found}");
    assert!(found.contains("serial") && !found.contains("parallel against"), "{found}");
}

/// The committed chain, with lists, under Amsterdam.
fn quick(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/quick").join(name)
}

#[test]
fn lists_come_back_as_they_went_in() {
    let dir = TempDir::new().expect("a directory");
    let path = |name: &str| dir.path().join(name).to_string_lossy().into_owned();
    let [genesis, chain, lists] =
        ["genesis.json", "chain.rlp", "bals.rlp"].map(|name| quick(name).to_string_lossy().into_owned());
    let (with, without) = (path("with"), path("without"));
    let base = ["import", &chain, "--network", &genesis, "--datadir"];
    check(&[&base[..], &[&with, "--with-bal", &lists]].concat(), 0, "imported=24 known=0 failed_files=0 head=24");
    check(&[&base[..], &[&without]].concat(), 0, "imported=24 known=0 failed_files=0 head=24");
    for datadir in [with, without] {
        let (out_chain, out_lists) = (path("out.rlp"), path("out-bals.rlp"));
        check(&["export", &out_chain, "--export-bal", &out_lists, "--datadir", &datadir], 0, "");
        assert!(fs::read(out_chain).expect("the export") == fs::read(&chain).expect("the chain"));
        assert!(fs::read(out_lists).expect("the export") == fs::read(&lists).expect("the lists"));
    }
    let recorded = path("recorded.rlp");
    check(&["import-bench", &quick("").to_string_lossy(), "--export-bal", &recorded], 0, "");
    assert!(fs::read(recorded).expect("the lists") == fs::read(&lists).expect("the lists"));
}

#[test]
fn a_wrong_list_is_refused_with_its_block() {
    let dir = TempDir::new().expect("a directory");
    let path = |name: &str| dir.path().join(name).to_string_lossy().into_owned();
    let mut lists = fs::read(quick("bals.rlp")).expect("the lists");
    let fifth = offsets(&lists)[4];
    lists[fifth + 20] ^= 1;
    fs::write(path("bals.rlp"), lists).expect("a temporary file is written");
    let [genesis, chain] = ["genesis.json", "chain.rlp"].map(|name| quick(name).to_string_lossy().into_owned());
    let arguments =
        ["import", &chain, "--network", &genesis, "--with-bal", &path("bals.rlp"), "--datadir", &path("db")];
    let output = check(&arguments, 1, "chain.rlp: block 5 0x");
    assert!(text(&output.stderr).contains("block access list"), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("imported=4 known=0 failed_files=1 head=4"), "{}", text(&output.stderr));
}

#[test]
fn both_modes_import_the_committed_chain() {
    let quick = quick("").to_string_lossy().into_owned();
    let output = check(&["import-bench", &quick, "--warmup", "0", "--repeat", "1", "--json", "-"], 0, "");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON alone on standard output");
    assert_eq!(report["serial"]["paths"]["sequential"], 24);
    let paths = &report["parallel"]["paths"];
    assert_eq!((&paths["sequential"], &paths["fallback"]), (&0.into(), &0.into()), "{paths}");
    assert!(report["execute_speedup"].is_number() && report["block_speedup"].is_number());
    assert!(report["merkleize_hidden_share"].as_f64().is_some_and(|share| share > 0.0));
    assert!(report["peak_rss_bytes"].as_u64().is_some_and(|bytes| bytes > 1 << 20));
}

#[test]
fn stages_that_are_switched_off_change_no_block() {
    let quick = quick("").to_string_lossy().into_owned();
    let arguments = ["import-bench", &quick, "--warmup", "0", "--repeat", "1", "--mode", "parallel", "--json", "-"];
    let report = |off: &[&str]| -> serde_json::Value {
        let output = check(&[&arguments[..], off].concat(), 0, "");
        serde_json::from_slice(&output.stdout).expect("JSON alone on standard output")
    };
    let without = report(&["--no-bal-prefetch", "--no-bal-parallel-trie"]);
    let stages = &without["parallel"]["stages_ms"];
    assert_eq!(without["parallel"]["paths"]["fallback"], 0);
    assert_eq!(stages["prefetch"]["mean"].as_f64().unwrap_or(0.0), 0.0, "{stages}");
    let hidden = without["merkleize_hidden_share"].as_f64().unwrap_or(0.0);
    assert!(hidden < 0.2, "{hidden} of the merkleizer is hidden, and it was to run after the transactions");
    assert_eq!(report(&["--no-bal-parallel-exec"])["serial"]["paths"]["sequential"], 24);
}

#[test]
fn an_interrupt_ends_the_work_and_clears_up() {
    let setting = Setting::new();
    let scratch = setting.dir.path().join("scratch");
    fs::create_dir(&scratch).expect("a folder");
    let mut bench = Command::new(env!("CARGO_BIN_EXE_balsa"))
        .args(["import-bench", "--network", &setting.genesis, "--warmup", "0", "--repeat", "1000", "--blocks"])
        .arg(&setting.chain)
        .env("TMPDIR", &scratch)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut first = String::new();
    BufReader::new(bench.stdout.as_mut().expect("a pipe")).read_line(&mut first).expect("a line");
    assert!(first.starts_with("block "), "{first}");
    let sent = Command::new("kill").args(["-INT", &bench.id().to_string()]).status().expect("kill starts");
    assert!(sent.success());
    let output = bench.wait_with_output().expect("the program ends");
    assert_eq!(output.status.code(), Some(130));
    assert!(text(&output.stderr).contains("interrupted"), "{}", text(&output.stderr));
    let left: Vec<_> = fs::read_dir(&scratch).expect("the folder").collect();
    assert!(left.is_empty(), "{left:?}");
}
