//! Genesis files that other clients wrote: the header built from each is the one its chain begins with.

use alloy_consensus::{Block, TxEnvelope};
use alloy_primitives::{B256, U256, keccak256};
use alloy_rlp::Decodable;
use alloy_trie::{
    TrieAccount,
    root::{state_root_unhashed, storage_root_unhashed},
};
use balsa_chainspec::{Fork, Genesis, genesis};
use std::{env, fs, path::PathBuf};

#[test]
fn the_devp2p_chain_begins_with_its_genesis_file() {
    // Merged from the start under a proof-of-work header, Shanghai at timestamp 0.
    check("devp2p-chain/genesis.json", "devp2p-chain/chain.rlp", Fork::Shanghai);
}

#[test]
fn the_execution_apis_chain_begins_with_its_genesis_file() {
    check("execution-apis/tests/genesis.json", "execution-apis/tests/chain.rlp", Fork::Homestead);
}

fn check(genesis_file: &str, chain_file: &str, fork_of_first_block: Fork) {
    let genesis = genesis::parse(&read(genesis_file)).expect("the genesis file is sound");
    let chain = read(chain_file);
    let first = Block::<TxEnvelope>::decode(&mut chain.as_slice()).expect("a block comes first");
    let header = genesis.header(state_root(&genesis));
    assert_eq!(header.hash_slow(), first.header.parent_hash);
    assert_eq!(genesis.spec.rules_of(&first.header).fork, fork_of_first_block);
}

fn state_root(genesis: &Genesis) -> B256 {
    state_root_unhashed(genesis.alloc.iter().map(|(address, account)| {
        let slots = account.storage.iter().map(|(slot, value)| (*slot, U256::from(*value)));
        let account = TrieAccount {
            nonce: account.nonce,
            balance: account.balance,
            storage_root: storage_root_unhashed(slots),
            code_hash: keccak256(&account.code),
        };
        (*address, account)
    }))
}

fn read(name: &str) -> Vec<u8> {
    let path = vectors().join(name);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn vectors() -> PathBuf {
    if let Some(given) = env::var_os("BALSA_VECTORS") {
        return given.into();
    }
    let workspace = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let beside = workspace.join("../shared/vectors");
    if beside.exists() { beside } else { workspace.join("fixtures/vectors") }
}
