//! One header against its parent.

use super::{HeaderError, fields::check_fields};
use crate::{
    DaoRule, GAS_LIMIT_MAX, GAS_LIMIT_MIN, GAS_PER_BLOB, Rules, base_fee_per_gas, difficulty, excess_blob_gas,
    gas_limit::{gas_limit_base, is_within_bound},
};
use alloy_consensus::{EMPTY_OMMER_ROOT_HASH, Header};
use alloy_primitives::B64;

/// The longest extra data, in bytes.
pub(crate) const EXTRA_DATA_LEN_MAX: usize = 32;

/// What the extra data of the DAO fork's blocks says.
const DAO_EXTRA_DATA: &[u8] = b"dao-hard-fork";

/// Checks a header against its parent.
///
/// `rules` and `parent_rules` are those of the two blocks. That `parent` has the hash which `header` names
/// is the caller's to know: it found the parent by it. Of proof of work the difficulty is checked,
/// the seal is not.
///
/// # Errors
/// The first rule that is broken.
pub fn validate_header(
    rules: &Rules,
    parent_rules: &Rules,
    parent: &Header,
    header: &Header,
) -> Result<(), HeaderError> {
    check_number(parent, header)?;
    check_timestamp(parent, header)?;
    check_extra_data(rules, header)?;
    check_gas_limit(rules, parent_rules, parent, header)?;
    check_fields(rules, header)?;
    check_proof(rules, parent, header)?;
    check_gas_used(header)?;
    check_base_fee(rules, parent_rules, parent, header)?;
    check_blobs(rules, parent, header)?;
    check_slot_number(parent, header)
}

fn check_number(parent: &Header, header: &Header) -> Result<(), HeaderError> {
    if Some(header.number) != parent.number.checked_add(1) {
        return Err(HeaderError::Number { parent: parent.number, found: header.number });
    }
    Ok(())
}

fn check_timestamp(parent: &Header, header: &Header) -> Result<(), HeaderError> {
    if header.timestamp <= parent.timestamp {
        return Err(HeaderError::Timestamp { parent: parent.timestamp, found: header.timestamp });
    }
    Ok(())
}

fn check_extra_data(rules: &Rules, header: &Header) -> Result<(), HeaderError> {
    let found = &header.extra_data;
    if found.len() > EXTRA_DATA_LEN_MAX {
        return Err(HeaderError::ExtraDataTooLong { found: found.len(), max: EXTRA_DATA_LEN_MAX });
    }
    let is_dao = found.as_ref() == DAO_EXTRA_DATA;
    match rules.dao {
        DaoRule::None => Ok(()),
        DaoRule::MoveBalances | DaoRule::ExtraData if is_dao => Ok(()),
        DaoRule::NotExtraData if !is_dao => Ok(()),
        _ => Err(HeaderError::ExtraDataDao { found: found.clone(), expected: !is_dao }),
    }
}

fn check_proof(rules: &Rules, parent: &Header, header: &Header) -> Result<(), HeaderError> {
    if !rules.is_proof_of_stake() {
        let expected = difficulty(rules, parent, header.timestamp);
        if header.difficulty != expected {
            return Err(HeaderError::Difficulty { expected, found: header.difficulty });
        }
        return Ok(());
    }
    if !header.difficulty.is_zero() {
        return Err(HeaderError::DifficultyAfterMerge { found: header.difficulty });
    }
    if header.nonce != B64::ZERO {
        return Err(HeaderError::NonceAfterMerge { found: header.nonce });
    }
    if header.ommers_hash != EMPTY_OMMER_ROOT_HASH {
        return Err(HeaderError::OmmersAfterMerge { found: header.ommers_hash });
    }
    Ok(())
}

fn check_gas_limit(rules: &Rules, parent_rules: &Rules, parent: &Header, header: &Header) -> Result<(), HeaderError> {
    let found = header.gas_limit;
    if found > GAS_LIMIT_MAX {
        return Err(HeaderError::GasLimitTooHigh { found, max: GAS_LIMIT_MAX });
    }
    if found < GAS_LIMIT_MIN {
        return Err(HeaderError::GasLimitTooLow { found, min: GAS_LIMIT_MIN });
    }
    let base = gas_limit_base(rules, parent_rules, parent);
    if !is_within_bound(base, found) {
        return Err(HeaderError::GasLimitStep { base, found });
    }
    Ok(())
}

fn check_gas_used(header: &Header) -> Result<(), HeaderError> {
    if header.gas_used > header.gas_limit {
        return Err(HeaderError::GasUsedAboveLimit { gas_limit: header.gas_limit, found: header.gas_used });
    }
    Ok(())
}

fn check_base_fee(rules: &Rules, parent_rules: &Rules, parent: &Header, header: &Header) -> Result<(), HeaderError> {
    let expected = base_fee_per_gas(rules, parent_rules, parent);
    match (expected, header.base_fee_per_gas) {
        (Some(expected), Some(found)) if found != expected => Err(HeaderError::BaseFee { expected, found }),
        _ => Ok(()),
    }
}

fn check_blobs(rules: &Rules, parent: &Header, header: &Header) -> Result<(), HeaderError> {
    let (Some(blobs), Some(used), Some(excess)) = (rules.blobs, header.blob_gas_used, header.excess_blob_gas) else {
        return Ok(());
    };
    if used > blobs.max_blob_gas() {
        return Err(HeaderError::BlobGasUsedAboveLimit { found: used, max: blobs.max_blob_gas() });
    }
    if !used.is_multiple_of(GAS_PER_BLOB) {
        return Err(HeaderError::BlobGasUsedNotWhole { found: used, per_blob: GAS_PER_BLOB });
    }
    let expected = excess_blob_gas(rules, parent).unwrap_or(0);
    if excess != expected {
        return Err(HeaderError::ExcessBlobGas { expected, found: excess });
    }
    Ok(())
}

/// A slot has at most one block, so the slot number grows from block to block.
fn check_slot_number(parent: &Header, header: &Header) -> Result<(), HeaderError> {
    match (parent.slot_number, header.slot_number) {
        (Some(parent), Some(found)) if found <= parent => Err(HeaderError::SlotNumber { parent, found }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
