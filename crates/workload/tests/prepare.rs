//! A prepared database is the chain that the genesis file begins.

mod common;

use std::sync::Arc;

use balsa_chain::{Chain, ChainError, ChainSettings, GenesisBlock, ImportOutcome};
use balsa_executor::{ExecutionMode, Executor};
use balsa_workload::generate::parsed_genesis;
use balsa_workload::prepare::{prepare, prepared};
use balsa_workload::world::World;
use common::{blocks_of, small};

#[test]
fn a_prepared_database_imports_the_load() {
    let mut params = small(900, "Amsterdam", 4);
    params.state.holders = 3000;
    let folder = tempfile::tempdir().unwrap();
    let genesis = prepare(&params, folder.path(), Default::default()).unwrap();
    let from_file = GenesisBlock::new(&parsed_genesis(&params, &World::new(&params)).unwrap()).unwrap();
    assert_eq!(genesis.block, from_file.block);

    let (blocks, _) = blocks_of(&params);
    // Opened anew, as another process would, and by either form of the genesis.
    for (genesis, half) in [(prepared(&params).unwrap(), &blocks[..2]), (from_file, &blocks[2..])] {
        let executor = Executor::new(genesis.spec.clone(), 2, ExecutionMode::Auto).unwrap();
        let mut chain = Chain::open(folder.path(), &genesis, Arc::new(executor), ChainSettings::default()).unwrap();
        for built in half {
            let (outcome, _) = chain.import_and_choose(built.block.clone(), built.list.clone()).unwrap();
            assert!(matches!(outcome, ImportOutcome::Imported(_)), "{outcome:?}");
        }
        chain.close().unwrap();
    }
}

#[test]
fn a_stored_genesis_begins_no_chain() {
    let params = small(901, "Amsterdam", 1);
    let genesis = prepared(&params).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let executor = Arc::new(Executor::new(genesis.spec.clone(), 1, ExecutionMode::Auto).unwrap());
    let refused = Chain::open(folder.path(), &genesis, executor, ChainSettings::default());
    assert!(matches!(refused, Err(ChainError::GenesisStateMissing)));
}

#[test]
fn a_chain_that_has_begun_is_not_prepared_again() {
    let params = small(902, "Amsterdam", 1);
    let folder = tempfile::tempdir().unwrap();
    prepare(&params, folder.path(), Default::default()).unwrap();
    assert!(prepare(&params, folder.path(), Default::default()).is_err());
}
