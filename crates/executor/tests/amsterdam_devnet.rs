//! A chain that another client built, from Prague through Osaka to the whole of Amsterdam: every block must be valid on
//! both paths, with equal results, and bring the other client's list, roots and gas.

mod common;

use std::io::Read;

use alloy_consensus::Header;
use alloy_eips::{eip2718::Decodable2718, eip4895::Withdrawals};
use alloy_primitives::{B64, B256, Bytes, U256, keccak256};
use balsa_bal::{Access, Event, encode};
use balsa_evm::Transaction;
use balsa_executor::{ExecutionMode, Path, SealedBlock, trace_accesses};
use common::{MemoryChain, assert_equal, vectors};
use serde_json::Value;

#[test]
fn every_block_is_valid_on_both_paths() {
    let Some(folder) = vectors("amsterdam-devnet") else { return };
    let genesis = balsa_chainspec::genesis::parse(&std::fs::read(folder.join("genesis.json")).unwrap()).unwrap();
    let mut chain = MemoryChain::new(&genesis, 2);
    let (mut imported, mut in_parallel) = (0, 0);
    for request in requests(&folder.join("engine.jsonl.zst")) {
        let Some((block, list)) = new_payload(&request) else { continue };
        let number = block.header.number;
        let sequential = chain.execute(ExecutionMode::Sequential, &block, None);
        let sequential = sequential.unwrap_or_else(|error| panic!("block {number}: {error}"));
        if let Some(list) = list {
            assert_eq!(sequential.list.as_ref(), Some(&list), "list of block {number}");
            let traced = trace_accesses(&chain.executor, &block, &chain.parent(block.header.parent_hash)).unwrap();
            assert!(frames_are_closed(traced.log()), "block {number}");
            assert_eq!(encode(&traced.into_accounts()), list, "list of the accesses of block {number}");
            let parallel = chain.execute(ExecutionMode::Parallel, &block, Some(list)).unwrap();
            assert_eq!(parallel.path, Path::Parallel, "block {number}");
            assert_equal(&parallel, &sequential);
            in_parallel += 1;
        }
        chain.insert(&block, &sequential);
        imported += 1;
    }
    assert_eq!((imported, in_parallel), (140, 125));
}

fn frames_are_closed(log: &[Access]) -> bool {
    let count = |event: Event| log.iter().filter(|access| access.event == event).count();
    count(Event::FrameEntered) == count(Event::FrameCommitted) + count(Event::FrameReverted)
}

fn requests(path: &std::path::Path) -> Vec<Value> {
    let mut text = String::new();
    zstd::Decoder::new(std::fs::File::open(path).unwrap()).unwrap().read_to_string(&mut text).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
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
