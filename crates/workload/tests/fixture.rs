//! Fixtures on disk.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use balsa_executor::{ExecutionMode, SealedBlock};
use balsa_workload::fixture::{self, file};
use balsa_workload::profile::Profile;
use common::{Importer, small};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures")
}

#[test]
fn the_committed_chain_is_what_its_parameters_make() {
    let folder = tempfile::tempdir().unwrap();
    let summary = fixture::write(&Profile::Quick.params(), folder.path(), |_| {}).unwrap();
    assert_eq!(summary.head, Profile::Quick.head());
    for name in [file::GENESIS, file::CHAIN, file::LISTS, file::HEAD] {
        let committed = fs::read(fixtures().join("quick").join(name)).unwrap();
        assert!(fs::read(folder.path().join(name)).unwrap() == committed, "{name} differs from the committed one");
    }
}

#[test]
fn the_committed_chain_imports_in_parallel() {
    let folder = fixture::ensure(Profile::Quick, &fixtures(), |_| panic!("it is committed")).unwrap();
    assert_eq!(folder, fixtures().join("quick"));
    let mut importer = Importer::new(&Profile::Quick.params(), 2);
    let (chain, lists) = (fs::read(folder.join(file::CHAIN)).unwrap(), fs::read(folder.join(file::LISTS)).unwrap());
    let (mut chain, mut lists) = (&chain[..], &lists[..]);
    while !chain.is_empty() {
        let block = SealedBlock::decode_next(&mut chain).unwrap();
        let list = next_item(&mut lists);
        let executed = importer.execute(ExecutionMode::Parallel, &block, Some(list)).unwrap();
        importer.chain.advance(&block, &executed.diff, executed.trie);
    }
    assert!(lists.is_empty());
    assert_eq!(importer.chain.parent().hash, Profile::Quick.head());
}

/// The committed fixture stays small.
#[test]
fn the_committed_chain_is_under_five_megabytes() {
    let files = fs::read_dir(fixtures().join("quick")).unwrap();
    let bytes: u64 = files.map(|file| file.unwrap().metadata().unwrap().len()).sum();
    assert!(bytes < 5_000_000, "{bytes} bytes");
}

#[test]
fn a_chain_without_lists_has_no_list_file_and_an_unfinished_one_no_head() {
    let folder = tempfile::tempdir().unwrap();
    let mut params = small(800, "Osaka", 2);
    let summary = fixture::write(&params, folder.path(), |_| {}).unwrap();
    assert!(!folder.path().join(file::LISTS).exists());
    assert_eq!(fixture::head_of(folder.path()), Some(summary.head));

    // No transaction fits a block of this gas limit, so that generation fails after the old head was taken away.
    params.block.gas_limit = 1_000_000;
    params.mix.retain(|kind, _| *kind == balsa_workload::kind::Kind::DeepCall);
    assert!(fixture::write(&params, folder.path(), |_| {}).is_err());
    assert_eq!(fixture::head_of(folder.path()), None);
}

/// The RLP item at the front of `bytes`, which moves past it.
fn next_item(bytes: &mut &[u8]) -> alloy_primitives::Bytes {
    let mut rest = *bytes;
    let header = alloy_rlp::Header::decode(&mut rest).unwrap();
    let length = bytes.len() - rest.len() + header.payload_length;
    let (item, rest) = bytes.split_at(length);
    *bytes = rest;
    item.to_vec().into()
}
