//! The transaction of a state test that has no bytes: those of the older suites, and of fuzzers.

use crate::fixture::{Hex, Indexes, StateTest, StateTestTransaction, parse_bytes};
use alloy_consensus::{Signed, TxEip1559, TxEip2930, TxEip4844, TxEip7702, TxLegacy};
use alloy_eips::eip2930::AccessList;
use alloy_eips::eip7702::{Authorization, SignedAuthorization};
use alloy_primitives::{Address, Bytes, Signature, TxKind, U256};
use balsa_evm::Transaction;
use serde::Deserialize;

/// What every kind of transaction has.
struct Common {
    chain_id: u64,
    nonce: u64,
    gas_limit: u64,
    to: TxKind,
    value: U256,
    input: Bytes,
    access_list: AccessList,
}

/// The transaction of the alternatives that `indexes` choose, and its sender. Nothing if it is none: one of its numbers
/// does not fit, or its parts belong to different kinds, which some tests want.
///
/// # Errors
/// If the fixture is not one.
pub(crate) fn of(
    test: &StateTest<'_>,
    indexes: Indexes,
    chain_id: u64,
) -> Result<Option<(Transaction, Address)>, String> {
    let parts = &test.transaction;
    let data = parts.data.get(indexes.data).ok_or("malformed fixture: no such data")?;
    let gas_limit = parts.gas_limit.get(indexes.gas).ok_or("malformed fixture: no such gas limit")?;
    let value = parts.value.get(indexes.value).ok_or("malformed fixture: no such value")?;
    let numbers = gas_limit.get::<u64>().zip(value.get::<U256>()).zip(u64::try_from(parts.nonce.0).ok());
    let Some(((gas_limit, value), nonce)) = numbers else { return Ok(None) };
    let to = match &*parts.to {
        "" => TxKind::Create,
        to => TxKind::Call(to.parse().map_err(|_| "malformed fixture: to")?),
    };
    let input = parse_bytes(data).ok_or("malformed fixture: data")?;
    let access_list = parts.access_lists.as_ref().and_then(|lists| lists.get(indexes.data).cloned().flatten());
    let common = Common { chain_id, nonce, gas_limit, to, value, input, access_list: access_list.unwrap_or_default() };
    let Some(transaction) = transaction(parts, common)? else { return Ok(None) };
    Ok(Some((transaction, sender_of(test)?)))
}

/// The kind is that whose fees and lists are there.
fn transaction(parts: &StateTestTransaction<'_>, common: Common) -> Result<Option<Transaction>, String> {
    let fee = |fee: &Option<Hex<U256>>| fee.as_ref().map(|fee| u128::try_from(fee.0).ok());
    let (price, max_fee, tip) =
        (fee(&parts.gas_price), fee(&parts.max_fee_per_gas), fee(&parts.max_priority_fee_per_gas));
    let blob_fee = fee(&parts.max_fee_per_blob_gas);
    if [price, max_fee, tip, blob_fee].contains(&Some(None)) {
        return Ok(None);
    }
    let [price, max_fee, tip, blob_fee] = [price, max_fee, tip, blob_fee].map(Option::flatten);
    let authorizations = parts.authorization_list.map(|list| authorizations(list.get())).transpose()?;
    Ok(match (price, max_fee) {
        (Some(price), None) if parts.access_lists.is_some() => Some(unsigned(with_price(price, common)).into()),
        (Some(price), None) => Some(unsigned(legacy(price, common)).into()),
        (None, Some(max_fee)) => {
            let fees = (max_fee, tip.unwrap_or_default());
            let hashes = parts.blob_versioned_hashes.clone();
            match (authorizations, hashes.filter(|_| blob_fee.is_some())) {
                (Some(list), None) => with_authorizations(fees, list, common).map(|all| unsigned(all).into()),
                (None, Some(hashes)) => {
                    let blobs = with_blobs(fees, common);
                    let max_fee_per_blob_gas = blob_fee.unwrap_or_default();
                    let whole = |blobs| TxEip4844 { blob_versioned_hashes: hashes, max_fee_per_blob_gas, ..blobs };
                    blobs.map(|blobs| unsigned(whole(blobs)).into())
                }
                (None, None) => Some(unsigned(with_fees(fees, common)).into()),
                (Some(_), Some(_)) => None,
            }
        }
        _ => None,
    })
}

/// The sender follows from the test's key: a signature would only have to be made to be recovered again.
fn unsigned<T>(transaction: T) -> Signed<T> {
    Signed::new_unhashed(transaction, Signature::new(U256::ONE, U256::ONE, false))
}

fn legacy(gas_price: u128, common: Common) -> TxLegacy {
    let Common { nonce, gas_limit, to, value, input, .. } = common;
    TxLegacy { chain_id: None, nonce, gas_price, gas_limit, to, value, input }
}

fn with_price(gas_price: u128, common: Common) -> TxEip2930 {
    let Common { chain_id, nonce, gas_limit, to, value, input, access_list } = common;
    TxEip2930 { chain_id, nonce, gas_price, gas_limit, to, value, input, access_list }
}

fn with_fees((max_fee_per_gas, max_priority_fee_per_gas): (u128, u128), common: Common) -> TxEip1559 {
    let Common { chain_id, nonce, gas_limit, to, value, input, access_list } = common;
    TxEip1559 { chain_id, nonce, max_fee_per_gas, max_priority_fee_per_gas, gas_limit, to, value, input, access_list }
}

/// Nothing for a creation.
fn with_blobs((max_fee_per_gas, max_priority_fee_per_gas): (u128, u128), common: Common) -> Option<TxEip4844> {
    let Common { chain_id, nonce, gas_limit, to, value, input, access_list } = common;
    let to = *to.to()?;
    let none = TxEip4844::default();
    Some(TxEip4844 {
        chain_id,
        nonce,
        max_fee_per_gas,
        max_priority_fee_per_gas,
        gas_limit,
        to,
        value,
        input,
        access_list,
        ..none
    })
}

/// Nothing for a creation.
fn with_authorizations(
    (max_fee_per_gas, max_priority_fee_per_gas): (u128, u128),
    authorization_list: Vec<SignedAuthorization>,
    common: Common,
) -> Option<TxEip7702> {
    let Common { chain_id, nonce, gas_limit, to, value, input, access_list } = common;
    Some(TxEip7702 {
        chain_id,
        nonce,
        max_fee_per_gas,
        max_priority_fee_per_gas,
        gas_limit,
        to: *to.to()?,
        value,
        input,
        access_list,
        authorization_list,
    })
}

fn authorizations(json: &str) -> Result<Vec<SignedAuthorization>, String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Listed {
        chain_id: Hex<U256>,
        address: Address,
        nonce: Hex<u64>,
        #[serde(alias = "v")]
        y_parity: Hex<u8>,
        r: Hex<U256>,
        s: Hex<U256>,
    }
    // Both names of the parity may be there.
    let mut lists: Vec<serde_json::Map<String, serde_json::Value>> =
        serde_json::from_str(json).map_err(|error| format!("malformed fixture: authorizationList: {error}"))?;
    for listed in lists.iter_mut().filter(|listed| listed.contains_key("yParity")) {
        listed.remove("v");
    }
    let signed = |listed| -> Result<_, serde_json::Error> {
        let Listed { chain_id, address, nonce, y_parity, r, s } =
            serde_json::from_value(serde_json::Value::Object(listed))?;
        let authorization = Authorization { chain_id: chain_id.0, address, nonce: nonce.0 };
        Ok(SignedAuthorization::new_unchecked(authorization, y_parity.0, r.0, s.0))
    };
    let all: Result<Vec<_>, _> = lists.into_iter().map(signed).collect();
    all.map_err(|error| format!("malformed fixture: authorizationList: {error}"))
}

fn sender_of(test: &StateTest<'_>) -> Result<Address, String> {
    if let Some(sender) = test.transaction.sender {
        return Ok(sender);
    }
    let key = test.transaction.secret_key.ok_or("malformed fixture: neither sender nor secretKey")?;
    address_of_key(&key.0).ok_or_else(|| "malformed fixture: secretKey".to_owned())
}

/// The address of a secret key.
pub(crate) fn address_of_key(key: &[u8; 32]) -> Option<Address> {
    let key = secp256k1::SecretKey::from_byte_array(*key).ok()?;
    let public = key.public_key(secp256k1::SECP256K1).serialize_uncompressed();
    Some(Address::from_raw_public_key(&public[1..]))
}
