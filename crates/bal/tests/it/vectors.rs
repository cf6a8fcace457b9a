//! Every list of the official suites, as JSON and as bytes, with the verdict that the suites have on its form.

use alloy_primitives::{B256, Bytes, U64, keccak256};
use balsa_bal::{AccountChanges, FlatList, Limits, ListError, encode};
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
};

/// Osaka's, as the packs' rules are.
const CODE_SIZE_MAX: usize = 24_576;

/// What the suites call a fault in a list.
const LIST_FAULTS: [&str; 3] =
    ["INVALID_BLOCK_ACCESS_LIST", "INCORRECT_BLOCK_FORMAT", "BLOCK_ACCESS_LIST_GAS_LIMIT_EXCEEDED"];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fixture {
    #[serde(default)]
    blocks: Vec<Block>,
    #[serde(default)]
    engine_new_payloads: Vec<NewPayload>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Block {
    block_header: Option<BlockHeader>,
    #[serde(default)]
    transactions: Vec<serde::de::IgnoredAny>,
    block_access_list: Option<Vec<AccountChanges>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BlockHeader {
    gas_limit: U64,
    block_access_list_hash: Option<B256>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewPayload {
    params: (Payload, serde::de::IgnoredAny, serde::de::IgnoredAny, serde::de::IgnoredAny),
    validation_error: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    gas_limit: U64,
    transactions: Vec<serde::de::IgnoredAny>,
    block_access_list: Option<Bytes>,
}

#[derive(Default)]
struct Counts {
    files: usize,
    json: usize,
    bytes: usize,
    refused: BTreeMap<&'static str, usize>,
}

#[test]
fn lists_of_the_official_suites() {
    let Some(folder) = vectors() else { return };
    let mut counts = Counts::default();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with("amst-") && name.ends_with(".tar.zst") && !name.starts_with("amst-state") {
            pack(&path, &mut counts);
        }
    }
    assert!(counts.files > 100, "{} files", counts.files);
    assert!(counts.json > 10_000, "{} lists as JSON", counts.json);
    assert!(counts.bytes > 7_000, "{} lists as bytes", counts.bytes);
    let expected =
        [("BLOCK_ACCESS_LIST_GAS_LIMIT_EXCEEDED", 1), ("INCORRECT_BLOCK_FORMAT", 1), ("INVALID_BLOCK_ACCESS_LIST", 18)];
    assert_eq!(counts.refused.into_iter().collect::<Vec<_>>(), expected);
}

/// A chain under the whole of Amsterdam, which an independent client built: all its lists are valid.
#[test]
fn lists_of_the_amsterdam_devnet() {
    #[derive(Deserialize)]
    struct Request {
        method: String,
        params: serde_json::Value,
    }
    let Some(folder) = vectors() else { return };
    let file = File::open(folder.join("amsterdam-devnet/engine.jsonl.zst")).unwrap();
    let mut lists = 0;
    for line in BufReader::new(zstd::Decoder::new(file).unwrap()).lines() {
        let request: Request = serde_json::from_str(&line.unwrap()).unwrap();
        if request.method == "engine_newPayloadV5" {
            let payload: Payload = serde_json::from_value(request.params[0].clone()).unwrap();
            let bytes = payload.block_access_list.expect("a list from Amsterdam on");
            let limits = limits(payload.transactions.len(), payload.gas_limit);
            let list = FlatList::decode(bytes.clone(), &limits).unwrap();
            assert_eq!(encode(&list.to_accounts()), bytes);
            assert_eq!(list.check_item_cap(), Ok(()));
            lists += 1;
        }
    }
    assert_eq!(lists, 125);
}

/// The folder of the packs; none on a machine that has not fetched them.
fn vectors() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("BALSA_VECTORS") {
        return Some(folder.into());
    }
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    ["../shared/vectors", "fixtures/vectors"]
        .map(|folder| workspace.join(folder))
        .into_iter()
        .find(|path| path.is_dir())
}

fn pack(path: &Path, counts: &mut Counts) {
    let mut decoder = zstd::Decoder::new(File::open(path).unwrap()).unwrap();
    decoder.window_log_max(27).unwrap();
    let mut archive = tar::Archive::new(decoder);
    for entry in archive.entries().unwrap() {
        let entry = entry.unwrap();
        let name = entry.path().unwrap().to_string_lossy().into_owned();
        if !name.ends_with(".json") || name.ends_with("index.json") {
            continue;
        }
        let mut text = Vec::with_capacity(entry.size() as usize);
        std::io::Read::read_to_end(&mut { entry }, &mut text).unwrap();
        let fixtures: BTreeMap<String, Fixture> =
            serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        counts.files += 1;
        for (id, fixture) in fixtures {
            fixture.blocks.iter().for_each(|block| json_list(&id, block, counts));
            fixture.engine_new_payloads.iter().for_each(|payload| byte_list(&id, payload, counts));
        }
    }
}

/// A list as JSON: encoded, it is what the header commits to.
fn json_list(id: &str, block: &Block, counts: &mut Counts) {
    let (Some(header), Some(accounts)) = (&block.block_header, &block.block_access_list) else { return };
    let bytes = encode(accounts);
    assert_eq!(Some(keccak256(&bytes)), header.block_access_list_hash, "{id}");
    let list = FlatList::decode(bytes, &limits(block.transactions.len(), header.gas_limit))
        .unwrap_or_else(|error| panic!("{id}: {error}"));
    assert_eq!(list.to_accounts(), *accounts, "{id}");
    let again: Vec<AccountChanges> = serde_json::from_value(serde_json::to_value(accounts).unwrap()).unwrap();
    assert_eq!(again, *accounts, "{id}");
    counts.json += 1;
}

/// A list as bytes: refused only where the suites refuse it for this reason.
fn byte_list(id: &str, payload: &NewPayload, counts: &mut Counts) {
    let NewPayload { params: (Payload { gas_limit, transactions, block_access_list }, ..), validation_error } = payload;
    let Some(bytes) = block_access_list else { return };
    let verdict = FlatList::decode(bytes.clone(), &limits(transactions.len(), *gas_limit))
        .and_then(|list| list.check_item_cap().map(|()| list));
    let expected = validation_error.as_deref().unwrap_or_default();
    match verdict {
        Ok(list) => assert_eq!(encode(&list.to_accounts()), *bytes, "{id}"),
        // A header that is wrong outranks its list: a gas limit of zero, say, allows no item.
        Err(_) if !expected.is_empty() && !LIST_FAULTS.iter().any(|name| expected.contains(name)) => {}
        Err(error) => {
            let name = ListError::exception_name(&error);
            assert!(expected.contains(name), "{id}: {error}, expected {expected}");
            *counts.refused.entry(name).or_default() += 1;
        }
    }
    counts.bytes += 1;
}

fn limits(transactions: usize, gas_limit: U64) -> Limits {
    Limits { index_max: transactions as u32 + 1, gas_limit: gas_limit.to(), code_size_max: CODE_SIZE_MAX }
}
