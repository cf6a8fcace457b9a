//! The states in memory obey their budget while large blocks come, one after the other.

mod common;

use std::sync::Arc;

use balsa_chain::{Chain, ChainSettings, ImportOutcome};
use balsa_executor::{ExecutionMode, Executor};
use balsa_workload::{kind::Kind, prepare::prepare, profile::Profile};
use common::blocks_of;

/// Each root is held against its header, so nodes that were left to the disk and came back wrong would show.
#[test]
fn states_obey_their_budget_after_every_block_and_while_tries_are_renewed() {
    let mut params = Profile::Quick.params();
    (params.blocks, params.state.holders, params.contention.hot_permille) = (64, 20_000, 0);
    // New rows and random balances: nodes that are made and then left alone.
    params.mix.retain(|kind, _| matches!(kind, Kind::StorageWrite | Kind::TokenTransfer | Kind::TransferNew));
    let folder = tempfile::tempdir().unwrap();
    let genesis = prepare(&params, folder.path(), Default::default()).unwrap();
    let (blocks, summary) = blocks_of(&params);
    // Enough for the pages of a new trie that are not full: about a hundred and fifty kinds.
    let bytes_max = 24 << 20;
    let settings = ChainSettings { kept_blocks: 4, flush_blocks: 2, state_bytes_max: bytes_max, ..Default::default() };
    let executor = Executor::new(genesis.spec.clone(), 2, ExecutionMode::Parallel).unwrap();
    let mut chain = Chain::open(folder.path(), &genesis, Arc::new(executor), settings).unwrap();
    for built in &blocks {
        let (outcome, change) = chain.import_and_choose(built.block.clone(), built.list.clone()).unwrap();
        assert!(matches!(outcome, ImportOutcome::Imported(_)) && change.is_some(), "{outcome:?}");
        let memory = chain.memory().unwrap().states;
        let number = built.block.header.number;
        assert!(memory.all() <= memory.peak && memory.peak <= bytes_max, "{memory:?} after block {number}");
    }
    let memory = chain.state_memory();
    assert!(memory.renewals > 1 && memory.peak > memory.bytes_max / 4 * 3, "too easy: {memory:?}");
    assert_eq!(chain.view().head().hash(), summary.head);
}
