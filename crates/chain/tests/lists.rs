//! Blocks with their access lists, as a consensus client brought them to the client that built them: import, fork
//! choice, restart.

mod real_chains;

use std::{io::Read, sync::Arc};

use alloy_consensus::Header;
use alloy_eips::{eip2718::Decodable2718, eip4895::Withdrawals};
use alloy_primitives::{B64, B256, Bytes, U256, keccak256};
use balsa_chain::{Chain, ChainSettings, GenesisBlock, ImportOutcome, InvalidReason};
use balsa_chainspec::genesis;
use balsa_evm::Transaction;
use balsa_executor::{ExecutionMode, Executor, Path, SealedBlock};
use real_chains::{small, vectors};
use serde_json::Value;

struct Devnet {
    genesis: GenesisBlock,
    requests: Vec<Value>,
}

impl Devnet {
    fn read() -> Self {
        let folder = vectors().join("amsterdam-devnet");
        let genesis = genesis::parse(&std::fs::read(folder.join("genesis.json")).unwrap()).unwrap();
        let packed = std::fs::File::open(folder.join("engine.jsonl.zst")).unwrap();
        let mut text = String::new();
        zstd::Decoder::new(packed).unwrap().read_to_string(&mut text).unwrap();
        let requests = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        Self { genesis: GenesisBlock::new(&genesis).unwrap(), requests }
    }

    fn open(&self, dir: &std::path::Path, settings: ChainSettings) -> Chain {
        let executor = Executor::new(self.genesis.spec.clone(), 2, ExecutionMode::Parallel).unwrap();
        Chain::open(dir, &self.genesis, Arc::new(executor), settings).unwrap()
    }

    fn blocks(&self) -> impl Iterator<Item = (SealedBlock, Option<Bytes>)> {
        self.requests.iter().filter_map(new_payload)
    }
}

/// Follows every request; returns the number of blocks that ran in parallel, and the last head that was asked for.
fn follow(chain: &mut Chain, devnet: &Devnet) -> (usize, B256) {
    let (mut in_parallel, mut head) = (0, B256::ZERO);
    for request in &devnet.requests {
        if let Some((block, list)) = new_payload(request) {
            match chain.import(block, list).unwrap() {
                ImportOutcome::Imported(imported) => in_parallel += usize::from(imported.path == Path::Parallel),
                ImportOutcome::AlreadyKnown => {}
                other => panic!("{other:?}"),
            }
        } else if request["method"].as_str().is_some_and(|method| method.starts_with("engine_forkchoiceUpdated")) {
            let hash = |name: &str| -> B256 { serde_json::from_value(request["params"][0][name].clone()).unwrap() };
            let named = |name: &str| Some(hash(name)).filter(|hash| !hash.is_zero());
            head = hash("headBlockHash");
            chain.set_head(head, named("safeBlockHash"), named("finalizedBlockHash")).unwrap();
            assert_eq!(chain.view().head().hash(), head);
        }
    }
    (in_parallel, head)
}

#[test]
fn a_consensus_client_is_followed_and_lists_are_kept() {
    let devnet = Devnet::read();
    let dir = tempfile::tempdir().unwrap();
    let mut chain = devnet.open(dir.path(), small());
    let (in_parallel, head) = follow(&mut chain, &devnet);
    assert_eq!(in_parallel, 125);
    chain.ping().unwrap();
    assert!(chain.view().flushed().is_some_and(|block| block.number > 100));
    for (block, list) in devnet.blocks() {
        assert_eq!(chain.view().list(&block.hash).unwrap(), list, "block {}", block.header.number);
    }
    let finalized = chain.view().finalized();
    assert!(finalized.is_some_and(|block| block.number > 0));
    chain.close().unwrap();

    let chain = devnet.open(dir.path(), small());
    assert_eq!(chain.view().head().hash(), head);
    assert_eq!(chain.view().finalized(), finalized);
}

#[test]
fn stored_blocks_are_executed_again_by_their_lists() {
    let devnet = Devnet::read();
    let dir = tempfile::tempdir().unwrap();
    let settings = ChainSettings { kept_blocks: 1000, ..small() };
    let mut chain = devnet.open(dir.path(), settings.clone());
    let (_, head) = follow(&mut chain, &devnet);
    chain.close().unwrap();
    let chain = devnet.open(dir.path(), settings);
    assert_eq!(chain.view().head().hash(), head);
    assert_eq!(chain.view().root().number(), 0);
}

#[test]
fn a_block_without_its_list_is_held_against_the_header() {
    let devnet = Devnet::read();
    let dir = tempfile::tempdir().unwrap();
    let mut chain = devnet.open(dir.path(), small());
    let mut refused = 0;
    for (block, list) in devnet.blocks() {
        if let Some(list) = &list {
            // One more byte, one less, and the list of no access at all.
            let longer = Bytes::from([&list[..], &[0]].concat());
            for wrong in [longer, list.slice(..list.len() - 1), Bytes::from_static(&[0xc0])] {
                // The header names another list then, as far as its maker could have made it so.
                let wrong_hash = keccak256(&wrong);
                let bad = real_chains::altered(&block, |header| header.block_access_list_hash = Some(wrong_hash));
                let ImportOutcome::Invalid(rejection) = chain.import(bad, Some(wrong.clone())).unwrap() else {
                    panic!("block {} was not refused", block.header.number)
                };
                let is_of_list = matches!(&*rejection.reason, InvalidReason::Block(rule) if rule.is_of_list());
                assert!(is_of_list, "{}", rejection.reason);
                let shown = chain.bad_blocks().pop().unwrap();
                assert_eq!((&shown.list, &shown.recorded_list), (&Some(wrong), &Some(list.clone())));
                refused += 1;
            }
        }
        let hash = block.hash;
        let (outcome, _) = chain.import_and_choose(block, None).unwrap();
        assert!(matches!(outcome, ImportOutcome::Imported(_)), "{outcome:?}");
        // What execution recorded is the list that the maker sent.
        assert_eq!(chain.view().list(&hash).unwrap(), list);
    }
    assert_eq!(refused, 3 * 125);
}

/// The block of an `engine_newPayload` request, with its list.
fn new_payload(request: &Value) -> Option<(SealedBlock, Option<Bytes>)> {
    if !request["method"].as_str()?.starts_with("engine_newPayload") {
        return None;
    }
    let params = &request["params"];
    let payload = &params[0];
    fn parse<T: serde::de::DeserializeOwned>(value: &Value) -> T {
        serde_json::from_value(value.clone()).unwrap()
    }
    let number = |name: &str| parse::<U256>(&payload[name]).to::<u64>();
    let optional = |name: &str| payload.get(name).map(|_| number(name));
    let transactions: Vec<Transaction> = parse::<Vec<Bytes>>(&payload["transactions"])
        .iter()
        .map(|bytes| Transaction::decode_2718(&mut bytes.as_ref()).unwrap())
        .collect();
    let withdrawals: Withdrawals = parse(&payload["withdrawals"]);
    let requests: Vec<Bytes> = parse(&params[3]);
    let list: Option<Bytes> = payload.get("blockAccessList").map(parse);
    let header = Header {
        parent_hash: parse(&payload["parentHash"]),
        ommers_hash: alloy_consensus::EMPTY_OMMER_ROOT_HASH,
        beneficiary: parse(&payload["feeRecipient"]),
        state_root: parse(&payload["stateRoot"]),
        transactions_root: alloy_consensus::proofs::calculate_transaction_root(&transactions),
        receipts_root: parse(&payload["receiptsRoot"]),
        logs_bloom: parse(&payload["logsBloom"]),
        difficulty: U256::ZERO,
        number: number("blockNumber"),
        gas_limit: number("gasLimit"),
        gas_used: number("gasUsed"),
        timestamp: number("timestamp"),
        extra_data: parse(&payload["extraData"]),
        mix_hash: parse(&payload["prevRandao"]),
        nonce: B64::ZERO,
        base_fee_per_gas: Some(number("baseFeePerGas")),
        withdrawals_root: Some(alloy_consensus::proofs::calculate_withdrawals_root(&withdrawals)),
        blob_gas_used: Some(number("blobGasUsed")),
        excess_blob_gas: Some(number("excessBlobGas")),
        parent_beacon_block_root: Some(parse::<B256>(&params[2])),
        requests_hash: Some(alloy_eips::eip7685::Requests::new(requests).requests_hash()),
        block_access_list_hash: list.as_ref().map(keccak256),
        slot_number: optional("slotNumber"),
    };
    let block = SealedBlock::from_parts(header, transactions, Vec::new(), Some(withdrawals));
    assert_eq!(block.hash, parse::<B256>(&payload["blockHash"]), "the request was read wrongly");
    Some((block, list))
}
