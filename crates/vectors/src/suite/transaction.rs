//! Transaction tests: are these bytes a transaction under a fork, and what does it cost at least.

use super::malformed;
use crate::chain::test_chain;
use crate::exception::{accepts, name_of_sender_fault, name_of_transaction_fault};
use crate::fixture::{ChainConfig, Hex, RawTest, parse_bytes};
use crate::{Options, Outcome, Place, transaction_fault};
use alloy_consensus::{EthereumTxEnvelope, Header, Signed};
use alloy_primitives::{Address, B256, U256};
use balsa_chainspec::{Fork, Rules};
use balsa_evm::{
    BlockEnvironment, BlockHashes, CodeCache, InvalidTransaction, TransactError, Transaction, TransactionEvm,
};
use balsa_executor::recover_sender;
use balsa_state::{AccountInfo, StateError, StateView, ViewAccount};
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Deserialize)]
struct TransactionTest<'a> {
    result: BTreeMap<String, Expected>,
    #[serde(borrow)]
    txbytes: Cow<'a, str>,
    #[serde(default)]
    config: ChainConfig,
}

#[derive(Deserialize)]
struct Expected {
    exception: Option<String>,
    #[serde(rename = "intrinsicGas")]
    intrinsic_gas: Option<Hex<u64>>,
    sender: Option<Address>,
    hash: Option<B256>,
}

pub(super) fn run(place: &Place, test: &RawTest<'_>, options: &Options) -> Vec<Outcome> {
    let test: TransactionTest<'_> = match serde_json::from_str(test.json.get()) {
        Ok(test) => test,
        Err(error) => return super::judged(place, "", Err(malformed(error))),
    };
    let forks = test.result.iter().filter(|(fork, _)| options.selects_fork(fork));
    let run = |(fork, expected): (&String, &Expected)| {
        Outcome::new(place, fork.as_str(), judge(&test, fork, expected, options).map(|()| None))
    };
    forks.map(run).collect()
}

fn judge(test: &TransactionTest<'_>, fork: &str, expected: &Expected, options: &Options) -> Result<(), String> {
    let bytes = parse_bytes(&test.txbytes).ok_or("malformed fixture: txbytes")?;
    let spec = test_chain(fork, &test.config, options)?;
    let rules = spec.rules_at(0, 0, spec.terminal_total_difficulty.is_some());
    match (&expected.exception, examine(&rules, &bytes)) {
        (Some(expected), Err(name)) if accepts(expected, &name) => Ok(()),
        (Some(expected), Err(name)) => Err(format!("refused for {name}, expected {expected}")),
        (Some(expected), Ok(_)) => Err(format!("accepted, expected {expected}")),
        (None, Err(name)) => Err(format!("refused for {name}")),
        (None, Ok(found)) => found.check(expected),
    }
}

/// What there is to say about a transaction without a state.
struct Found {
    sender: Address,
    hash: B256,
    intrinsic_gas: u64,
}

impl Found {
    fn check(&self, expected: &Expected) -> Result<(), String> {
        if expected.sender.is_some_and(|sender| sender != self.sender) {
            return Err(format!("sender {}, expected {:?}", self.sender, expected.sender));
        }
        if expected.hash.is_some_and(|hash| hash != self.hash) {
            return Err(format!("hash {}, expected {:?}", self.hash, expected.hash));
        }
        match expected.intrinsic_gas {
            Some(Hex(gas)) if gas != self.intrinsic_gas => {
                Err(format!("intrinsic gas {}, expected {gas}", self.intrinsic_gas))
            }
            _ => Ok(()),
        }
    }
}

/// Decodes, recovers, and lets the executors' own checks speak, for a sender who has everything.
fn examine(rules: &Rules, bytes: &[u8]) -> Result<Found, String> {
    let named = |fallback: &str| transaction_fault::find(rules, bytes).unwrap_or(fallback).to_owned();
    let transaction = transaction_fault::decode(bytes).map_err(|error| named(&error.to_string()))?;
    let sender = recover_sender(rules, &transaction).map_err(|error| named(name_of_sender_fault(&error)))?;
    let mut evm = TransactionEvm::new(&environment(*rules), Arc::<CodeCache>::default(), Rich { nonce: 0 });
    evm.view_mut().nonce = alloy_consensus::Transaction::nonce(&transaction);
    let hash = *transaction.tx_hash();
    // Without its value: what a sender can pay is a question about states, and this suite has none.
    match evm.transact(&altered(&transaction, None), sender) {
        Ok(_) => {}
        Err(TransactError::Invalid(fault)) => return Err(name_of_transaction_fault(&fault).to_owned()),
        Err(error) => return Err(error.to_string()),
    }
    Ok(Found { sender, hash, intrinsic_gas: intrinsic_gas(&mut evm, altered(&transaction, Some(0)), sender)? })
}

/// What the transaction would need is what it is refused for with no gas at all.
fn intrinsic_gas(evm: &mut TransactionEvm<Rich>, transaction: Transaction, sender: Address) -> Result<u64, String> {
    match evm.transact(&transaction, sender) {
        Err(TransactError::Invalid(InvalidTransaction::IntrinsicGas { intrinsic, .. })) => Ok(intrinsic),
        Err(error) => Err(error.to_string()),
        Ok(_) => Err("runs without gas".to_owned()),
    }
}

/// The transaction without value, under another gas limit if one is given.
fn altered(transaction: &Transaction, gas_limit: Option<u64>) -> Transaction {
    macro_rules! alter {
        ($signed:expr) => {{
            let mut inner = $signed.tx().clone();
            inner.gas_limit = gas_limit.unwrap_or(inner.gas_limit);
            inner.value = U256::ZERO;
            Signed::new_unhashed(inner, *$signed.signature()).into()
        }};
    }
    match transaction {
        EthereumTxEnvelope::Legacy(signed) => alter!(signed),
        EthereumTxEnvelope::Eip2930(signed) => alter!(signed),
        EthereumTxEnvelope::Eip1559(signed) => alter!(signed),
        EthereumTxEnvelope::Eip4844(signed) => alter!(signed),
        EthereumTxEnvelope::Eip7702(signed) => alter!(signed),
    }
}

/// A block with room for any transaction, at no base fee.
fn environment(rules: Rules) -> BlockEnvironment {
    let header = Header {
        gas_limit: u64::MAX,
        base_fee_per_gas: rules.has(Fork::London).then_some(0),
        excess_blob_gas: rules.has(Fork::Cancun).then_some(0),
        ..Header::default()
    };
    BlockEnvironment::new(rules, &header, Arc::new(BlockHashes::new(0, B256::ZERO, |_| None)))
}

/// A state in which every account has all the wei there can be, and the transaction's nonce.
struct Rich {
    nonce: u64,
}

impl StateView for Rich {
    fn account(&mut self, _: &Address) -> Result<Option<ViewAccount>, StateError> {
        // Half of all wei, so that nobody's balance overflows by what it is sent.
        let info = AccountInfo { nonce: self.nonce, balance: U256::MAX >> 1, ..AccountInfo::default() };
        Ok(Some(ViewAccount { info, has_storage: false, ordinal: None }))
    }

    fn storage(&mut self, _: &Address, _: Option<u32>, _: &U256) -> Result<U256, StateError> {
        Ok(U256::ZERO)
    }

    fn code(&mut self, code_hash: &B256) -> Result<alloy_primitives::Bytes, StateError> {
        Err(StateError::MissingCode(*code_hash))
    }
}
