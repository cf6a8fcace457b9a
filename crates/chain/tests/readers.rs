//! Readers on other threads see whole chains, whatever the writer and the persister do meanwhile.

mod real_chains;

use std::sync::atomic::{AtomicBool, Ordering};

use balsa_chain::{ChainReader, ChainView};
use real_chains::{import_next, small, through_the_merge, to_prague};

/// The chain of a view hangs together, and the head's state is the one that its header commits to.
fn check(view: &ChainView) {
    let head = view.head();
    let mut hash = head.hash();
    for number in (0..=head.number()).rev() {
        assert_eq!(view.canonical_hash(number).unwrap(), Some(hash), "number {number} under head {}", head.number());
        let block = view.block(&hash).unwrap().expect("a canonical block");
        assert_eq!(view.receipts(&hash).unwrap().expect("its receipts").len(), block.transactions.len());
        hash = block.header.parent_hash;
    }
    check_state(view);
}

/// What changed last at each kept block reads as that block left it: layers over the store as it was then.
fn check_state(view: &ChainView) {
    let mut hash = view.head().hash();
    while let Some(kept) = view.kept(&hash) {
        let state = view.state(&hash).expect("a kept state");
        for transaction in &kept.block.transactions {
            let sender = alloy_consensus::transaction::SignerRecoverable::recover_signer(transaction).unwrap();
            let account = state.account(&balsa_keccak::keccak256(sender.as_slice())).unwrap().expect("a sender");
            assert!(account.nonce > alloy_consensus::Transaction::nonce(transaction), "block {}", kept.number());
        }
        hash = kept.parent_hash();
    }
}

fn read_until(reader: &ChainReader, done: &AtomicBool) -> usize {
    let mut views = 0;
    while !done.load(Ordering::Relaxed) {
        check(&reader.view());
        views += 1;
    }
    views
}

#[test]
fn readers_see_whole_chains() {
    for real in [through_the_merge(), to_prague()] {
        let dir = tempfile::tempdir().unwrap();
        let mut chain = real.open(dir.path(), small()).unwrap();
        let (reader, done) = (chain.reader(), AtomicBool::new(false));
        let views = std::thread::scope(|scope| {
            let readers = [(); 2].map(|()| scope.spawn(|| read_until(&reader, &done)));
            for block in real.blocks.iter().take(200) {
                import_next(&mut chain, block);
            }
            chain.flush_to_head().unwrap();
            done.store(true, Ordering::Relaxed);
            readers.map(|reader| reader.join().unwrap())
        });
        assert!(views.iter().all(|views| *views > 0));
        check(chain.view());
    }
}
