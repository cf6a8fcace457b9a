//! Blobs from a wallet to the consensus client: as the pool hands them out, and as they go into a payload's bundle.

use crate::{
    dev::signed,
    process::NodeProcess,
    proposer::{AMSTERDAM, PRAGUE, Proposer, Versions, genesis, to_prague},
};
use alloy_consensus::TxEip4844;
use alloy_eips::{
    eip2718::Encodable2718,
    eip4844::{
        Blob,
        builder::{SidecarBuilder, SimpleCoder},
    },
    eip7594::{BlobTransactionSidecarVariant, CELLS_PER_EXT_BLOB},
};
use alloy_primitives::{Address, B256, Bytes, hex};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Bytes of a cell.
const CELL_BYTES: usize = 2048;

/// Enough for two blobs, of which no two bytes in a row are alike.
fn builder() -> SidecarBuilder<SimpleCoder> {
    let content: Vec<u8> = (0..150_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    SidecarBuilder::from_slice(&content)
}

/// A transaction with these blobs, as a wallet sends it.
fn with_blobs(sidecar: &BlobTransactionSidecarVariant) -> String {
    let transaction = signed(TxEip4844 {
        chain_id: 1337,
        gas_limit: 100_000,
        max_fee_per_gas: 100_000_000_000,
        max_priority_fee_per_gas: 2_000_000_000,
        max_fee_per_blob_gas: 10_000_000_000,
        to: Address::repeat_byte(0xbb),
        blob_versioned_hashes: sidecar.versioned_hashes().collect(),
        ..TxEip4844::default()
    });
    let whole = transaction.try_into_pooled_eip4844(sidecar.clone()).expect("a transaction with blobs");
    hex::encode_prefixed(whole.encoded_2718())
}

fn send(node: &NodeProcess, sidecar: &BlobTransactionSidecarVariant) -> Vec<B256> {
    let sent = node.call("eth_sendRawTransaction", &json!([with_blobs(sidecar)]));
    assert!(sent["result"].is_string(), "{sent}");
    let hashes: Vec<B256> = sidecar.versioned_hashes().collect();
    assert_eq!(hashes.len(), 2);
    hashes
}

/// Proposes a block of the transaction and holds its bundle against what was sent.
fn include(node: &NodeProcess, versions: Versions, hashes: &[B256], expected_bundle: &Value) {
    let mut proposer = Proposer::new(node, versions);
    let id = proposer.begin();
    let built = proposer.fetch(&id);
    assert_eq!(built["executionPayload"]["transactions"].as_array().map(Vec::len), Some(1), "the transaction is in");
    assert_eq!(built["executionPayload"]["blobGasUsed"], "0x40000");
    assert!(built["blobsBundle"] == *expected_bundle, "the bundle is not what was sent");
    proposer.bring(&built, hashes);
    let sent = node.call("eth_getBlockByNumber", &json!(["latest", true]));
    assert_eq!(sent["result"]["transactions"][0]["blobVersionedHashes"], json!(hashes), "{sent}");
}

fn result(node: &NodeProcess, method: &str, params: &Value) -> Value {
    let mut answer = node.engine(method, params);
    assert!(answer.get("error").is_none(), "{method}: {answer}");
    answer["result"].take()
}

#[test]
fn blobs_with_cell_proofs_reach_the_consensus_client() {
    let datadir = TempDir::new().expect("a directory");
    let node = NodeProcess::start(datadir.path(), &["--network", "dev"]);
    let sidecar = builder().build_7594().expect("a sidecar");
    let BlobTransactionSidecarVariant::Eip7594(parts) = BlobTransactionSidecarVariant::Eip7594(sidecar) else {
        unreachable!("it was made so")
    };
    let hashes = send(&node, &BlobTransactionSidecarVariant::Eip7594(parts.clone()));
    let proofs_of = |index: usize| parts.cell_proofs[index * CELLS_PER_EXT_BLOB..][..CELLS_PER_EXT_BLOB].to_vec();
    let expected = |index: usize| json!({ "blob": parts.blobs[index], "proofs": proofs_of(index) });
    let both = json!([expected(0), expected(1)]);
    let other = B256::repeat_byte(1);

    let check = |when: &str| {
        let all = result(&node, "engine_getBlobsV2", &json!([hashes]));
        assert!(all == both, "{when}: version 2 gives what was sent");
        assert!(result(&node, "engine_getBlobsV2", &json!([[hashes[0], other]])).is_null(), "{when}: all or none");
        let partial = result(&node, "engine_getBlobsV3", &json!([[hashes[1], other, hashes[0]]]));
        assert!(partial == json!([expected(1), null, expected(0)]), "{when}: version 3 gives what there is");
    };
    check("before");
    check_cells(&node, &hashes, &parts.blobs, &proofs_of);
    let old = node.engine("engine_getBlobsV1", &json!([hashes]));
    assert_eq!(old["error"]["code"], -38005, "{old}");

    let bundle = json!({ "commitments": parts.commitments, "proofs": parts.cell_proofs, "blobs": parts.blobs });
    include(&node, AMSTERDAM, &hashes, &bundle);
    // The block is on the chain, and its blobs can still be asked for or not; never are they others.
    let after = result(&node, "engine_getBlobsV3", &json!([hashes]));
    assert!(after == both || after == json!([null, null]), "after: version 3 gives what was sent, or nothing");
}

/// The cells of the first half of an extended blob are the blob itself.
fn check_cells<P: serde::Serialize>(
    node: &NodeProcess,
    hashes: &[B256],
    blobs: &[Blob],
    proofs_of: &dyn Fn(usize) -> Vec<P>,
) {
    let first_half = format!("{:#034x}", u64::MAX as u128);
    let answer = result(node, "engine_getBlobsV4", &json!([[hashes[1], B256::ZERO], first_half]));
    assert!(answer[1].is_null());
    let found = &answer[0];
    let cells: Vec<Bytes> = serde_json::from_value(found["blob_cells"].clone()).expect("cells");
    assert!(cells.iter().all(|cell| cell.len() == CELL_BYTES));
    assert!(cells.concat() == blobs[1].as_slice(), "the first half of the cells is the blob");
    let proofs = json!(proofs_of(1));
    assert_eq!(found["proofs"].as_array().map(Vec::as_slice), proofs.as_array().map(|all| &all[..64]));
}

#[test]
fn blobs_with_one_proof_each_reach_it_before_osaka() {
    let datadir = TempDir::new().expect("a directory");
    let genesis = genesis(datadir.path(), to_prague);
    let node = NodeProcess::start(&datadir.path().join("db"), &["--network", genesis.to_str().expect("a path")]);
    let parts = builder().build_4844().expect("a sidecar");
    let hashes = send(&node, &BlobTransactionSidecarVariant::Eip4844(parts.clone()));
    let expected = |index: usize| json!({ "blob": parts.blobs[index], "proof": parts.proofs[index] });
    let asked = json!([[hashes[0], B256::ZERO, hashes[1]]]);
    assert!(result(&node, "engine_getBlobsV1", &asked) == json!([expected(0), null, expected(1)]));
    let bundle = json!({ "commitments": parts.commitments, "proofs": parts.proofs, "blobs": parts.blobs });
    include(&node, PRAGUE, &hashes, &bundle);
}
