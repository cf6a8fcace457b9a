//! Proofs of accounts and slots, held against the headers' state roots by alloy-trie.

use alloy_primitives::{Address, B256, Bytes, U64, U256, keccak256};
use alloy_trie::{KECCAK_EMPTY, Nibbles, TrieAccount, proof::verify_proof};
use balsa_chain::GenesisBlock;
use balsa_chainspec::{GenesisAccount, Network};
use balsa_rpc::Limits;
use serde::Deserialize;
use serde_json::json;

use crate::support::{TestNode, build, call, make_head, open_chain, open_doors, transfer};

/// Whom [`transfer`] calls.
const CONTRACT: Address = Address::repeat_byte(0xbb);

/// SSTORE of 2 to slot 1.
const CODE: &[u8] = &[0x60, 2, 0x60, 1, 0x55];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    address: Address,
    account_proof: Vec<Bytes>,
    balance: U256,
    code_hash: B256,
    nonce: U64,
    storage_hash: B256,
    storage_proof: Vec<Slot>,
}

#[derive(Debug, Deserialize)]
struct Slot {
    key: U256,
    value: U256,
    proof: Vec<Bytes>,
}

impl Answer {
    fn account(&self) -> TrieAccount {
        let Self { balance, code_hash, storage_hash, .. } = *self;
        TrieAccount { nonce: self.nonce.to(), balance, storage_root: storage_hash, code_hash }
    }

    /// Whether the nodes prove an account, or that there is none.
    fn proves(&self, state_root: B256, account: Option<TrieAccount>) -> bool {
        let key = Nibbles::unpack(keccak256(self.address));
        verify_proof(state_root, key, account.map(alloy_rlp::encode), &self.account_proof).is_ok()
    }
}

impl Slot {
    /// Whether the nodes prove a value, or, for zero, that there is none.
    fn proves(&self, storage_root: B256, value: U256) -> bool {
        let key = Nibbles::unpack(keccak256(self.key.to_be_bytes::<32>()));
        let value = (!value.is_zero()).then(|| alloy_rlp::encode(value));
        verify_proof(storage_root, key, value, &self.proof).is_ok()
    }
}

/// A contract with slots 100 to 299, each of which holds its number.
fn node() -> TestNode {
    let mut genesis = Network::Dev.genesis();
    let storage = (100u64..300).map(|n| (B256::from(U256::from(n)), U256::from(n))).collect();
    let contract = GenesisAccount { code: CODE.into(), storage, ..GenesisAccount::default() };
    assert!(genesis.alloc.insert(CONTRACT, contract).is_none());
    open_doors(open_chain(&GenesisBlock::new(&genesis).unwrap()), Limits::public())
}

/// The proof at a block, and the state root that the block's header names.
fn asked(node: &TestNode, block: &str, address: Address, slots: &[u64]) -> (Answer, B256) {
    let slots: Vec<_> = slots.iter().map(|slot| format!("{slot:#x}")).collect();
    let answer = call(node.http(), "eth_getProof", json!([address, slots, block])).unwrap();
    let header = call(node.http(), "eth_getBlockByNumber", json!([block, false])).unwrap();
    (serde_json::from_value(answer).unwrap(), serde_json::from_value(header["stateRoot"].clone()).unwrap())
}

#[test]
fn proofs_hold_under_the_state_root_of_their_block() {
    let node = node();
    let genesis = node.running.node().view().head().hash();
    make_head(&node, &build(&node, genesis, 1, Some(vec![transfer(0)])));
    // Slot 1 is written in block 1, slot 7 never.
    for (block, written, balance) in [("0x0", 0, 0), ("0x1", 2, 1), ("latest", 2, 1)] {
        let (proof, root) = asked(&node, block, CONTRACT, &[123, 1, 7]);
        assert_eq!((proof.address, proof.balance, proof.code_hash), (CONTRACT, U256::from(balance), keccak256(CODE)));
        assert!(proof.proves(root, Some(proof.account())), "{block}: {proof:?}");
        assert!(!proof.proves(root, None));
        assert!(!proof.proves(root, Some(TrieAccount { nonce: 77, ..proof.account() })));
        let slots: Vec<_> = proof.storage_proof.iter().map(|slot| (slot.key.to(), slot.value.to())).collect();
        assert_eq!(slots, [(123u64, 123u64), (1, written), (7, 0)], "{block}");
        for slot in &proof.storage_proof {
            assert!(slot.proof.len() > 1, "of 200 slots none hangs on the root: {slot:?}");
            assert!(slot.proves(proof.storage_hash, slot.value), "{block}: {slot:?}");
            assert!(!slot.proves(proof.storage_hash, slot.value + U256::from(1)));
        }
    }
    // A proof of one block is none of another.
    let ((before, old_root), (after, new_root)) =
        (asked(&node, "0x0", CONTRACT, &[]), asked(&node, "0x1", CONTRACT, &[]));
    assert!(!before.proves(new_root, Some(before.account())) && !after.proves(old_root, Some(after.account())));
}

#[test]
fn what_is_not_there_is_proved_not_to_be() {
    let node = node();
    let absent = Address::repeat_byte(0x77);
    let (proof, root) = asked(&node, "latest", absent, &[5]);
    assert_eq!((proof.address, proof.balance, proof.nonce), (absent, U256::ZERO, U64::ZERO));
    assert!(!proof.account_proof.is_empty() && proof.proves(root, None), "{proof:?}");
    assert!(!proof.proves(root, Some(proof.account())));
    assert_eq!((proof.storage_hash, proof.code_hash), (alloy_trie::EMPTY_ROOT_HASH, KECCAK_EMPTY));
    let slot = &proof.storage_proof[0];
    assert_eq!((slot.key, slot.value, slot.proof.len()), (U256::from(5), U256::ZERO, 0));
}
