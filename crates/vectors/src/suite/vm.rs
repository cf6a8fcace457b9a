//! VMTests of the Constantinople suite: bare code, run by its first users without a transaction around it.
//!
//! The client has no way to run code but a transaction, so one is put around it: a caller rich enough sends it with
//! the intrinsic gas on top, and what a transaction does beyond the call (the value's transfer, fees, nonce) is left
//! out of the comparison. Rules are those of Frontier, under which the suite was filled.

use super::malformed;
use crate::fixture::{Accounts, Environment, Hex, RawTest};
use crate::world::{World, check_accounts};
use crate::{Outcome, Place};
use alloy_consensus::{Header, Signed, TxLegacy};
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256, keccak256};
use balsa_chainspec::{ChainSpec, Fork};
use balsa_evm::{
    BlockEnvironment, BlockHashes, CodeCache, TransactError, Transaction, TransactionEvm, TransactionResult,
};
use balsa_executor::{diff_of, updates_of};
use balsa_state::{BlockState, State};
use balsa_trie::{NoNodes, root_after};
use serde::Deserialize;
use std::sync::Arc;

#[derive(Deserialize)]
struct VmTest {
    env: Environment,
    exec: Exec,
    pre: Accounts,
    /// Absent, with all that follows, where the code must fail.
    post: Option<Accounts>,
    gas: Option<Hex<u64>>,
    logs: Option<B256>,
    out: Option<Bytes>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Exec {
    address: Address,
    caller: Address,
    code: Bytes,
    data: Bytes,
    gas: Hex<u64>,
    gas_price: Hex<u64>,
    origin: Address,
    value: Hex<U256>,
}

pub(super) fn run(place: &Place, test: &RawTest<'_>) -> Vec<Outcome> {
    let test: Result<VmTest, _> = serde_json::from_str(test.json.get()).map_err(malformed);
    super::judged(place, "Frontier", test.and_then(|test| judge(&test)))
}

fn judge(test: &VmTest) -> Result<(), String> {
    if test.exec.origin != test.exec.caller {
        return Err("a caller that is not the origin cannot send a transaction".to_owned());
    }
    let world = World::of(&staged(test)).map_err(|error| error.to_string())?;
    let intrinsic = intrinsic_gas(&test.exec.data);
    let (result, after) = execute(test, &world, intrinsic)?;
    let Some(post) = &test.post else {
        return if result.success { Err("ended well, but must fail".to_owned()) } else { Ok(()) };
    };
    if !result.success {
        return Err(format!("failed: {}", result.halt.unwrap_or_default()));
    }
    let gas_left = (test.exec.gas.0 + intrinsic).saturating_sub(result.gas.regular);
    if test.gas.is_some_and(|expected| expected.0 != gas_left) {
        return Err(format!("gas left {gas_left}, expected {:?}", test.gas));
    }
    if test.out.as_ref().is_some_and(|expected| *expected != result.output) {
        return Err(format!("output {}, expected {:?}", result.output, test.out));
    }
    let logs = keccak256(alloy_rlp::encode(&result.logs));
    if test.logs.is_some_and(|expected| expected != logs) {
        return Err(format!("logs hash {logs}, expected {:?}", test.logs));
    }
    let others = post.iter().filter(|(address, _)| **address != test.exec.caller);
    check_accounts(&after, &others.map(|(address, account)| (*address, account.clone())).collect())
}

/// The state before: the code in its place, the caller rich, and the called account short of the value that it is
/// about to be sent, since the suite's calls move none.
fn staged(test: &VmTest) -> Accounts {
    let mut accounts = test.pre.clone();
    let called = accounts.entry(test.exec.address).or_default();
    called.code = test.exec.code.clone();
    called.balance.0 = called.balance.0.saturating_sub(test.exec.value.0);
    let rich = Hex(U256::MAX >> 1);
    accounts.entry(test.exec.caller).or_default().balance = rich;
    accounts
}

fn execute(test: &VmTest, world: &World, intrinsic: u64) -> Result<(TransactionResult, State), String> {
    let exec = &test.exec;
    let header = Header {
        beneficiary: test.env.current_coinbase,
        // Some calls have more gas than their block; the transaction around them must fit.
        gas_limit: test.env.current_gas_limit.0.saturating_to::<u64>().max(exec.gas.0.saturating_add(intrinsic)),
        number: test.env.current_number.0,
        timestamp: test.env.current_timestamp.0,
        difficulty: test.env.current_difficulty.0,
        ..Header::default()
    };
    let rules = ChainSpec::all_at_genesis(1, Fork::Frontier).rules_of(&header);
    let hash_of = |number: u64| keccak256(number.to_string());
    let hashes = BlockHashes::new(header.number, hash_of(header.number.wrapping_sub(1)), move |n| Some(hash_of(n)));
    let transaction = TxLegacy {
        chain_id: None,
        nonce: test.pre.get(&exec.caller).map_or(0, |caller| caller.nonce.0),
        gas_price: exec.gas_price.0.into(),
        gas_limit: exec.gas.0.saturating_add(intrinsic),
        to: TxKind::Call(exec.address),
        value: exec.value.0,
        input: exec.data.clone(),
    };
    let signature = Signature::new(U256::ONE, U256::ONE, false);
    let transaction = Transaction::Legacy(Signed::new_unhashed(transaction, signature));
    let mut state = BlockState::new(&world.state);
    let environment = BlockEnvironment::new(rules, &header, Arc::new(hashes));
    let mut evm = TransactionEvm::new(&environment, Arc::<CodeCache>::default(), &mut state);
    let result = evm.transact(&transaction, exec.caller).map_err(|error: TransactError| error.to_string())?;
    let write = |state: &mut &mut BlockState<'_>, outcome: balsa_evm::AccountOutcome<'_>| {
        if outcome.is_changed() { state.write(&outcome.address, outcome.written()) } else { Ok(()) }
    };
    evm.apply_outcomes(write).map_err(|error| error.to_string())?;
    drop(evm);
    let (changes, codes) = state.changes();
    let after = root_after(&world.trie, &NoNodes, &updates_of(&changes, true)).map_err(|error| error.to_string())?;
    let diff = diff_of(changes, codes, &after);
    Ok((result, world.grown(diff, after.trie).state))
}

/// Yellow Paper, section 6.2, with the prices of Frontier.
fn intrinsic_gas(data: &[u8]) -> u64 {
    let of_byte = |byte: &u8| if *byte == 0 { 4 } else { 68 };
    21_000 + data.iter().map(of_byte).sum::<u64>()
}
