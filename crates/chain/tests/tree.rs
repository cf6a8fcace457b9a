//! Blocks that are not simply the next: unknown parents, duplicates, branches, faults; and fork choice among them.

mod real_chains;

use std::{fs, path::Path};

use alloy_consensus::Header;
use alloy_primitives::{B256, U256};
use balsa_chain::{
    Chain, ChainError, ChainSettings, ForkChoiceError, ImportOutcome, InvalidReason, Rejection, TrieMemory,
};
use balsa_executor::{InvalidBlock, SealedBlock};
use balsa_storage::{BlockRecord, FlushBatch, Store};
use balsa_trie::total_tree_bytes;
use real_chains::{RealChain, altered, branch, import_next, small, through_the_merge, to_prague};

/// Imports a valid block that does not become the head.
fn import_beside(chain: &mut Chain, block: &SealedBlock) {
    let outcome = chain.import(block.clone(), None).unwrap();
    assert!(matches!(outcome, ImportOutcome::Imported(_)), "block {}: {outcome:?}", block.header.number);
}

fn rejection(outcome: ImportOutcome) -> Rejection {
    match outcome {
        ImportOutcome::Invalid(rejection) => rejection,
        other => panic!("{other:?}"),
    }
}

/// Hashes of the canonical chain, by number.
fn canonical(chain: &Chain) -> Vec<B256> {
    (0..).map_while(|number| chain.view().canonical_hash(number).unwrap()).collect()
}

/// The engine's journals: whatever is written goes there first.
fn journals(dir: &Path) -> Vec<Vec<u8>> {
    let files = fs::read_dir(dir.join("engine")).unwrap().map(|entry| entry.unwrap().path());
    let journals = files.filter(|path| path.extension().is_some_and(|extension| extension == "jnl"));
    journals.map(|path| fs::read(path).unwrap()).collect()
}

#[test]
fn orphans_and_duplicates_change_nothing() {
    let real = to_prague();
    let dir = tempfile::tempdir().unwrap();
    let mut chain = real.open(dir.path(), small()).unwrap();
    for block in &real.blocks[..40] {
        import_next(&mut chain, block);
    }
    chain.ping().unwrap();
    let before = journals(dir.path());
    // In memory, on disk, and block 0.
    for known in [&real.blocks[39], &real.blocks[0], &real.genesis.block] {
        let outcome = chain.import(known.clone(), None).unwrap();
        assert!(matches!(outcome, ImportOutcome::AlreadyKnown), "block {}: {outcome:?}", known.header.number);
    }
    let outcome = chain.import(real.blocks[41].clone(), None).unwrap();
    assert!(matches!(outcome, ImportOutcome::UnknownParent), "{outcome:?}");
    let below_root = &branch(&real.blocks[5..6], real.blocks[4].hash, b"late")[0];
    let outcome = chain.import(below_root.clone(), None).unwrap();
    assert!(matches!(outcome, ImportOutcome::ParentStateGone), "{outcome:?}");
    chain.ping().unwrap();
    assert!(journals(dir.path()) == before);
    assert_eq!(chain.view().head().hash(), real.blocks[39].hash);
}

#[test]
fn an_invalid_block_leaves_no_trace() {
    let real = to_prague();
    let dir = tempfile::tempdir().unwrap();
    let mut chain = real.open(dir.path(), small()).unwrap();
    let (at, block) =
        real.blocks.iter().enumerate().find(|(at, block)| *at > 20 && !block.transactions.is_empty()).unwrap();
    for block in &real.blocks[..at] {
        import_next(&mut chain, block);
    }
    chain.ping().unwrap();
    let before = journals(dir.path());

    type Alter = fn(&mut Header);
    type Expect = fn(&InvalidBlock) -> bool;
    let faults: [(Alter, Expect); 8] = [
        (|header| header.state_root.0[0] ^= 1, |reason| matches!(reason, InvalidBlock::StateRoot { .. })),
        (|header| header.receipts_root.0[0] ^= 1, |reason| matches!(reason, InvalidBlock::ReceiptsRoot { .. })),
        (|header| header.logs_bloom.0[0] ^= 1, |reason| matches!(reason, InvalidBlock::LogsBloom { .. })),
        (|header| header.gas_used += 1, |reason| matches!(reason, InvalidBlock::GasUsed { .. })),
        (|header| header.transactions_root.0[0] ^= 1, |reason| matches!(reason, InvalidBlock::Body(_))),
        (|header| header.number += 1, |reason| matches!(reason, InvalidBlock::Header(_))),
        (|header| header.timestamp = 1, |reason| matches!(reason, InvalidBlock::Header(_))),
        (
            // Proof of stake where it is proof of work, and the reverse.
            |header| header.difficulty = if header.difficulty.is_zero() { U256::from(1) } else { U256::ZERO },
            |reason| matches!(reason, InvalidBlock::TerminalDifficulty { .. }),
        ),
    ];
    for (alter, expect) in faults {
        let bad = altered(block, alter);
        let first = rejection(chain.import(bad.clone(), None).unwrap());
        assert!(matches!(&*first.reason, InvalidReason::Block(reason) if expect(reason)), "{}", first.reason);
        assert_eq!(first.latest_valid, block.header.parent_hash);

        let again = rejection(chain.import(bad.clone(), None).unwrap());
        assert!(std::sync::Arc::ptr_eq(&again.reason, &first.reason), "judged twice");
        let child = &branch(&real.blocks[at + 1..at + 2], bad.hash, b"")[0];
        let child = rejection(chain.import(child.clone(), None).unwrap());
        assert_eq!(*child.reason, InvalidReason::Ancestor { ancestor: bad.hash, reason: first.reason });
        assert_eq!(child.latest_valid, block.header.parent_hash);
    }
    chain.ping().unwrap();
    assert!(journals(dir.path()) == before, "the database was changed");
    import_next(&mut chain, block);
}

#[test]
fn ommers_are_held_against_the_chain() {
    let real = through_the_merge();
    let dir = tempfile::tempdir().unwrap();
    let mut chain = real.open(dir.path(), small()).unwrap();
    // Block 29 holds an ommer of number 28.
    for block in &real.blocks[..28] {
        import_next(&mut chain, block);
    }
    let block = &real.blocks[28];
    let with_ommers = |ommers: Vec<Header>| {
        let SealedBlock { header, transactions, withdrawals, .. } = block.clone();
        let ommers_hash = balsa_keccak::keccak256(&alloy_rlp::encode(&ommers));
        SealedBlock::from_parts(Header { ommers_hash, ..header }, transactions, ommers, withdrawals)
    };
    let ommer = &block.ommers[0];
    let header = |number: usize| real.blocks[number - 1].header.clone();
    let faults = [
        ("TOO_MANY_UNCLES", vec![ommer.clone(), header(27), header(26)]),
        ("UNCLE_IS_BROTHER", vec![ommer.clone(), ommer.clone()]),
        ("UNCLE_IS_ANCESTOR", vec![header(27)]),
        // Block 25 holds it already.
        ("UNCLE_IN_CHAIN", vec![real.blocks[24].ommers[0].clone()]),
        ("UNCLE_UNKNOWN_PARENT", vec![real.blocks[11].ommers[0].clone()]),
        ("UNCLE_PARENT_INCORRECT", vec![Header { extra_data: b"rival".into(), ..block.header.clone() }]),
    ];
    for (expected, ommers) in faults {
        let refused = rejection(chain.import(with_ommers(ommers), None).unwrap());
        match &*refused.reason {
            InvalidReason::Ommers(error) => assert_eq!(error.exception_name(), format!("BlockException.{expected}")),
            other => panic!("{expected}: {other}"),
        }
    }
    import_next(&mut chain, block);
}

#[test]
fn the_head_moves_between_branches_and_back() {
    let real = through_the_merge();
    let dir = tempfile::tempdir().unwrap();
    let settings = ChainSettings { kept_blocks: 20, ..small() };
    let mut chain = real.open(dir.path(), settings).unwrap();
    for block in &real.blocks[..42] {
        import_next(&mut chain, block);
    }
    let main = canonical(&chain);
    // Blocks 35 to 44 once more, on block 34: over the merge, which is at 36.
    let side = branch(&real.blocks[34..44], real.blocks[33].hash, b"side");
    side.iter().for_each(|block| import_beside(&mut chain, block));
    assert_eq!(canonical(&chain), main, "import alone moved the head");

    let change = chain.set_head(side[9].hash, None, None).unwrap().expect("a change");
    assert_eq!((change.old.hash, change.new.hash), (real.blocks[41].hash, side[9].hash));
    let hashes =
        |blocks: &[std::sync::Arc<balsa_chain::KeptBlock>]| blocks.iter().map(|kept| kept.hash()).collect::<Vec<_>>();
    assert_eq!(hashes(&change.reverted), real.blocks[34..42].iter().rev().map(|block| block.hash).collect::<Vec<_>>());
    assert_eq!(hashes(&change.applied), side.iter().map(|block| block.hash).collect::<Vec<_>>());
    let moved: Vec<_> = main[..=34].iter().copied().chain(side.iter().map(|block| block.hash)).collect();
    assert_eq!(canonical(&chain), moved);
    for block in &side {
        for transaction in &block.transactions {
            let found = chain.view().transaction(transaction.tx_hash()).unwrap().expect("a canonical transaction");
            assert_eq!(found.block.hash, block.hash);
        }
    }
    assert!(chain.set_head(side[9].hash, None, None).unwrap().is_none(), "it is the head already");

    // Back to a block in the middle of the first branch, and on from there.
    chain.set_head(real.blocks[37].hash, None, None).unwrap();
    assert_eq!(canonical(&chain), main[..=38]);
    chain.set_head(real.blocks[41].hash, None, None).unwrap();
    for block in &real.blocks[42..] {
        import_next(&mut chain, block);
    }
    assert_eq!(chain.view().head().hash(), real.head);
}

#[test]
fn a_fork_choice_that_cannot_be_followed_changes_nothing() {
    let real = through_the_merge();
    let dir = tempfile::tempdir().unwrap();
    let mut chain = real.open(dir.path(), small()).unwrap();
    for block in &real.blocks[..40] {
        import_next(&mut chain, block);
    }
    let side = branch(&real.blocks[39..41], real.blocks[38].hash, b"side");
    side.iter().for_each(|block| import_beside(&mut chain, block));
    let before = canonical(&chain);

    let hash = |number: usize| real.blocks[number - 1].hash;
    let mut refused = |head, safe, finalized| {
        let error = chain.set_head(head, safe, finalized).unwrap_err();
        assert_eq!(canonical(&chain), before);
        assert_eq!((chain.view().safe(), chain.view().finalized()), (None, None));
        error
    };
    assert!(matches!(refused(hash(50), None, None), ForkChoiceError::UnknownHead(_)));
    assert!(matches!(refused(hash(3), None, None), ForkChoiceError::TooDeep { number: 3, .. }));
    for not_ancestor in [side[0].hash, hash(41), side[1].hash] {
        let error = refused(hash(40), Some(not_ancestor), None);
        assert!(matches!(error, ForkChoiceError::NotAncestor { name: "safe", .. }), "{error}");
        let error = refused(hash(40), Some(hash(40)), Some(not_ancestor));
        assert!(matches!(error, ForkChoiceError::NotAncestor { name: "finalized", .. }), "{error}");
    }

    chain.set_head(side[1].hash, Some(side[0].hash), Some(hash(2))).unwrap();
    let numbers =
        |chain: &Chain| [chain.view().safe(), chain.view().finalized()].map(|block| block.map(|block| block.number));
    assert_eq!(numbers(&chain), [Some(40), Some(2)]);
    chain.close().unwrap();
    let chain = real.open(dir.path(), small()).unwrap();
    assert_eq!(numbers(&chain), [Some(40), Some(2)]);
    assert_eq!(chain.view().head().hash(), side[1].hash);
}

#[test]
fn proof_of_work_follows_the_heaviest_chain() {
    let real = through_the_merge();
    let dir = tempfile::tempdir().unwrap();
    let mut chain = real.open(dir.path(), small()).unwrap();
    for block in &real.blocks[..27] {
        import_next(&mut chain, block);
    }
    // Blocks 26 to 28 once more, on block 25: no block of them holds an ommer.
    let rival = branch(&real.blocks[25..28], real.blocks[24].hash, b"rival");
    for block in &rival[..2] {
        let (outcome, change) = chain.import_and_choose(block.clone(), None).unwrap();
        assert!(matches!(outcome, ImportOutcome::Imported(_)), "{outcome:?}");
        assert!(change.is_none(), "no heavier, yet the head moved");
    }
    assert_eq!(chain.view().head().hash(), real.blocks[26].hash);
    let (_, change) = chain.import_and_choose(rival[2].clone(), None).unwrap();
    assert_eq!(change.map(|change| (change.reverted.len(), change.applied.len())), Some((2, 3)));
    assert_eq!(chain.view().head().hash(), rival[2].hash);
}

#[test]
fn what_was_not_flushed_is_executed_again_with_its_branches() {
    let real = through_the_merge();
    let dir = tempfile::tempdir().unwrap();
    let settings = ChainSettings { kept_blocks: 1000, ..small() };
    let mut chain = real.open(dir.path(), settings.clone()).unwrap();
    for block in &real.blocks[..40] {
        import_next(&mut chain, block);
    }
    let side = branch(&real.blocks[34..44], real.blocks[33].hash, b"side");
    side.iter().for_each(|block| import_beside(&mut chain, block));
    assert_eq!(chain.view().flushed().map(|block| block.number), Some(0));
    chain.close().unwrap();

    let mut chain = real.open(dir.path(), settings.clone()).unwrap();
    assert_eq!(chain.view().head().hash(), real.blocks[39].hash);
    assert_eq!(chain.view().root().number(), 0);
    chain.set_head(side[9].hash, None, None).unwrap();
    chain.flush_to_head().unwrap();
    chain.close().unwrap();
    let chain = real.open(dir.path(), settings).unwrap();
    assert_eq!(chain.view().head().hash(), side[9].hash);
    assert!(chain.view().kept(&real.blocks[39].hash).is_none(), "a branch below the flushed head is gone");
}

#[test]
fn a_stored_block_is_believed_no_more_than_a_new_one() {
    let real = to_prague();
    let dir = tempfile::tempdir().unwrap();
    let mut chain = real.open(dir.path(), small()).unwrap();
    real.blocks[..20].iter().for_each(|block| import_next(&mut chain, block));
    chain.flush_to_head().unwrap();
    chain.close().unwrap();

    // As if another version of this program had thought it valid.
    let bad = altered(&real.blocks[20], |header| header.state_root.0[0] ^= 1);
    let record = BlockRecord {
        hash: bad.hash,
        header: bad.header.clone(),
        body: alloy_rlp::encode(bad.clone().into_block().body).into(),
        receipts: vec![0xc0].into(),
        list: None,
    };
    let chain_id = real.genesis.spec.chain_id;
    let store = Store::open(dir.path(), real.genesis.hash(), chain_id, small().storage).unwrap();
    store.flush(&FlushBatch { blocks: vec![record.into()], ..FlushBatch::default() }).unwrap();
    drop(store);

    let mut chain = real.open(dir.path(), small()).unwrap();
    assert_eq!(chain.view().head().hash(), real.blocks[19].hash);
    let refused = rejection(chain.import(bad, None).unwrap());
    assert!(matches!(&*refused.reason, InvalidReason::Block(InvalidBlock::StateRoot { .. })), "{}", refused.reason);
    import_next(&mut chain, &real.blocks[20]);
}

/// A chain whose first twenty blocks are on the disk: block 11 alone logs ten megabytes, more than a small budget has.
fn on_twenty(real: &RealChain, dir: &Path, settings: ChainSettings) -> Chain {
    let mut chain = real.open(dir, settings.clone()).unwrap();
    real.blocks[..20].iter().for_each(|block| import_next(&mut chain, block));
    chain.flush_to_head().unwrap();
    chain.close().unwrap();
    real.open(dir, settings).unwrap()
}

/// The root of every block that follows is held against its header, so an evicted node that came back wrong would show.
#[test]
fn the_states_obey_their_budget_after_every_block() {
    let real = to_prague();
    let dir = tempfile::tempdir().unwrap();
    let bytes_max = 3 << 19;
    let mut chain = on_twenty(&real, dir.path(), ChainSettings { state_bytes_max: bytes_max, ..small() });
    let mut renewals = 0;
    for block in &real.blocks[20..] {
        // A reader of an old block is not disturbed.
        let before = chain.view().clone();
        let bytes = total_tree_bytes(&before.head().trie);
        import_next(&mut chain, block);
        assert_eq!(total_tree_bytes(&before.head().trie), bytes);
        let memory = chain.memory().unwrap();
        let number = block.header.number;
        let is_renewed = memory.states.renewals > renewals;
        renewals = memory.states.renewals;
        assert_eq!(memory.states.old_tries > 0, is_renewed, "{memory:?} after block {number}");
        drop(before);
        // So small a trie is mostly pages that are not full. The peaks of a larger one: balsa-workload's test `budget`.
        let states = chain.state_memory();
        assert!(states.all() <= bytes_max && states.old_tries == 0, "{states:?} after block {number}");
        let states = chain.view().state_bytes();
        let own: u64 = states.canonical.iter().sum();
        assert_eq!(states.canonical.len() as u64, number - chain.view().root().number() + 1);
        assert!(states.canonical[0] > 0 && own + states.beside <= memory.trie_live_bytes, "{states:?} {memory:?}");
        // What is hot stays.
        assert!(total_tree_bytes(&chain.view().head().trie) > 0, "block {number}");
        // The blocks that stay can still be built upon.
        let ancestor = real.blocks[number as usize - 3].hash;
        assert!(number < 23 || chain.view().kept(&ancestor).is_some(), "block {number}");
        if is_renewed {
            let at = number as usize - 3;
            import_beside(&mut chain, &branch(&real.blocks[at..=at], real.blocks[at - 1].hash, b"beside")[0]);
        }
    }
    assert!(renewals > 1, "old nodes were left to the disk {renewals} times: {:?}", chain.state_memory());
    assert_eq!(chain.view().head().hash(), real.head);
}

/// A consensus client may bring block after block before it says which is the head.
#[test]
fn blocks_that_do_not_become_the_head_are_looked_at_too() {
    let real = to_prague();
    let dir = tempfile::tempdir().unwrap();
    let bytes_max = 3 << 19;
    let mut chain = on_twenty(&real, dir.path(), ChainSettings { state_bytes_max: bytes_max, ..small() });
    for blocks in real.blocks[20..].chunks(20) {
        for block in blocks {
            import_beside(&mut chain, block);
            let memory = chain.state_memory();
            assert!(memory.all() <= bytes_max, "{memory:?} after block {}", block.header.number);
        }
        chain.set_head(blocks.last().unwrap().hash, None, None).unwrap();
    }
    assert!(chain.state_memory().renewals > 0, "{:?}", chain.state_memory());
    assert_eq!(chain.view().head().hash(), real.head);
}

/// However far below the head a block forks off: who was told that it is valid may build upon it.
#[test]
fn a_block_that_just_came_outlives_the_look_at_the_budget() {
    let real = to_prague();
    let (mut far, mut renewed) = (0, 0);
    for state_bytes_max in [1 << 20, 3 << 19, 1 << 21, 5 << 19, 3 << 20] {
        let dir = tempfile::tempdir().unwrap();
        let mut chain = on_twenty(&real, dir.path(), ChainSettings { state_bytes_max, kept_blocks: 40, ..small() });
        for block in &real.blocks[20..] {
            import_next(&mut chain, block);
            let root = chain.view().root().number() as usize;
            let head = block.header.number as usize;
            let renewals = chain.state_memory().renewals;
            let salt = head.to_be_bytes();
            let beside = branch(&real.blocks[root..=root], real.blocks[root - 1].hash, &salt);
            import_beside(&mut chain, &beside[0]);
            assert!(chain.view().kept(&beside[0].hash).is_some(), "{state_bytes_max} bytes, block {head}, root {root}");
            far += usize::from(head > root + 9);
            renewed += usize::from(head > root + 9 && chain.state_memory().renewals > renewals);
        }
    }
    assert!(far > 10 && renewed > 0, "{far} forks far below the head, {renewed} of them with a renewal");
}

/// Too small a budget for what a chain must keep slows it down, and does nothing worse.
#[test]
fn a_budget_that_cannot_be_kept_does_no_harm() {
    let real = to_prague();
    for state_bytes_max in [0, 1 << 16] {
        let dir = tempfile::tempdir().unwrap();
        let settings = ChainSettings { kept_blocks: 20, state_bytes_max, ..small() };
        let mut chain = real.open(dir.path(), settings).unwrap();
        for block in &real.blocks[..60] {
            import_next(&mut chain, block);
            let number = block.header.number;
            assert!(
                number < 3 || chain.view().kept(&real.blocks[number as usize - 3].hash).is_some(),
                "block {number}"
            );
        }
    }
}

#[test]
fn a_small_budget_flushes_early() {
    let real = to_prague();
    let dir = tempfile::tempdir().unwrap();
    let settings = ChainSettings { kept_blocks: 1000, state_bytes_max: 3 << 19, ..small() };
    let blocks_bytes_max = settings.state_bytes_max / 4;
    let mut chain = on_twenty(&real, dir.path(), settings);
    let mut most = 0;
    for block in &real.blocks[20..220] {
        import_next(&mut chain, block);
        most = most.max(chain.view().head().number() - chain.view().root().number());
        let memory = chain.state_memory();
        assert!(memory.blocks <= blocks_bytes_max, "{memory:?} after block {}", block.header.number);
    }
    assert!(most < 150, "{most} blocks were kept");
    chain.ping().unwrap();
    assert!(chain.view().flushed().is_some_and(|block| block.number > 50));
}

#[test]
fn the_trie_may_lie_in_files() {
    let real = to_prague();
    let (dir, pages) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let directory = pages.path().canonicalize().unwrap();
    // Files of the trie have no name; the system tells where they are.
    let files = || {
        let open = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
        open.filter(|file| std::fs::read_link(file.path()).is_ok_and(|name| name.starts_with(&directory))).count()
    };
    let trie_memory = TrieMemory::FilesIn(pages.path().to_owned());
    // Begun anew every few blocks: each time in a file of its own.
    let settings = ChainSettings { kept_blocks: 20, state_bytes_max: 2 << 20, trie_memory, ..small() };
    let mut chain = real.open(dir.path(), settings).unwrap();
    for block in &real.blocks[..60] {
        import_next(&mut chain, block);
        assert_eq!(files(), 1, "block {}", block.header.number);
    }
    chain.close().unwrap();
    assert_eq!(files(), 0);
    assert_eq!(std::fs::read_dir(directory).unwrap().count(), 0);
}

#[test]
fn a_directory_that_takes_no_pages_is_an_error_before_anything_is_begun() {
    let real = to_prague();
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("missing");
    let database = dir.path().join("database");
    let settings = ChainSettings { trie_memory: TrieMemory::FilesIn(missing.clone()), ..small() };
    let Err(error) = real.open(&database, settings) else { panic!("opened") };
    assert!(matches!(error, ChainError::TriePages(_)), "{error}");
    assert!(error.to_string().contains(&missing.display().to_string()), "{error}");
    assert!(!database.exists());
}
