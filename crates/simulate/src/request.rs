//! From what was asked for to a transaction that can be run.

use alloy_consensus::{
    SignableTransaction, TxEip1559, TxEip2930, TxEip4844, TxEip7702, TxLegacy, transaction::RlpEcdsaEncodableTx,
};
use alloy_primitives::{Address, Bytes, Signature, TxKind, U256};
use alloy_rpc_types_eth::TransactionRequest;
use balsa_evm::Transaction;
use thiserror::Error;

/// A request that is no transaction.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RequestError {
    /// Fees of two kinds.
    #[error("both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified")]
    TwoFees,
    /// Another chain's.
    #[error("chainId does not match node's (have={have}, want={want})")]
    ChainId {
        /// In the request.
        have: u64,
        /// The chain's.
        want: u64,
    },
    /// Two inputs that differ.
    #[error("both \"data\" and \"input\" are set and not equal. Please use \"input\" to pass transaction call data")]
    TwoInputs,
    /// EIP-4844.
    #[error("missing \"to\" in blob transaction")]
    BlobCreate,
    /// EIP-7702.
    #[error("authorizationList provided for contract creation, but \"to\" field is missing")]
    AuthorizationCreate,
    /// Sidecars have no place in a call.
    #[error("\"blobs\" is not supported for this RPC method")]
    Blobs,
}

/// What stands in for fields that a request leaves out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Defaults {
    pub(crate) chain_id: u64,
    pub(crate) nonce: u64,
    pub(crate) gas_limit: u64,
    /// Whether the block has a base fee: fees are EIP-1559's then, if no gas price is named.
    pub(crate) base_fee: bool,
}

/// Whoever sends a request.
pub(crate) fn sender(request: &TransactionRequest) -> Address {
    request.from.unwrap_or_default()
}

/// The highest fee per gas that a request names; zero if it names none.
pub(crate) fn fee_cap(request: &TransactionRequest) -> u128 {
    request.gas_price.or(request.max_fee_per_gas).unwrap_or_default()
}

/// The request as a transaction, with a signature of zeros.
///
/// The type follows from the fields. Whether the block's fork has it is for the run to say.
pub(crate) fn transaction(request: &TransactionRequest, defaults: &Defaults) -> Result<Transaction, RequestError> {
    check(request, defaults)?;
    let fields = Fields::new(request, defaults)?;
    if request.authorization_list.is_some() {
        return Ok(signed(fields.set_code(request)?));
    }
    if request.blob_versioned_hashes.is_some() {
        return Ok(signed(fields.blob(request)?));
    }
    if defaults.base_fee && request.gas_price.is_none() {
        return Ok(signed(fields.dynamic_fee(request)));
    }
    match &request.access_list {
        Some(list) if !list.is_empty() => Ok(signed(fields.access_list(request))),
        _ => Ok(signed(fields.legacy())),
    }
}

fn signed<T: SignableTransaction<Signature> + RlpEcdsaEncodableTx>(transaction: T) -> Transaction
where
    Transaction: From<alloy_consensus::Signed<T>>,
{
    transaction.into_signed(Signature::new(U256::ZERO, U256::ZERO, false)).into()
}

fn check(request: &TransactionRequest, defaults: &Defaults) -> Result<(), RequestError> {
    let dynamic = request.max_fee_per_gas.is_some() || request.max_priority_fee_per_gas.is_some();
    if request.gas_price.is_some() && dynamic {
        return Err(RequestError::TwoFees);
    }
    let want = defaults.chain_id;
    if let Some(have) = request.chain_id.filter(|have| *have != want) {
        return Err(RequestError::ChainId { have, want });
    }
    if request.sidecar.is_some() {
        return Err(RequestError::Blobs);
    }
    Ok(())
}

/// What every type has.
struct Fields {
    chain_id: u64,
    nonce: u64,
    gas_limit: u64,
    max_fee_per_gas: u128,
    max_priority_fee_per_gas: u128,
    to: TxKind,
    value: U256,
    input: Bytes,
}

impl Fields {
    fn new(request: &TransactionRequest, defaults: &Defaults) -> Result<Self, RequestError> {
        let input = request.input.unique_input().map_err(|_| RequestError::TwoInputs)?;
        Ok(Self {
            chain_id: defaults.chain_id,
            nonce: request.nonce.unwrap_or(defaults.nonce),
            gas_limit: defaults.gas_limit,
            max_fee_per_gas: fee_cap(request),
            max_priority_fee_per_gas: request.gas_price.or(request.max_priority_fee_per_gas).unwrap_or_default(),
            to: request.to.unwrap_or(TxKind::Create),
            value: request.value.unwrap_or_default(),
            input: input.cloned().unwrap_or_default(),
        })
    }

    fn legacy(self) -> TxLegacy {
        let Self { nonce, gas_limit, max_fee_per_gas: gas_price, to, value, input, .. } = self;
        TxLegacy { chain_id: None, nonce, gas_price, gas_limit, to, value, input }
    }

    fn access_list(self, request: &TransactionRequest) -> TxEip2930 {
        let Self { chain_id, nonce, gas_limit, max_fee_per_gas: gas_price, to, value, input, .. } = self;
        let access_list = request.access_list.clone().unwrap_or_default();
        TxEip2930 { chain_id, nonce, gas_price, gas_limit, to, value, input, access_list }
    }

    fn dynamic_fee(self, request: &TransactionRequest) -> TxEip1559 {
        let Self { chain_id, nonce, gas_limit, max_fee_per_gas, max_priority_fee_per_gas, to, value, input } = self;
        TxEip1559 {
            chain_id,
            nonce,
            gas_limit,
            max_fee_per_gas,
            max_priority_fee_per_gas,
            to,
            value,
            input,
            access_list: request.access_list.clone().unwrap_or_default(),
        }
    }

    fn blob(self, request: &TransactionRequest) -> Result<TxEip4844, RequestError> {
        let TxKind::Call(to) = self.to else { return Err(RequestError::BlobCreate) };
        let Self { chain_id, nonce, gas_limit, max_fee_per_gas, max_priority_fee_per_gas, value, input, .. } = self;
        Ok(TxEip4844 {
            chain_id,
            nonce,
            gas_limit,
            max_fee_per_gas,
            max_priority_fee_per_gas,
            to,
            value,
            input,
            access_list: request.access_list.clone().unwrap_or_default(),
            blob_versioned_hashes: request.blob_versioned_hashes.clone().unwrap_or_default(),
            max_fee_per_blob_gas: request.max_fee_per_blob_gas.unwrap_or_default(),
        })
    }

    fn set_code(self, request: &TransactionRequest) -> Result<TxEip7702, RequestError> {
        let TxKind::Call(to) = self.to else { return Err(RequestError::AuthorizationCreate) };
        let Self { chain_id, nonce, gas_limit, max_fee_per_gas, max_priority_fee_per_gas, value, input, .. } = self;
        Ok(TxEip7702 {
            chain_id,
            nonce,
            gas_limit,
            max_fee_per_gas,
            max_priority_fee_per_gas,
            to,
            value,
            input,
            access_list: request.access_list.clone().unwrap_or_default(),
            authorization_list: request.authorization_list.clone().unwrap_or_default(),
        })
    }
}
