//! How a node starts, and when it refuses to.

use crate::process::{NodeProcess, balsa, exchange};
use serde_json::json;
use std::{fs, os::unix::fs::PermissionsExt, process::Stdio};
use tempfile::TempDir;

#[test]
fn the_secret_is_made_for_its_owner_only_and_a_bad_one_is_refused() {
    let datadir = TempDir::new().expect("a directory");
    let node = NodeProcess::start(datadir.path(), &["--network", "dev"]);
    let path = datadir.path().join("jwt.hex");
    assert_eq!(fs::metadata(&path).expect("it was made").permissions().mode() & 0o777, 0o600);
    assert!(node.terminate().success());

    fs::write(&path, "too short").expect("a file");
    let output = balsa()
        .args(["--network", "dev", "--http.port", "0", "--authrpc.port", "0", "--ipcdisable", "--datadir"])
        .arg(datadir.path())
        .stdin(Stdio::null())
        .output()
        .expect("the program starts");
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(message.contains("jwt.hex") && message.contains("32 bytes"), "{message}");
}

#[test]
fn the_engine_api_is_for_those_who_know_the_secret() {
    let datadir = TempDir::new().expect("a directory");
    let node = NodeProcess::start(datadir.path(), &["--network", "dev"]);
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"engine_exchangeCapabilities","params":[[]]}"#;
    let request = format!(
        "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let answer = exchange(node.door("engine"), &request);
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");

    let answer = node.engine("engine_exchangeCapabilities", &json!([["engine_newPayloadV4"]]));
    let methods = answer["result"].as_array().unwrap_or_else(|| panic!("{answer}"));
    assert!(
        methods.contains(&json!("engine_newPayloadV5")) && !methods.contains(&json!("engine_exchangeCapabilities"))
    );
    for method in methods.iter().filter_map(|method| method.as_str()) {
        let code = node.engine(method, &json!([]))["error"]["code"].as_i64();
        assert_ne!(code, Some(-32601), "{method} is named and not there");
    }
    for (method, params, code) in [
        ("engine_newPayloadV6", json!([]), -38005),
        ("engine_forkchoiceUpdatedV5", json!([]), -38005),
        ("engine_getPayloadV6", json!(["0x0000000000000000"]), -38001),
        ("engine_getPayloadBodiesByRangeV1", json!(["0x0", "0x1"]), -32602),
        ("engine_getPayloadBodiesByRangeV2", json!(["0x1", "0x401"]), -38004),
        ("engine_getBlobsV1", json!([[]]), -38005),
        ("engine_getBlobsV3", json!([vec![format!("0x{}", "01".repeat(32)); 129]]), -38004),
    ] {
        let answer = node.engine(method, &params);
        assert_eq!(answer["error"]["code"], code, "{method}: {answer}");
    }
    let version = node.engine(
        "engine_getClientVersionV1",
        &json!([{"code": "LS", "name": "x", "version": "1", "commit": "00000000"}]),
    );
    assert_eq!((&version["result"][0]["code"], &version["result"][0]["name"]), (&json!("BS"), &json!("balsa")));
    // What is public is not the engine's.
    let answer = node.call("engine_exchangeCapabilities", &json!([[]]));
    assert_eq!(answer["error"]["code"], -32601, "{answer}");
}

#[test]
fn a_node_serves_metrics() {
    let datadir = TempDir::new().expect("a directory");
    let node = NodeProcess::start(datadir.path(), &["--network", "dev", "--metrics", "--metrics.port", "0"]);
    let request = "GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let answer = exchange(node.door("metrics"), request);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    for line in ["balsa_block_number{block=\"head\"} 0", "balsa_pool_transactions{state=\"pending\"} 0"] {
        assert!(answer.contains(line), "{line} is not in {answer}");
    }
}

#[test]
fn a_removed_database_is_made_again_beside_what_the_node_left() {
    let datadir = TempDir::new().expect("a directory");
    assert!(NodeProcess::start(datadir.path(), &["--network", "dev"]).terminate().success());
    let status = balsa().args(["removedb", "--force", "--datadir"]).arg(datadir.path()).status().expect("it starts");
    assert!(status.success() && datadir.path().join("jwt.hex").exists());
    assert!(NodeProcess::start(datadir.path(), &["--network", "dev"]).terminate().success());
}

#[test]
fn a_database_of_another_chain_is_refused() {
    let datadir = TempDir::new().expect("a directory");
    assert!(NodeProcess::start(datadir.path(), &["--network", "dev"]).terminate().success());
    let output = balsa()
        .args(["--network", "sepolia", "--http.port", "0", "--authrpc.port", "0", "--ipcdisable", "--datadir"])
        .arg(datadir.path())
        .output()
        .expect("the program starts");
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_directory_that_takes_no_trie_pages_is_refused_by_name() {
    let directory = TempDir::new().expect("a directory");
    let (missing, file) = (directory.path().join("missing"), directory.path().join("a-file"));
    fs::write(&file, "not a directory").expect("a file");
    for (pages, reason) in [(&missing, "No such file or directory"), (&file, "Not a directory")] {
        let output = balsa()
            .args(["--network", "dev", "--http.port", "0", "--authrpc.port", "0", "--ipcdisable", "--state.mmap-dir"])
            .arg(pages)
            .arg("--datadir")
            .arg(directory.path().join("data"))
            .stdin(Stdio::null())
            .output()
            .expect("the program starts");
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{message}");
        assert!(message.contains(&pages.display().to_string()) && message.contains(reason), "{message}");
    }
}

#[test]
fn the_trie_lies_in_a_file_that_leaves_nothing_behind() {
    let (datadir, pages) = (TempDir::new().expect("a directory"), TempDir::new().expect("a directory"));
    let node =
        NodeProcess::start(datadir.path(), &["--network", "dev", "--state.mmap-dir", &pages.path().to_string_lossy()]);
    let (open, directory) = (node.open_files(), pages.path().canonicalize().expect("it is there"));
    assert!(open.iter().any(|name| name.starts_with(&*directory.to_string_lossy())), "{open:?}");
    node.kill();
    assert_eq!(fs::read_dir(pages.path()).expect("it is there").count(), 0);
}
