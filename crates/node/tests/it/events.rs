//! What listeners hear.

use std::time::Duration;

use balsa_node::Heard;

use crate::support::{TestNode, transfer};

const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn heads_and_transactions_are_heard_in_order() {
    let node = TestNode::start();
    let (heads, transactions) = (node.node().heads(), node.node().transactions());
    let genesis = node.node().view().head().hash();
    let (one, two) = (node.child(genesis, 1), node.child(genesis, 2));
    for block in [&one, &two] {
        node.import(block);
        node.choose(block.block.hash).unwrap();
    }
    let Heard::Event(first) = heads.hear(PATIENCE) else { panic!("the first head is heard") };
    assert_eq!((first.change.new.hash, first.change.reverted.len()), (one.block.hash, 0));
    let Heard::Event(second) = heads.hear(PATIENCE) else { panic!("the second head is heard") };
    assert_eq!((second.change.new.hash, second.change.reverted.len()), (two.block.hash, 1));
    assert_eq!(second.view.head().hash(), two.block.hash);

    let admitted = node.node().send_raw_transaction(&transfer(0, 0)).unwrap();
    let Heard::Event(heard) = transactions.hear(PATIENCE) else { panic!("the transaction is heard") };
    assert_eq!(*heard.hash(), admitted.hash);
    drop(node);
    assert!(matches!(heads.hear(PATIENCE), Heard::Closed));
    assert!(matches!(transactions.hear(PATIENCE), Heard::Closed));
}

#[test]
fn bad_blocks_are_shown() {
    let node = TestNode::start();
    let mut child = node.child(node.node().view().head().hash(), 1);
    let mut header = child.block.header.clone();
    header.gas_used += 1;
    child.block =
        balsa_executor::SealedBlock::from_parts(header, Vec::new(), Vec::new(), child.block.withdrawals.clone());
    node.import(&child);
    let bad = node.node().bad_blocks();
    assert_eq!(bad.len(), 1);
    assert_eq!((bad[0].block.hash, &bad[0].list), (child.block.hash, &child.list));
}
