//! A chain of three contracts and some accounts, under Osaka's rules with access lists, whose blocks can be forged.

use std::sync::Arc;

use alloy_consensus::{SignableTransaction, TxEip1559};
use alloy_eip7928::AccountChanges;
use alloy_eips::eip4895::Withdrawals;
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256, address, bytes, keccak256};
use balsa_builder::{Attributes, BlockBuilder, BuiltBlock};
use balsa_evm::{BlockHashes, Transaction};
use balsa_executor::{
    ExecuteError, ExecutedBlock, ExecutionMode, Executor, GenesisState, InvalidBlock, Parent, SealedBlock,
    genesis_state,
};
use balsa_state::{FlatStore, MemoryStore, State};
use balsa_trie::{NoNodes, StateTrie};
use secp256k1::{Message, PublicKey, SECP256K1, SecretKey};

/// EIP-4788, with its real code: it writes the block's time and root into two slots.
pub const BEACON_ROOTS: Address = address!("0x000F3df6D732807Ef1319fB7B8bB8522d0Beac02");
/// Stores its second word of input in the slot that the first names.
pub const STORE: Address = address!("0x00000000000000000000000000000000000000a1");
/// Reads the slot that its input names.
pub const LOAD: Address = address!("0x00000000000000000000000000000000000000a2");
/// Asks the beacon roots for the root of this block's time, and keeps the answer in slot 0.
pub const ASK_BEACON_ROOT: Address = address!("0x00000000000000000000000000000000000000a3");
/// Who is paid tips.
pub const COINBASE: Address = address!("0x00000000000000000000000000000000000000c0");

const BEACON_ROOTS_CODE: Bytes = bytes!(
    "3373fffffffffffffffffffffffffffffffffffffffe14604d57602036146024575f5ffd5b5f35801560495762001fff8106908154\
     14603c575f5ffd5b62001fff01545f5260205ff35b5f5ffd5b62001fff42064281555f359062001fff015500"
);
/// PUSH1 32, CALLDATALOAD, PUSH0, CALLDATALOAD, SSTORE, STOP
const STORE_CODE: Bytes = bytes!("6020355f355500");
/// PUSH0, CALLDATALOAD, SLOAD, POP, STOP
const LOAD_CODE: Bytes = bytes!("5f35545000");
/// mem[0] = TIMESTAMP; STATICCALL(gas, beacon roots, 0, 32, 0, 32); slot 0 = mem[0]
const ASK_CODE: Bytes = bytes!("425f5260205f60205f73000f3df6d732807ef1319fb7b8bb8522d0beac025afa505f515f5500");

/// Chain with one block to come.
pub struct World {
    pub executor: Executor,
    genesis: GenesisState,
    store: Arc<dyn FlatStore>,
}

impl World {
    pub fn new() -> Self {
        Self::with_store(|store| Arc::new(store))
    }

    /// A world whose flat state is read through something else.
    pub fn with_store(wrap: impl FnOnce(MemoryStore) -> Arc<dyn FlatStore>) -> Self {
        let genesis = balsa_chainspec::genesis::parse(genesis_json().as_bytes()).unwrap();
        let executor = Executor::new(Arc::new(genesis.spec.clone()), 2, ExecutionMode::Auto).unwrap();
        let genesis = genesis_state(&genesis).unwrap();
        let mut store = MemoryStore::default();
        store.apply(&genesis.diff);
        Self { executor, genesis, store: wrap(store) }
    }

    pub fn parent(&self) -> Parent {
        let GenesisState { block, trie, .. } = &self.genesis;
        self.parent_of(block, State::new(self.store.clone()), trie)
    }

    /// The parent that a block makes whose result is known.
    pub fn parent_of(&self, block: &SealedBlock, state: State, trie: &StateTrie) -> Parent {
        Parent {
            header: block.header.clone(),
            hash: block.hash,
            state,
            trie: trie.clone(),
            nodes: Arc::new(NoNodes),
            hashes: Arc::new(BlockHashes::new(block.header.number + 1, block.hash, |_| None)),
        }
    }

    /// A valid block of these transactions.
    pub fn build(&self, transactions: &[Transaction], withdrawals: Withdrawals) -> BuiltBlock {
        let parent = self.parent();
        let mut open = BlockBuilder::open(&self.executor, &parent, attributes(withdrawals)).unwrap();
        for transaction in transactions {
            open.add(transaction, sender(transaction)).unwrap().unwrap();
        }
        open.seal().unwrap()
    }

    pub fn execute(
        &self,
        mode: ExecutionMode,
        block: &SealedBlock,
        list: &Bytes,
    ) -> Result<ExecutedBlock, ExecuteError> {
        self.executor.with_mode(mode).execute(block, Some(list.clone()), &self.parent())
    }

    /// Both paths must accept, with equal results.
    pub fn accept(&self, built: &BuiltBlock) -> ExecutedBlock {
        let list = built.list.as_ref().unwrap();
        let sequential = self.execute(ExecutionMode::Sequential, &built.block, list).unwrap();
        let parallel = self.execute(ExecutionMode::Parallel, &built.block, list).unwrap();
        assert_eq!(parallel.path, balsa_executor::Path::Parallel);
        assert_eq!(parallel.diff, sequential.diff);
        assert_eq!(parallel.receipts, sequential.receipts);
        assert_eq!(parallel.list, sequential.list);
        sequential
    }

    /// Both paths must refuse, for the same reason, which is returned.
    pub fn refuse(&self, block: &SealedBlock, list: &Bytes) -> InvalidBlock {
        let reason = |mode| match self.execute(mode, block, list) {
            Err(ExecuteError::Invalid(refusal)) => {
                // What is refused for its list is shown beside the list that it should have come with.
                assert_eq!(refusal.recorded_list.is_some(), refusal.rule.is_of_list(), "{refusal}");
                refusal.rule
            }
            other => panic!("{mode:?} does not refuse: {:?}", other.map(|executed| executed.path)),
        };
        let sequential = reason(ExecutionMode::Sequential);
        assert_eq!(reason(ExecutionMode::Parallel), sequential);
        sequential
    }

    /// Changes a valid block's list, and the header's commitment to it, and nothing else; both paths must refuse.
    pub fn refuse_list(&self, built: &BuiltBlock, change: impl FnOnce(&mut Vec<AccountChanges>)) -> InvalidBlock {
        let mut list: Vec<AccountChanges> = alloy_rlp::decode_exact(built.list.as_ref().unwrap()).unwrap();
        let before = list.clone();
        change(&mut list);
        assert_ne!(list, before, "the list was not changed");
        let bytes = Bytes::from(alloy_rlp::encode(&list));
        self.refuse(&committed_to(&built.block, &bytes), &bytes)
    }
}

/// The block with its header committing to another list.
pub fn committed_to(block: &SealedBlock, list: &Bytes) -> SealedBlock {
    let mut block = block.clone();
    block.header.block_access_list_hash = Some(keccak256(list));
    SealedBlock::from_parts(block.header, block.transactions, block.ommers, block.withdrawals)
}

pub fn attributes(withdrawals: Withdrawals) -> Attributes {
    Attributes {
        timestamp: 1_000,
        fee_recipient: COINBASE,
        withdrawals: Some(withdrawals),
        parent_beacon_block_root: Some(B256::repeat_byte(0xbe)),
        gas_limit_target: 30_000_000,
        ..Attributes::default()
    }
}

/// An account of the list.
pub fn account(list: &mut [AccountChanges], address: Address) -> &mut AccountChanges {
    list.iter_mut().find(|account| account.address == address).unwrap()
}

/// Account `n` has a balance from the start.
pub fn key(n: u8) -> SecretKey {
    SecretKey::from_byte_array([n + 1; 32]).unwrap()
}

pub fn address(key: &SecretKey) -> Address {
    let public = PublicKey::from_secret_key(SECP256K1, key).serialize_uncompressed();
    Address::from_slice(&keccak256(&public[1..])[12..])
}

/// A transaction of account `n`.
pub struct Call {
    pub from: u8,
    pub nonce: u64,
    pub to: TxKind,
    pub value: u64,
    pub input: Bytes,
    pub gas_limit: u64,
    pub tip: u128,
}

impl Call {
    pub fn new(from: u8, nonce: u64, to: Address) -> Self {
        let (value, input) = (0, Bytes::new());
        Self { from, nonce, to: TxKind::Call(to), value, input, gas_limit: 200_000, tip: 1 }
    }

    /// Input of 32-byte words.
    pub fn words(mut self, words: &[u64]) -> Self {
        self.input = words.iter().flat_map(|word| U256::from(*word).to_be_bytes::<32>()).collect::<Vec<_>>().into();
        self
    }

    pub fn sign(self) -> Transaction {
        let transaction = TxEip1559 {
            chain_id: 1,
            nonce: self.nonce,
            gas_limit: self.gas_limit,
            max_fee_per_gas: 10_000_000_000,
            max_priority_fee_per_gas: self.tip,
            to: self.to,
            value: U256::from(self.value),
            input: self.input,
            access_list: Default::default(),
        };
        let message = Message::from_digest(transaction.signature_hash().0);
        let (recovery, bytes) = SECP256K1.sign_ecdsa_recoverable(message, &key(self.from)).serialize_compact();
        let odd = i32::from(recovery) == 1;
        transaction.into_signed(Signature::from_bytes_and_parity(&bytes, odd)).into()
    }
}

fn sender(transaction: &Transaction) -> Address {
    let rules = balsa_chainspec::Rules::mainnet(balsa_chainspec::Fork::Osaka);
    balsa_executor::recover_sender(&rules, transaction).unwrap()
}

fn genesis_json() -> String {
    let contract = |address: Address, code: &Bytes| format!(r#""{address}": {{"balance": "0x0", "code": "{code}"}}"#);
    // The request predeploys must have code, or no block is valid: STOP returns no requests.
    let stop = bytes!("00");
    let predeploys = [
        address!("0x00000961Ef480Eb55e80D19ad83579A64c007002"),
        address!("0x0000BBdDc7CE488642fb579F8B00f3a590007251"),
    ];
    let mut alloc: Vec<String> = (0..8)
        .map(|n| format!(r#""{}": {{"balance": "0xde0b6b3a7640000"}}"#, address(&key(n))))
        .chain(predeploys.map(|predeploy| contract(predeploy, &stop)))
        .collect();
    alloc.push(contract(BEACON_ROOTS, &BEACON_ROOTS_CODE));
    alloc.push(contract(STORE, &STORE_CODE));
    alloc.push(contract(LOAD, &LOAD_CODE));
    alloc.push(contract(ASK_BEACON_ROOT, &ASK_CODE));
    format!(
        r#"{{"config": {{"chainId": 1, "homesteadBlock": 0, "eip150Block": 0, "eip155Block": 0, "eip158Block": 0,
        "byzantiumBlock": 0, "constantinopleBlock": 0, "petersburgBlock": 0, "istanbulBlock": 0, "berlinBlock": 0,
        "londonBlock": 0, "mergeNetsplitBlock": 0, "terminalTotalDifficulty": 0, "terminalTotalDifficultyPassed": true,
        "shanghaiTime": 0, "cancunTime": 0, "pragueTime": 0, "osakaTime": 0, "balTime": 0,
        "blobSchedule": {{"cancun": {{"target": 3, "max": 6, "baseFeeUpdateFraction": 3338477}},
        "prague": {{"target": 6, "max": 9, "baseFeeUpdateFraction": 5007716}},
        "osaka": {{"target": 6, "max": 9, "baseFeeUpdateFraction": 5007716}}}}}},
        "difficulty": "0x0", "gasLimit": "0x1c9c380", "timestamp": "0x1", "baseFeePerGas": "0x7",
        "alloc": {{{}}}}}"#,
        alloc.join(", ")
    )
}
