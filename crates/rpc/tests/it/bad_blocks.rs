//! Blocks that were refused, as `debug_getBadBlocks` shows them.

use alloy_primitives::{Bytes, keccak256};
use balsa_engine::{PayloadBlock, PayloadStatusKind};
use balsa_executor::SealedBlock;
use serde_json::json;

use crate::support::{build, call, dev_node, transfer};

#[test]
fn a_block_refused_for_its_list_is_shown_beside_the_right_one() {
    let server = dev_node();
    let node = server.running.node();
    let built = build(&server, node.view().head().hash(), 1, Some(vec![transfer(0)]));
    let right = built.list.unwrap();

    // The list of no access at all, and bytes that are no list.
    for wrong in [Bytes::from_static(&[0xc0]), right.slice(1..)] {
        let mut header = built.block.header.clone();
        header.block_access_list_hash = Some(keccak256(&wrong));
        let transactions = built.block.transactions.clone();
        let block = SealedBlock::from_parts(header, transactions, Vec::new(), built.block.withdrawals.clone());
        let hash = block.hash;
        let status = node.import(PayloadBlock { block, list: Some(wrong.clone()) }).unwrap().status;
        assert_eq!(status.status, PayloadStatusKind::Invalid);

        let shown = call(server.http(), "debug_getBadBlocks", json!([])).unwrap();
        let newest = shown.as_array().unwrap().last().unwrap();
        assert_eq!(newest["hash"], json!(hash));
        assert_eq!(newest["blockAccessList"], json!(wrong));
        assert_eq!(newest["generatedBlockAccessList"], json!(right));
        let error = newest["error"].as_str().unwrap();
        assert!(error.contains("block access list"), "{error}");
        assert_eq!(Some(error), status.validation_error.as_deref());
    }

    // What is refused for something else has no list to be held against.
    let mut header = built.block.header.clone();
    header.gas_used += 1;
    let block =
        SealedBlock::from_parts(header, built.block.transactions.clone(), Vec::new(), built.block.withdrawals.clone());
    node.import(PayloadBlock { block, list: Some(right.clone()) }).unwrap();
    let shown = call(server.http(), "debug_getBadBlocks", json!([])).unwrap();
    let newest = shown.as_array().unwrap().last().unwrap();
    assert_eq!(newest["blockAccessList"], json!(right));
    assert!(newest.get("generatedBlockAccessList").is_none());
}
