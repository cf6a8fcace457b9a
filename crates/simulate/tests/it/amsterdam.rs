//! Under Amsterdam's rules a simulated block is the block: whatever the executor made of it, simulation makes too.

use alloy_primitives::{Address, U64, U256};
use alloy_rpc_types_eth::TransactionRequest;
use balsa_executor::{Parent, SealedBlock, recover_sender};
use balsa_simulate::{
    Base, BlockOverrides, BlockStateCall, Limits, Question, SimulateRequest, SimulatedBlock, create_access_list,
    estimate_gas, simulate_blocks,
};

use crate::support::TestChain;

/// No cap: blocks of the chain have more gas than a question usually may.
const UNLIMITED: Limits = Limits { gas_cap: 0, timeout: std::time::Duration::ZERO, blocks_max: 1 };

/// A block's transactions as calls, and its header's fields as overrides.
fn as_request(test: &TestChain, block: &SealedBlock) -> SimulateRequest {
    let rules = test.chain.view().spec().rules_of(&block.header);
    let call = |transaction: &balsa_evm::Transaction| {
        let sender = recover_sender(&rules, transaction).unwrap();
        TransactionRequest::from_transaction_with_sender(transaction.clone(), sender)
    };
    let header = &block.header;
    let block_overrides = BlockOverrides {
        time: Some(U64::from(header.timestamp)),
        gas_limit: Some(U64::from(header.gas_limit)),
        fee_recipient: Some(header.beneficiary),
        prev_randao: Some(header.mix_hash),
        beacon_root: header.parent_beacon_block_root,
        withdrawals: block.withdrawals.clone(),
        ..BlockOverrides::default()
    };
    let calls = block.transactions.iter().map(call).collect();
    let block = BlockStateCall { block_overrides: Some(block_overrides), state_overrides: None, calls };
    SimulateRequest { block_state_calls: vec![block], validation: true, ..SimulateRequest::default() }
}

fn simulated(test: &TestChain, parent: &Parent, request: SimulateRequest) -> SimulatedBlock {
    let base = Base { block: parent, spec: test.chain.view().spec() };
    simulate_blocks(base, request, &UNLIMITED).unwrap().remove(0)
}

#[test]
fn simulated_blocks_are_the_blocks_that_were_executed() {
    let test = TestChain::amsterdam();
    let mut calls = 0;
    for block in &test.blocks {
        let parent = test.chain.view().parent(&block.header.parent_hash).unwrap();
        let made = simulated(&test, &parent, as_request(&test, block)).header;
        let header = &block.header;
        let number = header.number;
        assert_eq!(made.gas_used, header.gas_used, "block {number}");
        assert_eq!(made.base_fee_per_gas, header.base_fee_per_gas, "block {number}");
        assert_eq!(made.receipts_root, header.receipts_root, "block {number}");
        assert_eq!(made.block_access_list_hash, header.block_access_list_hash, "block {number}");
        assert_eq!(made.requests_hash, header.requests_hash, "block {number}");
        assert_eq!(made.state_root, header.state_root, "block {number}");
        calls += block.transactions.len();
    }
    assert!(calls > 100, "{calls} calls");
}

/// What each first transaction of a block needs, found by trying: enough, and not much more than that.
#[test]
fn estimates_hold_in_both_dimensions_of_gas() {
    let test = TestChain::amsterdam();
    let mut with_state_gas = 0;
    for block in &test.blocks {
        let parent = test.chain.view().parent(&block.header.parent_hash).unwrap();
        let base = Base { block: &parent, spec: test.chain.view().spec() };
        let mut request = as_request(&test, block);
        for call in std::mem::take(&mut request.block_state_calls[0].calls).into_iter().take(6) {
            let run = |gas| {
                let mut request = request.clone();
                request.validation = false;
                request.block_state_calls[0].calls = vec![TransactionRequest { gas: Some(gas), ..call.clone() }];
                simulate_blocks(base, request, &UNLIMITED).map(|mut blocks| blocks.remove(0))
            };
            let block_overrides = request.block_state_calls[0].block_overrides.clone().unwrap();
            let question = Question {
                request: TransactionRequest { gas: None, nonce: None, ..call.clone() },
                block: BlockOverrides {
                    number: Some(U256::from(block.header.number)),
                    beacon_root: None,
                    withdrawals: None,
                    ..block_overrides
                },
                ..Question::default()
            };
            let Ok(estimate) = estimate_gas(base, &question, &UNLIMITED) else {
                // It reverts when it is the first of its block.
                assert!(run(call.gas.unwrap()).is_ok_and(|block| block.calls[0].failure.is_some()));
                continue;
            };
            let enough = run(estimate).unwrap();
            assert!(enough.calls[0].failure.is_none(), "block {}: {estimate} gas", block.header.number);
            let too_little = estimate - estimate / 64 - 1;
            let failed = run(too_little).map_or(true, |block| block.calls[0].failure.is_some());
            assert!(failed, "block {}: {too_little} gas is enough, estimated {estimate}", block.header.number);
            // Under Amsterdam the block counts the larger dimension, the sender pays both.
            with_state_gas += usize::from(enough.header.gas_used < enough.calls[0].gas_used);
        }
    }
    assert!(with_state_gas > 0, "no transaction paid for state");
}

#[test]
fn access_lists_save_nothing_twice() {
    let test = TestChain::amsterdam();
    let block = test.blocks.last().unwrap();
    let parent = test.chain.view().parent(&block.header.parent_hash).unwrap();
    let base = Base { block: &parent, spec: test.chain.view().spec() };
    let mut slots = 0;
    for call in as_request(&test, block).block_state_calls.remove(0).calls.into_iter().take(30) {
        let sender = call.from.unwrap();
        let to = call.to.and_then(|kind| kind.into_to());
        let question = Question { request: call, ..Question::default() };
        let made = create_access_list(base, &question, &UNLIMITED).unwrap();
        for item in &made.access_list.0 {
            slots += item.storage_keys.len();
            let only_slots = item.address == sender || Some(item.address) == to;
            assert!(!only_slots || !item.storage_keys.is_empty(), "{item:?} is warm anyway");
        }
        // With the list that was made, another is the same.
        let mut again = question.clone();
        again.request.access_list = Some(made.access_list.clone());
        assert_eq!(create_access_list(base, &again, &UNLIMITED).unwrap(), made);
    }
    assert!(slots > 0);
}

#[test]
fn a_plain_transfer_costs_what_it_costs_at_the_start() {
    let test = TestChain::amsterdam();
    let last = test.blocks.last().unwrap();
    let parent = test.chain.view().parent(&last.hash).unwrap();
    let base = Base { block: &parent, spec: test.chain.view().spec() };
    let rich = recover_sender(&base.spec.rules_of(&parent.header), &last.transactions[0]).unwrap();
    let estimate = |to: Address| {
        let request = TransactionRequest::default().from(rich).to(to).value(U256::ONE);
        estimate_gas(base, &Question { request, ..Question::default() }, &Limits::default()).unwrap()
    };
    let (to_known, to_new) = (estimate(rich), estimate(Address::repeat_byte(0xab)));
    assert!(to_known < to_new, "a new account is paid for (EIP-8037): {to_known}, {to_new}");
}
