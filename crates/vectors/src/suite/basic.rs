//! BasicTests, GenesisTests and PoWTests: small files, each in a form of its own.

use super::{malformed, reference_trie};
use crate::fixture::{Accounts, Hex, parse_bytes, parse_number};
use crate::state_transaction::address_of_key;
use crate::world::World;
use crate::{Options, Outcome, Place};
use alloy_consensus::{EMPTY_OMMER_ROOT_HASH, EMPTY_ROOT_HASH, Header};
use alloy_eips::eip2718::{Decodable2718, Encodable2718};
use alloy_primitives::{Address, B64, B256, Bytes, U256, keccak256};
use alloy_rlp::Decodable as _;
use balsa_chainspec::{ChainSpec, Fork, Network};
use balsa_evm::Transaction;
use balsa_executor::recover_sender;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Judges a file: what its tests are called and what became of each.
type Judged = Result<Vec<(String, Result<(), String>)>, String>;

/// What judges a file.
type Judge = fn(&str) -> Judged;

const FILES: [(&str, Judge); 6] = [
    ("BasicTests/hexencodetest.json", hex_prefixes),
    ("BasicTests/keyaddrtest.json", keys),
    ("BasicTests/txtest.json", transactions),
    ("BasicTests/genesishashestest.json", mainnet_genesis),
    ("GenesisTests/basic_genesis_tests.json", genesis_blocks),
    ("PoWTests/ethash_tests.json", sealed_headers),
];

/// Runs all tests of one file.
pub fn run(path: &str, bytes: &[u8], options: &Options) -> Vec<Outcome> {
    let outcome = |name: &str, judged: Result<(), String>| {
        let place = Place { file: path.into(), name: name.into() };
        Outcome::new(&place, "", judged.map(|()| None))
    };
    let judged = match (FILES.iter().find(|(end, _)| path.ends_with(end)), std::str::from_utf8(bytes)) {
        (Some((_, judge)), Ok(text)) => judge(text),
        (None, _) => Err("a file of no known form".to_owned()),
        (_, Err(error)) => Err(error.to_string()),
    };
    match judged {
        Ok(tests) => {
            let tests = tests.into_iter().filter(|(name, _)| options.selects_test(name));
            tests.map(|(name, judged)| outcome(&name, judged)).collect()
        }
        Err(error) => vec![outcome("file", Err(error))],
    }
}

fn equal<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, expected: &T) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{what} {found:?}, expected {expected:?}")) }
}

/// Yellow Paper, appendix C.
fn hex_prefixes(text: &str) -> Judged {
    #[derive(Deserialize)]
    struct Test {
        seq: Vec<u8>,
        term: bool,
        out: Bytes,
    }
    let tests: BTreeMap<String, Test> = serde_json::from_str(text).map_err(malformed)?;
    let judge = |test: &Test| equal("path", &reference_trie::hex_prefix(&test.seq, test.term), &test.out.to_vec());
    Ok(tests.iter().map(|(name, test)| (name.clone(), judge(test))).collect())
}

/// Keys and addresses. The signatures in this file are over a message that nothing names any more.
fn keys(text: &str) -> Judged {
    #[derive(Deserialize)]
    struct Test {
        seed: String,
        key: B256,
        addr: Address,
    }
    let tests: Vec<Test> = serde_json::from_str(text).map_err(malformed)?;
    let judge = |test: &Test| {
        equal("key", &keccak256(&test.seed), &test.key)?;
        equal("address", &address_of_key(&test.key.0), &Some(test.addr))
    };
    Ok(tests.iter().map(|test| (test.seed.clone(), judge(test))).collect())
}

fn transactions(text: &str) -> Judged {
    #[derive(Deserialize)]
    struct Test {
        key: B256,
        nonce: u64,
        gasprice: u128,
        startgas: u64,
        to: String,
        value: u128,
        data: String,
        signed: Bytes,
    }
    let tests: Vec<Test> = serde_json::from_str(text).map_err(malformed)?;
    let judge = |test: &Test| {
        use alloy_consensus::Transaction as _;
        let mut rest = &test.signed[..];
        let transaction = Transaction::decode_2718(&mut rest).map_err(|error| error.to_string())?;
        equal("rest", &rest, &&[][..])?;
        equal("encoding", &transaction.encoded_2718(), &test.signed.to_vec())?;
        equal("nonce", &transaction.nonce(), &test.nonce)?;
        equal("gas price", &transaction.max_fee_per_gas(), &test.gasprice)?;
        equal("gas limit", &transaction.gas_limit(), &test.startgas)?;
        equal("to", &transaction.to(), &test.to.parse::<Address>().ok())?;
        equal("value", &transaction.value(), &U256::from(test.value))?;
        equal("data", &Some(transaction.input().clone()), &parse_bytes(&test.data))?;
        let rules = ChainSpec::all_at_genesis(1, Fork::Frontier).rules_at(0, 0, false);
        let sender = recover_sender(&rules, &transaction).map_err(|error| error.to_string())?;
        equal("sender", &Some(sender), &address_of_key(&test.key.0))
    };
    Ok(tests.iter().enumerate().map(|(index, test)| (index.to_string(), judge(test))).collect())
}

fn mainnet_genesis(text: &str) -> Judged {
    #[derive(Deserialize)]
    struct Test {
        genesis_rlp_hex: Bytes,
        genesis_state_root: B256,
        genesis_hash: B256,
    }
    let test: Test = serde_json::from_str(text).map_err(malformed)?;
    let judge = || {
        let block = alloy_consensus::Block::<Transaction>::decode(&mut &test.genesis_rlp_hex[..]);
        let header = block.map_err(|error| error.to_string())?.header;
        equal("state root", &header.state_root, &test.genesis_state_root)?;
        equal("hash", &header.hash_slow(), &test.genesis_hash)?;
        equal("hash of the network's own genesis", &Network::Mainnet.genesis_hash(), &test.genesis_hash)
    };
    Ok(vec![("mainnet".to_owned(), judge())])
}

fn genesis_blocks(text: &str) -> Judged {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Test {
        nonce: B64,
        alloc: BTreeMap<Address, AllocAccount>,
        timestamp: Hex<u64>,
        parent_hash: B256,
        extra_data: Bytes,
        gas_limit: Hex<u64>,
        difficulty: Hex<U256>,
        mix_hash: B256,
        coinbase: Address,
        result: Bytes,
    }
    #[derive(Deserialize)]
    struct AllocAccount {
        #[serde(alias = "wei")]
        balance: Option<String>,
        #[serde(default)]
        code: Bytes,
        #[serde(default)]
        storage: BTreeMap<Hex<U256>, Hex<U256>>,
    }
    let tests: BTreeMap<String, Test> = serde_json::from_str(text).map_err(malformed)?;
    let judge = |test: &Test| {
        let account = |account: &AllocAccount| -> Result<crate::fixture::Account, String> {
            let balance = account.balance.as_deref().map_or(Some(U256::ZERO), parse_number);
            let balance = Hex(balance.ok_or("malformed fixture: balance")?);
            let (code, storage) = (account.code.clone(), account.storage.clone());
            Ok(crate::fixture::Account { balance, code, storage, ..Default::default() })
        };
        let alloc = test.alloc.iter().map(|(address, of)| Ok::<_, String>((*address, account(of)?)));
        let alloc = alloc.collect::<Result<Accounts, String>>()?;
        let header = Header {
            state_root: World::of(&alloc).map_err(|error| error.to_string())?.root(),
            ommers_hash: EMPTY_OMMER_ROOT_HASH,
            transactions_root: EMPTY_ROOT_HASH,
            receipts_root: EMPTY_ROOT_HASH,
            parent_hash: test.parent_hash,
            beneficiary: test.coinbase,
            difficulty: test.difficulty.0,
            gas_limit: test.gas_limit.0,
            timestamp: test.timestamp.0,
            extra_data: test.extra_data.clone(),
            mix_hash: test.mix_hash,
            nonce: test.nonce,
            ..Header::default()
        };
        let block = alloy_consensus::Block { header, body: alloy_consensus::BlockBody::<Transaction>::default() };
        equal("block", &Bytes::from(alloy_rlp::encode(block)), &test.result)
    };
    Ok(tests.iter().map(|(name, test)| (name.clone(), judge(test))).collect())
}

/// Of proof of work the seal is not checked here: that the header is read right, and what its seal is over.
fn sealed_headers(text: &str) -> Judged {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Test {
        nonce: B64,
        mix_hash: B256,
        header: Bytes,
        #[serde(rename = "header_hash")]
        header_hash: B256,
    }
    let tests: BTreeMap<String, Test> = serde_json::from_str(text).map_err(malformed)?;
    let judge = |test: &Test| {
        let header = Header::decode(&mut &test.header[..]).map_err(|error| error.to_string())?;
        equal("nonce", &header.nonce, &test.nonce)?;
        equal("mix hash", &header.mix_hash, &test.mix_hash)?;
        equal("encoding", &Bytes::from(alloy_rlp::encode(&header)), &test.header)?;
        equal("hash without seal", &hash_without_seal(&header), &test.header_hash)
    };
    Ok(tests.iter().map(|(name, test)| (name.clone(), judge(test))).collect())
}

/// The hash of the header's first thirteen fields: all but mix hash and nonce.
fn hash_without_seal(header: &Header) -> B256 {
    const SEAL_BYTES: usize = 33 + 9;
    let encoded = alloy_rlp::encode(header);
    let mut payload = &encoded[..];
    let list = alloy_rlp::Header::decode(&mut payload).map_or(0, |list| list.payload_length);
    let unsealed = &payload[..list.saturating_sub(SEAL_BYTES)];
    let mut out = Vec::with_capacity(encoded.len());
    alloy_rlp::Header { list: true, payload_length: unsealed.len() }.encode(&mut out);
    out.extend_from_slice(unsealed);
    keccak256(out)
}
