//! Subscriptions and filters, on the last block of the official chain.

use std::{fs, path::Path};

use balsa_chain::GenesisBlock;
use balsa_chainspec::genesis;
use balsa_engine::{ForkchoiceParams, ForkchoiceState, ForkchoiceVersion, PayloadBlock};
use balsa_executor::SealedBlock;
use balsa_rpc::Limits;
use serde_json::{Value, json};

use crate::support::{TestNode, call, connect, execution_apis, open_chain, open_doors, say, small_chain};

/// A node on all blocks but the last, and the last.
fn before_the_last(folder: &Path) -> (TestNode, SealedBlock) {
    let read = |name: &str| fs::read(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    let genesis = GenesisBlock::new(&genesis::parse(&read("genesis.json")).unwrap()).unwrap();
    let (mut chain, chain_folder) = open_chain(&genesis);
    let bytes = read("chain.rlp");
    let mut rest = &bytes[..];
    loop {
        let block = SealedBlock::decode_next(&mut rest).unwrap();
        if rest.is_empty() {
            return (open_doors((chain, chain_folder), Limits::public()), block);
        }
        chain.import_and_choose(block, None).unwrap();
    }
}

fn make_head(node: &TestNode, block: SealedBlock) {
    let (node, hash) = (node.running.node(), block.hash);
    node.import(PayloadBlock { block, list: None }).unwrap();
    let state = ForkchoiceState { head_block_hash: hash, safe_block_hash: hash, finalized_block_hash: hash };
    let params = ForkchoiceParams { state, attributes: None, custody_columns: None };
    node.forkchoice_updated(ForkchoiceVersion::V3, params).unwrap();
}

#[test]
fn subscribers_are_told_and_filters_remember() {
    let Some(folder) = execution_apis() else { return };
    let (node, block) = before_the_last(&folder);
    let hash = block.hash;
    let mut socket = connect(&node);
    let heads = say(&mut socket, "eth_subscribe", json!(["newHeads"])).unwrap();
    let logs = say(&mut socket, "eth_subscribe", json!(["logs", {}])).unwrap();
    let ended = say(&mut socket, "eth_subscribe", json!(["newHeads"])).unwrap();
    assert_eq!(say(&mut socket, "eth_unsubscribe", json!([ended])), Ok(json!(true)));
    assert_eq!(say(&mut socket, "eth_unsubscribe", json!([ended])), Ok(json!(false)));
    let filter = |method: &str, params: Value| call(node.http(), method, params).unwrap();
    let log_filter = filter("eth_newFilter", json!([{}]));
    let block_filter = filter("eth_newBlockFilter", json!([]));
    assert_eq!(filter("eth_getFilterChanges", json!([block_filter])), json!([]));

    make_head(&node, block);
    let expected = filter("eth_getLogs", json!([{ "blockHash": hash }]));
    let expected = expected.as_array().unwrap();
    assert!(!expected.is_empty());
    let mut told = Vec::new();
    for _ in 0..=expected.len() {
        let notification: Value = serde_json::from_str(socket.read().unwrap().to_text().unwrap()).unwrap();
        assert_eq!(notification["method"], "eth_subscription");
        let params = &notification["params"];
        if params["subscription"] == heads {
            assert_eq!(params["result"]["hash"], json!(hash));
        } else {
            assert_eq!(params["subscription"], logs);
            told.push(params["result"].clone());
        }
    }
    assert_eq!(&told, expected);
    assert_eq!(filter("eth_getFilterChanges", json!([block_filter])), json!([hash]));
    assert_eq!(filter("eth_getFilterChanges", json!([block_filter])), json!([]));
    assert_eq!(filter("eth_getFilterChanges", json!([log_filter])).as_array(), Some(expected));
    assert_eq!(filter("eth_getFilterLogs", json!([log_filter])).as_array(), Some(expected));
    assert_eq!(filter("eth_uninstallFilter", json!([log_filter])), json!(true));
    assert_eq!(filter("eth_uninstallFilter", json!([log_filter])), json!(false));
    assert_eq!(call(node.http(), "eth_getFilterChanges", json!([log_filter])), Err(-32000));
}

#[test]
fn subscriptions_and_filters_are_bounded() {
    let node = open_doors(small_chain(), Limits { subscriptions_max: 2, ..Limits::public() });
    let mut socket = connect(&node);
    for _ in 0..2 {
        assert!(say(&mut socket, "eth_subscribe", json!(["newPendingTransactions"])).is_ok());
    }
    assert_eq!(say(&mut socket, "eth_subscribe", json!(["newHeads"])), Err(-32005));
    assert_eq!(say(&mut socket, "eth_subscribe", json!(["newNothing"])), Err(-32602));
    assert!(say(&mut connect(&node), "eth_subscribe", json!(["syncing"])).is_ok());
    assert_eq!(call(node.http(), "eth_subscribe", json!(["newHeads"])), Err(-32601));

    let filters = (0..257).map(|_| call(node.http(), "eth_newBlockFilter", json!([])));
    let refused: Vec<i64> = filters.filter_map(Result::err).collect();
    assert_eq!(refused, [-32005]);
}
