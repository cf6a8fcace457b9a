//! Chains that others made, imported to the head hashes that their makers name.

mod real_chains;

use balsa_chain::ChainSettings;
use real_chains::{RealChain, import_next, small, through_the_merge, to_prague};

/// Imports the whole chain, looks everything up again, in memory and from disk.
fn imports_to_its_head(real: &RealChain, settings: ChainSettings) {
    let dir = tempfile::tempdir().unwrap();
    let mut chain = real.open(dir.path(), settings.clone()).unwrap();
    for block in &real.blocks {
        import_next(&mut chain, block);
    }
    assert_eq!(chain.view().head().hash(), real.head);
    finds_everything(real, &chain);

    chain.flush_to_head().unwrap();
    assert_eq!(chain.view().flushed().map(|block| block.hash), Some(real.head));
    finds_everything(real, &chain);
    chain.close().unwrap();

    let chain = real.open(dir.path(), settings).unwrap();
    assert_eq!(chain.view().head().hash(), real.head);
    finds_everything(real, &chain);
}

fn finds_everything(real: &RealChain, chain: &balsa_chain::Chain) {
    let view = chain.view();
    for block in &real.blocks {
        let number = block.header.number;
        assert_eq!(view.canonical_hash(number).unwrap(), Some(block.hash), "block {number}");
        assert_eq!(view.header(&block.hash).unwrap().as_ref(), Some(&block.header), "block {number}");
        assert_eq!(view.block(&block.hash).unwrap().as_deref(), Some(block), "block {number}");
        let receipts = view.receipts(&block.hash).unwrap().expect("receipts");
        assert_eq!(receipts.len(), block.transactions.len(), "block {number}");
        let bloom = receipts.iter().fold(alloy_primitives::Bloom::ZERO, |bloom, receipt| bloom | *receipt.logs_bloom());
        assert_eq!(bloom, block.header.logs_bloom, "block {number}");
        for (index, transaction) in block.transactions.iter().enumerate() {
            let found = view.transaction(transaction.tx_hash()).unwrap().expect("an indexed transaction");
            assert_eq!((found.block.hash, found.index), (block.hash, index), "block {number}");
        }
    }
    assert_eq!(view.canonical_hash(real.blocks.len() as u64 + 1).unwrap(), None);
}

#[test]
fn the_chain_to_prague_keeping_little() {
    imports_to_its_head(&to_prague(), small());
}

#[test]
fn the_chain_through_the_merge_keeping_little() {
    imports_to_its_head(&through_the_merge(), small());
}

#[test]
fn the_chain_through_the_merge_keeping_all() {
    let settings = ChainSettings { kept_blocks: 1000, ..small() };
    imports_to_its_head(&through_the_merge(), settings);
}
