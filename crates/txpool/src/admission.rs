//! The rules that need no state: form, fork, size, gas, fees, signature, blobs. Cheapest first, so that garbage costs
//! little; the pairing checks of blobs come last. Runs under no lock.

use std::sync::Arc;

use alloy_consensus::{Transaction as _, Typed2718};
use alloy_eips::{eip4844::env_settings::EnvKzgSettings, eip7594::BlobTransactionSidecarVariant};
use alloy_primitives::Address;
use balsa_chainspec::{Fork, Rules, TRANSACTION_GAS_LIMIT_CAP};
use balsa_evm::{Transaction, intrinsic_gas};
use balsa_executor::{SenderError, recover_sender};

use crate::{Head, Limits, PoolError, PoolTransaction, RawTransaction, transaction::cost};

/// Judges a transaction by all that the head's rules, but not its state, say.
pub(crate) fn judge(
    raw: RawTransaction,
    head: &Head,
    limits: &Limits,
    sequence: u64,
) -> Result<PoolTransaction, PoolError> {
    let lengths = raw.lengths();
    let RawTransaction { transaction, sidecar } = raw;
    check_type(&transaction, &head.rules)?;
    check_size(&transaction, lengths.bare, &head.rules, limits)?;
    check_gas_limit(&transaction, head)?;
    check_fees(&transaction, limits)?;
    check_blob_form(&transaction, sidecar.as_ref(), &head.rules)?;
    if transaction.authorization_list().is_some_and(<[_]>::is_empty) {
        return Err(PoolError::NoAuthorizations);
    }
    let cost = cost(&transaction)?;
    let sender = sender(&transaction, &head.rules)?;
    if transaction.nonce() == u64::MAX {
        return Err(PoolError::NonceMax(sender));
    }
    check_intrinsic_gas(&transaction, sender, &head.rules)?;
    if let Some(sidecar) = &sidecar {
        check_proofs(&transaction, sidecar)?;
    }
    let authorizations = transaction.authorization_list().unwrap_or_default();
    let authorities = authorizations.iter().filter_map(|signed| signed.recover_authority().ok()).collect();
    let sidecar = sidecar.map(Arc::new);
    Ok(PoolTransaction { transaction, sidecar, sender, cost, bytes: lengths.whole, authorities, sequence })
}

/// Whether a transaction that was judged under older rules is still one under these: type, size and sidecar.
pub(crate) fn still_fits(transaction: &PoolTransaction, head: &Head) -> bool {
    let PoolTransaction { transaction, sidecar, sender, .. } = transaction;
    check_type(transaction, &head.rules).is_ok()
        && check_initcode(transaction, &head.rules).is_ok()
        && check_gas_limit(transaction, head).is_ok()
        && check_blob_form(transaction, sidecar.as_deref(), &head.rules).is_ok()
        && check_intrinsic_gas(transaction, *sender, &head.rules).is_ok()
}

fn check_type(transaction: &Transaction, rules: &Rules) -> Result<(), PoolError> {
    let transaction_type = transaction.ty();
    let needs = match transaction_type {
        0 => Fork::Frontier,
        1 => Fork::Berlin,
        2 => Fork::London,
        3 => Fork::Cancun,
        _ => Fork::Prague,
    };
    if rules.has(needs) { Ok(()) } else { Err(PoolError::TypeNotSupported { transaction_type, needs }) }
}

fn check_size(transaction: &Transaction, bytes: usize, rules: &Rules, limits: &Limits) -> Result<(), PoolError> {
    if bytes > limits.transaction_bytes_max {
        return Err(PoolError::Oversized { bytes, max: limits.transaction_bytes_max });
    }
    check_initcode(transaction, rules)
}

/// EIP-3860.
fn check_initcode(transaction: &Transaction, rules: &Rules) -> Result<(), PoolError> {
    let bytes = if transaction.is_create() { transaction.input().len() } else { 0 };
    match rules.max_initcode_size {
        Some(max) if bytes > max => Err(PoolError::InitcodeSize { bytes, max }),
        _ => Ok(()),
    }
}

fn check_gas_limit(transaction: &Transaction, head: &Head) -> Result<(), PoolError> {
    let gas_limit = transaction.gas_limit();
    if gas_limit > head.gas_limit {
        return Err(PoolError::GasLimitAboveBlock { gas_limit, block: head.gas_limit });
    }
    match head.rules.transaction_gas_limit_max {
        Some(cap) if gas_limit > cap => Err(PoolError::GasLimitAboveCap { gas_limit, cap }),
        _ => Ok(()),
    }
}

fn check_fees(transaction: &Transaction, limits: &Limits) -> Result<(), PoolError> {
    let max_fee = transaction.max_fee_per_gas();
    let priority_fee = transaction.max_priority_fee_per_gas().unwrap_or(max_fee);
    if priority_fee > max_fee {
        return Err(PoolError::PriorityFeeAboveMaxFee { priority_fee, max_fee });
    }
    if priority_fee < limits.priority_fee_min {
        return Err(PoolError::PriorityFeeBelowMinimum { priority_fee, min: limits.priority_fee_min });
    }
    match transaction.max_fee_per_blob_gas() {
        Some(0) => Err(PoolError::BlobFeeBelowMinimum { max_fee: 0 }),
        _ => Ok(()),
    }
}

/// EIP-4844 and EIP-7594, all but the proofs themselves.
fn check_blob_form(
    transaction: &Transaction,
    sidecar: Option<&BlobTransactionSidecarVariant>,
    rules: &Rules,
) -> Result<(), PoolError> {
    let (Some(hashes), Some(blobs)) = (transaction.blob_versioned_hashes(), rules.blobs) else { return Ok(()) };
    let Some(sidecar) = sidecar else { return Err(PoolError::MissingSidecar) };
    let (count, max) = (hashes.len(), blobs.max_per_transaction.unwrap_or(blobs.max).min(blobs.max) as usize);
    if count == 0 {
        return Err(PoolError::NoBlobs);
    }
    if count > max {
        return Err(PoolError::BlobCount { count, max });
    }
    let (found, expected) = (u8::from(sidecar.is_eip7594()), u8::from(rules.has(Fork::Osaka)));
    if found == expected { Ok(()) } else { Err(PoolError::SidecarVersion { found, expected }) }
}

fn sender(transaction: &Transaction, rules: &Rules) -> Result<Address, PoolError> {
    recover_sender(rules, transaction).map_err(|error| match error {
        SenderError::ChainId(found) => PoolError::ChainId { found, expected: rules.chain_id },
        error => PoolError::InvalidSender(error),
    })
}

fn check_intrinsic_gas(transaction: &Transaction, sender: Address, rules: &Rules) -> Result<(), PoolError> {
    let gas_limit = transaction.gas_limit();
    let intrinsic = intrinsic_gas(rules, transaction, sender);
    if gas_limit < intrinsic.initial {
        return Err(PoolError::IntrinsicGas { gas_limit, needed: intrinsic.initial });
    }
    if gas_limit < intrinsic.floor {
        return Err(PoolError::FloorGas { gas_limit, needed: intrinsic.floor });
    }
    // EIP-8037: what is paid at the start is regular gas, of which there is no more than the cap.
    let needed = intrinsic.initial.max(intrinsic.floor);
    if rules.has(Fork::Amsterdam) && needed > TRANSACTION_GAS_LIMIT_CAP {
        return Err(PoolError::FloorGas { gas_limit: gas_limit.min(TRANSACTION_GAS_LIMIT_CAP), needed });
    }
    Ok(())
}

fn check_proofs(transaction: &Transaction, sidecar: &BlobTransactionSidecarVariant) -> Result<(), PoolError> {
    let hashes = transaction.blob_versioned_hashes().unwrap_or_default();
    sidecar.validate(hashes, EnvKzgSettings::Default.get()).map_err(|error| PoolError::Sidecar(error.to_string()))
}
