//! The ends of what is kept: states below the tree's root are gone, and the node says so.

use alloy_primitives::B256;
use balsa_engine::{BuiltPayload, PayloadStatusKind};

use crate::support::{Place, TestNode};

/// A node that keeps as few states as it may, on a chain of ten blocks; the chain, and a rival of its second block.
fn short_memory() -> (TestNode, Vec<B256>, BuiltPayload) {
    let place = Place { kept_blocks: 2, ..Place::new(0) };
    let node = TestNode::within(place);
    let mut chain = vec![node.node().view().head().hash()];
    let mut rival = None;
    for number in 1..=10 {
        let parent = chain[number - 1];
        if number == 2 {
            rival = Some(node.child(parent, 7));
        }
        let child = node.child(parent, 1);
        assert_eq!(node.import(&child).status.status, PayloadStatusKind::Valid);
        node.choose(child.block.hash).unwrap();
        chain.push(child.block.hash);
    }
    assert!(node.node().view().root().number() >= 3, "old states are gone");
    (node, chain, rival.unwrap())
}

#[test]
fn a_head_below_the_kept_states_is_too_deep() {
    let (node, chain, _) = short_memory();
    assert_eq!(node.choose(chain[1]).unwrap_err(), -38006);
    assert_eq!(node.node().view().head().hash(), chain[10], "nothing has changed");
    assert_eq!(node.choose(chain[9]).unwrap().payload_status.status, PayloadStatusKind::Valid);
    assert_eq!(node.node().view().head().hash(), chain[9]);
}

#[test]
fn a_head_below_the_finalized_block_is_passed_over() {
    let (node, chain, _) = short_memory();
    node.choose_with(chain[10], chain[9], chain[8], None).unwrap();
    let attributes = node.attributes(chain[10], 1);
    let answer = node.choose_with(chain[1], B256::ZERO, B256::ZERO, Some(attributes)).unwrap();
    assert_eq!(answer.payload_status.status, PayloadStatusKind::Valid);
    assert_eq!(answer.payload_status.latest_valid_hash, Some(chain[1]));
    assert_eq!(answer.payload_id, None, "nothing is built there");
    assert_eq!(node.node().view().head().hash(), chain[10]);
}

#[test]
fn a_payload_on_a_parent_without_a_state_is_accepted() {
    let (node, _, rival) = short_memory();
    let status = node.import(&rival).status;
    assert_eq!((status.status, status.latest_valid_hash), (PayloadStatusKind::Accepted, None));
}
