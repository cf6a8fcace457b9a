//! The transaction index in directories of its own: same answers as the engine's table.

use alloy_primitives::{B256, keccak256};
use balsa_engine::PayloadStatusKind;

use crate::support::{Place, TestNode, transfer};

/// Brings a block of these transactions on a parent and makes it the head.
fn include(node: &TestNode, parent: B256, variant: u64) -> B256 {
    let built = node.child(parent, variant);
    assert_eq!(node.import(&built).status.status, PayloadStatusKind::Valid);
    node.choose(built.block.hash).unwrap();
    built.block.hash
}

/// Block and position of a transaction.
fn position(node: &TestNode, hash: &B256) -> Option<(B256, usize)> {
    node.node().transaction(hash).unwrap().map(|found| (found.block.hash, found.index))
}

fn scenario(place: &Place) {
    let (first, second) = (transfer(0, 0), transfer(1, 0));
    let (of_first, of_second) = (keccak256(&first), keccak256(&second));
    let node = TestNode::open(place);
    let genesis = node.node().view().head().hash();
    assert_eq!(position(&node, &of_first), None);

    node.node().send_raw_transaction(&first).unwrap();
    let one = include(&node, genesis, 1);
    node.node().send_raw_transaction(&second).unwrap();
    let two = include(&node, one, 2);
    assert_eq!(position(&node, &of_first), Some((one, 0)));
    assert_eq!(position(&node, &of_second), Some((two, 0)));

    // Both leave with their blocks, and come back in another, which an empty one precedes.
    let rival = node.child(genesis, 3);
    let empty = balsa_engine::BuiltPayload { ..rival.clone() };
    assert_eq!(empty.block.transactions.len(), 0, "the pool holds nothing for the genesis block's child");
    node.import(&empty);
    node.choose(empty.block.hash).unwrap();
    assert_eq!((position(&node, &of_first), position(&node, &of_second)), (None, None));
    let both = include(&node, empty.block.hash, 4);
    let found = [position(&node, &of_first).unwrap(), position(&node, &of_second).unwrap()];
    assert!(found.iter().all(|(block, _)| *block == both) && found[0].1 != found[1].1, "{found:?}");
    drop(node);

    let node = TestNode::open(place);
    assert_eq!([position(&node, &of_first).unwrap(), position(&node, &of_second).unwrap()], found);
    assert_eq!(position(&node, &B256::repeat_byte(9)), None);
    let again = node.node().send_raw_transaction(&first).unwrap_err();
    assert!(
        matches!(again, balsa_txpool::PoolError::AlreadyKnown | balsa_txpool::PoolError::NonceTooLow { .. }),
        "{again}"
    );
}

#[test]
fn the_engine_answers() {
    scenario(&Place::new(0));
}

#[test]
fn one_directory_answers() {
    scenario(&Place::new(1));
}

#[test]
fn two_directories_answer() {
    scenario(&Place::new(2));
}

#[test]
fn an_index_that_is_added_later_takes_up_the_chain() {
    let mut place = Place::new(0);
    let transaction = transfer(0, 0);
    let node = TestNode::open(&place);
    node.node().send_raw_transaction(&transaction).unwrap();
    let block = include(&node, node.node().view().head().hash(), 1);
    drop(node);
    place.directories = 2;
    let node = TestNode::open(&place);
    assert_eq!(position(&node, &keccak256(&transaction)), Some((block, 0)));
}
