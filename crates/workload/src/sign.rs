//! Intents become signed transactions, on all cores, ahead of the chain that takes them.

use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::Scope;

use alloy_consensus::{EthereumTxEnvelope, SignableTransaction, TxEip1559, TxEip2930, TxEip4844, TxEip7702, TxLegacy};
use alloy_eips::eip2930::AccessList;
use alloy_eips::eip7702::{Authorization, SignedAuthorization};
use alloy_primitives::{Address, U256};
use rayon::prelude::*;

use crate::genesis::CHAIN_ID;
use crate::intent::{Call, Delegation, Form, Intent};
use crate::kind::Kind;
use crate::plan::Plan;
use crate::world::World;

/// A signed transaction; blobs by their hashes only, as blocks hold them.
pub type Transaction = EthereumTxEnvelope<TxEip4844>;

/// How many transactions are drawn and signed at a time.
const BATCH: usize = 1024;
/// How many batches wait to be taken.
const BATCHES_AHEAD: usize = 2;
/// What blob transactions offer at most, in wei a blob gas.
const BLOB_FEE_MAX: u128 = 1_000_000_000_000;

/// A transaction with what its maker knows of it.
#[derive(Clone, Debug)]
pub struct SignedIntent {
    /// What it does.
    pub kind: Kind,
    /// Who signed it.
    pub sender: Address,
    /// The transaction.
    pub transaction: Transaction,
}

/// The plan's transactions, signed, in the plan's order; one is held back while it does not fit.
#[derive(Debug)]
pub struct Feed {
    batches: Receiver<Vec<SignedIntent>>,
    ready: std::vec::IntoIter<SignedIntent>,
    held_back: Option<SignedIntent>,
}

impl Feed {
    /// Starts signing on a thread of `scope`; it ends when the feed is dropped.
    pub fn start<'scope>(scope: &'scope Scope<'scope, '_>, mut plan: Plan, world: &'scope World, fee_max: u64) -> Self {
        let (send, batches) = sync_channel(BATCHES_AHEAD);
        scope.spawn(move || {
            loop {
                let intents: Vec<Intent> = (0..BATCH).map(|_| plan.next_intent()).collect();
                let signed = intents.into_par_iter().map(|intent| sign(intent, world, fee_max)).collect();
                if send.send(signed).is_err() {
                    return;
                }
            }
        });
        Self { batches, ready: Vec::new().into_iter(), held_back: None }
    }

    /// The next transaction.
    pub fn take(&mut self) -> Option<SignedIntent> {
        if let Some(held_back) = self.held_back.take() {
            return Some(held_back);
        }
        if self.ready.as_slice().is_empty() {
            self.ready = self.batches.recv().ok()?.into_iter();
        }
        self.ready.next()
    }

    /// Gives back the transaction that was taken last, to be taken again first.
    pub fn hold_back(&mut self, transaction: SignedIntent) {
        debug_assert!(self.held_back.is_none(), "one transaction at a time is held back");
        self.held_back = Some(transaction);
    }
}

/// Signs an intent. What it pays at most is `fee_max`, in wei a gas.
#[must_use]
pub fn sign(intent: Intent, world: &World, fee_max: u64) -> SignedIntent {
    let Intent { kind, sender, nonce, call, priority_fee, form } = intent;
    let signer = &world.signers[sender];
    let fees = Fees { max: fee_max.into(), priority: u128::from(priority_fee).min(fee_max.into()) };
    let transaction = match form {
        Form::Legacy => signed(legacy(call, nonce, fees), signer),
        Form::AccessList(list) => signed(access_list(call, nonce, fees, list), signer),
        Form::DynamicFee(list) => signed(dynamic_fee(call, nonce, fees, list), signer),
        Form::Blob(hashes) => signed(
            TxEip4844 {
                chain_id: CHAIN_ID,
                nonce,
                gas_limit: call.gas_limit,
                max_fee_per_gas: fees.max,
                max_priority_fee_per_gas: fees.priority,
                to: call.to.to().copied().unwrap_or_default(),
                value: call.value,
                access_list: AccessList::default(),
                blob_versioned_hashes: hashes,
                max_fee_per_blob_gas: BLOB_FEE_MAX,
                input: call.input,
            },
            signer,
        ),
        Form::SetCode(delegations) => signed(
            TxEip7702 {
                chain_id: CHAIN_ID,
                nonce,
                gas_limit: call.gas_limit,
                max_fee_per_gas: fees.max,
                max_priority_fee_per_gas: fees.priority,
                to: call.to.to().copied().unwrap_or_default(),
                value: call.value,
                access_list: AccessList::default(),
                authorization_list: delegations.into_iter().map(|delegation| authorise(delegation, world)).collect(),
                input: call.input,
            },
            signer,
        ),
    };
    SignedIntent { kind, sender: signer.address, transaction }
}

#[derive(Clone, Copy)]
struct Fees {
    max: u128,
    priority: u128,
}

/// Type 0 and 1 pay one price; a price that no base fee of this load can pass would be paid in full, so they offer a
/// tenth of it.
fn gas_price(fees: Fees) -> u128 {
    fees.max / 10
}

fn legacy(Call { to, value, input, gas_limit }: Call, nonce: u64, fees: Fees) -> TxLegacy {
    TxLegacy { chain_id: Some(CHAIN_ID), nonce, gas_price: gas_price(fees), gas_limit, to, value, input }
}

fn access_list(call: Call, nonce: u64, fees: Fees, access_list: AccessList) -> TxEip2930 {
    let Call { to, value, input, gas_limit } = call;
    let gas_price = gas_price(fees);
    TxEip2930 { chain_id: CHAIN_ID, nonce, gas_price, gas_limit, to, value, access_list, input }
}

fn dynamic_fee(call: Call, nonce: u64, fees: Fees, access_list: AccessList) -> TxEip1559 {
    let Call { to, value, input, gas_limit } = call;
    TxEip1559 {
        chain_id: CHAIN_ID,
        nonce,
        gas_limit,
        max_fee_per_gas: fees.max,
        max_priority_fee_per_gas: fees.priority,
        to,
        value,
        access_list,
        input,
    }
}

fn authorise(delegation: Delegation, world: &World) -> SignedAuthorization {
    let Delegation { authority, target, nonce, chain_id } = delegation;
    let authorization = Authorization { chain_id: U256::from(chain_id), address: target, nonce };
    let signature = world.signers[authority].sign(authorization.signature_hash());
    authorization.into_signed(signature)
}

fn signed<T>(transaction: T, signer: &crate::accounts::Signer) -> Transaction
where
    T: SignableTransaction<alloy_primitives::Signature>,
    Transaction: From<alloy_consensus::Signed<T>>,
{
    let signature = signer.sign(transaction.signature_hash());
    transaction.into_signed(signature).into()
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::sync::Arc;

    use alloy_consensus::Transaction as _;
    use alloy_consensus::transaction::SignerRecoverable;

    use super::*;
    use crate::profile::Profile;

    /// The first transactions of a plan, signed.
    fn signed_plan(seed: u64, count: usize) -> Vec<SignedIntent> {
        let mut params = Profile::Quick.params();
        params.seed = seed;
        let world = Arc::new(World::new(&params));
        let mut plan = Plan::new(&params, world.clone()).unwrap();
        (0..count).map(|_| sign(plan.next_intent(), &world, params.block.fee_max)).collect()
    }

    #[test]
    fn signatures_recover_and_nonces_have_no_gaps() {
        let mut nonces: BTreeMap<Address, u64> = BTreeMap::new();
        for signed in signed_plan(1, 2000) {
            assert_eq!(signed.transaction.recover_signer().unwrap(), signed.sender);
            let nonce = nonces.entry(signed.sender).or_default();
            assert_eq!(signed.transaction.nonce(), *nonce, "{:?}", signed.kind);
            *nonce += 1;
            for authorization in signed.transaction.authorization_list().unwrap_or_default() {
                if authorization.chain_id <= U256::from(CHAIN_ID) {
                    let nonce = nonces.entry(authorization.recover_authority().unwrap()).or_default();
                    assert_eq!(authorization.nonce, *nonce);
                    *nonce += 1;
                }
            }
        }
    }

    #[test]
    fn every_type_and_kind_occurs() {
        let signed = signed_plan(1, 20_000);
        let types: BTreeSet<u8> = signed.iter().map(|signed| signed.transaction.tx_type() as u8).collect();
        assert_eq!(types.into_iter().collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
        let kinds: BTreeSet<Kind> = signed.iter().map(|signed| signed.kind).collect();
        assert_eq!(kinds.len(), Profile::Quick.params().mix.len());
    }

    #[test]
    fn a_seed_is_a_stream() {
        let hashes =
            |seed| signed_plan(seed, 50).iter().map(|signed| *signed.transaction.tx_hash()).collect::<Vec<_>>();
        assert_eq!(hashes(1), hashes(1));
        assert_ne!(hashes(1), hashes(2));
    }

    #[test]
    fn the_feed_keeps_the_order_and_what_is_held_back() {
        let params = Profile::Quick.params();
        let world = Arc::new(World::new(&params));
        let plan = Plan::new(&params, world.clone()).unwrap();
        let mut expected = plan.clone();
        std::thread::scope(|scope| {
            let mut feed = Feed::start(scope, plan, &world, params.block.fee_max);
            for turn in 0..BATCH + 10 {
                let mut taken = feed.take().unwrap();
                if turn % 7 == 0 {
                    feed.hold_back(taken);
                    taken = feed.take().unwrap();
                }
                let next = sign(expected.next_intent(), &world, params.block.fee_max);
                assert_eq!(taken.transaction, next.transaction);
            }
        });
    }
}
