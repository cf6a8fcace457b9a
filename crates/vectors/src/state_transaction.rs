//! The transaction of a state test that has no bytes: the older suites, legacy transactions only.

use crate::fixture::{Indexes, StateTest, parse_bytes};
use alloy_consensus::{Signed, TxLegacy};
use alloy_primitives::{Address, Signature, TxKind, U256};
use balsa_evm::Transaction;

/// The transaction of the alternatives that `indexes` choose, and its sender. Nothing if one of its numbers does not
/// fit a transaction, which some tests want.
///
/// # Errors
/// If the fixture is not one.
pub(crate) fn of(test: &StateTest<'_>, indexes: Indexes) -> Result<Option<(Transaction, Address)>, String> {
    let parts = &test.transaction;
    let data = parts.data.get(indexes.data).ok_or("malformed fixture: no such data")?;
    let gas_limit = parts.gas_limit.get(indexes.gas).ok_or("malformed fixture: no such gas limit")?;
    let value = parts.value.get(indexes.value).ok_or("malformed fixture: no such value")?;
    let numbers = gas_limit.get::<u64>().zip(value.get::<U256>()).zip(u64::try_from(parts.nonce.0).ok());
    let price = parts.gas_price.and_then(|price| u128::try_from(price.0).ok());
    let (Some(((gas_limit, value), nonce)), Some(gas_price)) = (numbers, price) else {
        return Ok(None);
    };
    let to = match &*parts.to {
        "" => TxKind::Create,
        to => TxKind::Call(to.parse().map_err(|_| "malformed fixture: to")?),
    };
    let input = parse_bytes(data).ok_or("malformed fixture: data")?;
    let transaction = TxLegacy { chain_id: None, nonce, gas_price, gas_limit, to, value, input };
    // The sender follows from the test's key: a signature would only have to be made to be recovered again.
    let unsigned = Signed::new_unhashed(transaction, Signature::new(U256::ONE, U256::ONE, false));
    Ok(Some((Transaction::Legacy(unsigned), sender_of(test)?)))
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
