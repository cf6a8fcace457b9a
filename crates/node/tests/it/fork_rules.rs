//! The rules that the pool goes by around the first slot of a fork.

use alloy_primitives::B256;
use balsa_chainspec::{Fork, Genesis};
use balsa_engine::{ForkchoiceParams, ForkchoiceState, ForkchoiceVersion, PayloadStatusKind};
use balsa_node::{BuildRequest, NodeSettings};
use balsa_txpool::PoolError;

use crate::support::{TestNode, genesis, transfer_with_gas};

/// When Osaka begins, which allows no transaction as much gas as [`GAS`] (EIP-7825).
const OSAKA: u64 = 12_000;
const GAS: u64 = 20_000_000;

fn before_osaka() -> Genesis {
    let mut genesis = genesis();
    for fork in Fork::ALL {
        match fork {
            Fork::Osaka => genesis.spec.schedule.set(fork, Some(OSAKA)),
            _ if fork > Fork::Osaka => genesis.spec.schedule.set(fork, None),
            _ => {}
        }
    }
    genesis.header.timestamp = 0;
    genesis
}

/// A block at this time, which becomes the head.
fn block_at(node: &TestNode, parent: B256, timestamp: u64) -> B256 {
    let header = node.node().view().header(&parent).unwrap().expect("a block of the tree");
    let attributes = node.attributes_at(&header, timestamp, 0);
    let request = BuildRequest { parent, attributes, transactions: Some(Vec::new()), extra_data: None };
    let built = node.node().build_block(request).unwrap();
    assert_eq!(node.import(&built).status.status, PayloadStatusKind::Valid);
    node.choose(built.block.hash).unwrap();
    built.block.hash
}

fn send(node: &TestNode, nonce: u64) -> Result<(), PoolError> {
    node.node().send_raw_transaction(&transfer_with_gas(0, nonce, GAS)).map(drop)
}

#[test]
fn the_slot_before_the_next_block_counts() {
    let node = TestNode::on(&before_osaka(), NodeSettings::default());
    let two_before = block_at(&node, node.node().view().head().hash(), OSAKA - 36);
    let one_before = block_at(&node, two_before, OSAKA - 24);
    send(&node, 0).unwrap();
    // The next block is the fork's first.
    block_at(&node, one_before, OSAKA - 12);
    assert!(matches!(send(&node, 1), Err(PoolError::GasLimitAboveCap { gas_limit: GAS, .. })));
    assert_eq!(node.node().pool().status().pending, 0, "no block can hold it any more");
}

#[test]
fn attributes_tell_of_missed_slots() {
    let node = TestNode::on(&before_osaka(), NodeSettings::default());
    let two_before = block_at(&node, node.node().view().head().hash(), OSAKA - 36);
    let head = block_at(&node, two_before, OSAKA - 24);
    send(&node, 0).unwrap();
    let header = node.node().view().head().block.header.clone();
    let ask = |timestamp, variant| {
        let state =
            ForkchoiceState { head_block_hash: head, safe_block_hash: B256::ZERO, finalized_block_hash: B256::ZERO };
        let attributes = Some(Ok(node.attributes_at(&header, timestamp, variant)));
        let params = ForkchoiceParams { state, attributes, custody_columns: None };
        let id = node.node().forkchoice_updated(ForkchoiceVersion::V3, params).unwrap().payload_id.unwrap();
        node.node().built_payload(id).unwrap().block.transactions.len()
    };
    assert_eq!(ask(OSAKA - 12, 1), 1);
    assert!(send(&node, 1).is_ok());
    // A slot was missed.
    assert_eq!(ask(OSAKA, 1), 0);
    assert!(matches!(send(&node, 2), Err(PoolError::GasLimitAboveCap { .. })));
    // And it was not after all: a rival of the missed block is built.
    assert_eq!(ask(OSAKA - 12, 2), 0, "what was let go has to be sent again");
    assert!(send(&node, 0).is_ok());
}
