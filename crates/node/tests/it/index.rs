//! The transaction index in directories of its own: same answers as the engine's table.

use std::collections::HashMap;

use alloy_primitives::{B256, keccak256};
use balsa_engine::{BuiltPayload, PayloadStatusKind};
use balsa_node::BuildRequest;

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

/// The next of a sequence of numbers that look random (Steele and others, SplitMix64).
fn next(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*seed ^ (*seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[test]
fn both_forms_answer_alike_in_a_tree_of_blocks() {
    let mut seed = 7;
    let (engine, directories) = (Place::new(0), Place::new(2));
    let nodes = [TestNode::open(&engine), TestNode::open(&directories)];
    let genesis = nodes[0].node().view().head().hash();
    // Nonces that are free after each block.
    let mut nonces = HashMap::from([(genesis, [0, 0])]);
    let (mut blocks, mut hashes) = (vec![genesis], Vec::new());
    let (mut found, mut missing) = (0, 0);
    for step in 0..40 {
        let parent = blocks[next(&mut seed) as usize % blocks.len()];
        let mut free: [u64; 2] = nonces[&parent];
        let mut transactions = Vec::new();
        for _ in 0..next(&mut seed) % 3 {
            let account = next(&mut seed) as usize % 2;
            transactions.push(transfer(account, free[account]).into());
            free[account] += 1;
        }
        hashes.extend(transactions.iter().map(keccak256));
        let attributes = nodes[0].attributes(parent, step);
        let request = BuildRequest { parent, attributes, transactions: Some(transactions), extra_data: None };
        let built: BuiltPayload = nodes[0].node().build_block(request).unwrap();
        for node in &nodes {
            assert_eq!(node.import(&built).status.status, PayloadStatusKind::Valid);
        }
        blocks.push(built.block.hash);
        nonces.insert(built.block.hash, free);
        let head = blocks[next(&mut seed) as usize % blocks.len()];
        nodes.iter().for_each(|node| drop(node.choose(head).unwrap()));
        for hash in &hashes {
            let [one, other] = [&nodes[0], &nodes[1]].map(|node| position(node, hash));
            assert_eq!(one, other, "step {step}");
            *if one.is_some() { &mut found } else { &mut missing } += 1;
        }
    }
    assert!(found > 100 && missing > 100, "{found} found, {missing} missing: the tree has both");
    let before: Vec<_> = hashes.iter().map(|hash| position(&nodes[0], hash)).collect();
    drop(nodes);
    for place in [&engine, &directories] {
        let node = TestNode::open(place);
        assert_eq!(hashes.iter().map(|hash| position(&node, hash)).collect::<Vec<_>>(), before);
    }
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
