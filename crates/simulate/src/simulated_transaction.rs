//! A transaction that nobody signed: of a simulated block, or of someone who is yet to sign it.

use alloy_consensus::{Signed, Transaction as _, TxLegacy};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_rlp::Encodable;
use alloy_rpc_types_eth::TransactionRequest;
use balsa_evm::Transaction;
use balsa_keccak::keccak256;

use crate::{
    RequestError,
    request::{self, Defaults},
};

/// A request as a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimulatedTransaction {
    /// The transaction, with a signature of zeros.
    pub transaction: Transaction,
    /// keccak256 of its bytes.
    pub hash: B256,
    /// Who sends it.
    pub sender: Address,
    /// As it stands in the block (EIP-2718).
    pub encoded: Bytes,
}

impl SimulatedTransaction {
    /// The transaction of a request that leaves nothing out but what is zero, for whoever is to sign it. `base_fee`
    /// says whether the block will have one.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub fn of_filled(request: &TransactionRequest, base_fee: bool) -> Result<Self, RequestError> {
        let defaults = Defaults {
            chain_id: request.chain_id.unwrap_or_default(),
            nonce: request.nonce.unwrap_or_default(),
            gas_limit: request.gas.unwrap_or_default(),
            base_fee,
        };
        Ok(Self::new(request::transaction(request, &defaults)?, request::sender(request)))
    }

    pub(crate) fn new(transaction: Transaction, sender: Address) -> Self {
        let Transaction::Legacy(legacy) = transaction else {
            let encoded: Bytes = transaction.encoded_2718().into();
            return Self { hash: keccak256(&encoded), transaction, sender, encoded };
        };
        let encoded: Bytes = unsigned(legacy.tx()).into();
        let hash = keccak256(&encoded);
        let (plain, signature, _) = legacy.into_parts();
        let transaction = Transaction::Legacy(Signed::new_unchecked(plain, signature, hash));
        Self { transaction, hash, sender, encoded }
    }
}

/// A legacy transaction with v, r and s all zero, which no signature has.
fn unsigned(legacy: &TxLegacy) -> Vec<u8> {
    let TxLegacy { nonce, gas_price, gas_limit, value, .. } = legacy;
    let (to, input, zero) = (legacy.kind(), legacy.input(), U256::ZERO);
    let fields: [&dyn Encodable; 9] = [nonce, gas_price, gas_limit, &to, value, input, &zero, &zero, &zero];
    let mut encoded = Vec::new();
    alloy_rlp::encode_list::<&dyn Encodable, dyn Encodable>(&fields, &mut encoded);
    encoded
}
