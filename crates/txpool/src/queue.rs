//! The transactions of one sender, and the rules that need its account.

use std::{collections::BTreeMap, sync::Arc};

use alloy_consensus::Transaction as _;
use alloy_primitives::{B256, Bytes, U256, keccak256};
use balsa_state::{AccountInfo, EMPTY_CODE_HASH, State, StateError};

use crate::{Limits, PoolError, PoolTransaction};

/// What the state says of a sender.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sender {
    pub(crate) nonce: u64,
    pub(crate) balance: U256,
    pub(crate) code: SenderCode,
}

/// Whether a sender's code lets it send (EIP-3607, EIP-7702).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum SenderCode {
    #[default]
    None,
    Delegation,
    Contract,
}

impl Sender {
    /// Reads a sender's account.
    pub(crate) fn read(state: &State, address: alloy_primitives::Address) -> Result<Self, StateError> {
        let address_hash: B256 = keccak256(address);
        let account = state.account(&address_hash)?.map(|account| account.info());
        let AccountInfo { nonce, balance, code_hash } = account.unwrap_or_default();
        let code = match code_hash == EMPTY_CODE_HASH {
            true => SenderCode::None,
            false => kind_of(&state.code(&code_hash)?),
        };
        Ok(Self { nonce, balance, code })
    }
}

fn kind_of(code: &Bytes) -> SenderCode {
    // EIP-7702: 0xef0100 and an address.
    if code.len() == 23 && code.starts_with(&[0xef, 0x01, 0x00]) {
        SenderCode::Delegation
    } else {
        SenderCode::Contract
    }
}

/// One sender's transactions by nonce, none of them below the account's.
#[derive(Clone, Debug, Default)]
pub(crate) struct Queue {
    pub(crate) sender: Sender,
    pub(crate) transactions: BTreeMap<u64, Arc<PoolTransaction>>,
}

impl Queue {
    /// The transactions that can run one after another, from the account's nonce on, as far as the balance goes.
    pub(crate) fn pending(&self) -> impl Iterator<Item = &Arc<PoolTransaction>> {
        let mut left = self.sender.balance;
        self.contiguous().map_while(move |transaction| {
            left = left.checked_sub(transaction.cost)?;
            Some(transaction)
        })
    }

    /// How many can run.
    pub(crate) fn pending_count(&self) -> usize {
        self.pending().count()
    }

    /// The first nonce that is free.
    pub(crate) fn next_nonce(&self) -> u64 {
        self.sender.nonce + self.contiguous().count() as u64
    }

    /// Whether `new` may enter, beside or instead of what is there. `delegated`: a delegation, or one that is under way.
    pub(crate) fn check(&self, new: &PoolTransaction, delegated: bool, limits: &Limits) -> Result<(), PoolError> {
        let nonce = new.nonce();
        if self.sender.code == SenderCode::Contract {
            return Err(PoolError::SenderNotEoa(new.sender));
        }
        if nonce < self.sender.nonce {
            return Err(PoolError::NonceTooLow { next: self.sender.nonce, nonce });
        }
        if self.transactions.values().next().is_some_and(|other| other.has_blobs() != new.has_blobs()) {
            return Err(PoolError::AddressReserved);
        }
        let replaced = self.transactions.get(&nonce);
        if let Some(old) = replaced {
            check_replacement(old, new, limits)?;
        }
        self.check_funds(new)?;
        if replaced.is_some() {
            return Ok(());
        }
        self.check_place(new, delegated, limits)
    }

    /// Whether the sender can pay for it and all before it.
    fn check_funds(&self, new: &PoolTransaction) -> Result<(), PoolError> {
        let before = self.transactions.range(..new.nonce()).map(|(_, transaction)| transaction.cost);
        let cost = before.fold(new.cost, U256::saturating_add);
        let balance = self.sender.balance;
        if cost > balance { Err(PoolError::InsufficientFunds { cost, balance }) } else { Ok(()) }
    }

    /// Whether one more fits the sender's limits.
    fn check_place(&self, new: &PoolTransaction, delegated: bool, limits: &Limits) -> Result<(), PoolError> {
        let (count, gap) = (self.transactions.len(), self.next_nonce());
        let max = if new.has_blobs() { limits.sender_blob_transactions_max } else { limits.sender_transactions_max };
        if delegated && (count >= limits.delegated_transactions_max || new.nonce() > gap) {
            return Err(PoolError::DelegatedLimit);
        }
        if new.has_blobs() && new.nonce() > gap {
            return Err(PoolError::NonceTooHigh { nonce: new.nonce(), gap });
        }
        if count >= max {
            return Err(PoolError::AccountLimit { count });
        }
        let queued = count - self.pending_count();
        if new.nonce() > gap && queued >= limits.sender_queued_max {
            return Err(PoolError::AccountLimit { count: queued });
        }
        Ok(())
    }

    fn contiguous(&self) -> impl Iterator<Item = &Arc<PoolTransaction>> {
        let expected = self.sender.nonce..;
        expected.zip(&self.transactions).take_while(|(expected, (nonce, _))| expected == *nonce).map(|(_, (_, tx))| tx)
    }
}

/// A replacement pays more in every dimension.
fn check_replacement(old: &PoolTransaction, new: &PoolTransaction, limits: &Limits) -> Result<(), PoolError> {
    let percent = if old.has_blobs() { limits.blob_replacement_percent } else { limits.replacement_percent };
    // At least one wei more, whatever the percentage rounds to.
    let bumped = |fee: u128| fee.saturating_add((fee.saturating_mul(percent) / 100).max(1));
    let fees = |transaction: &PoolTransaction| {
        let max_fee = transaction.transaction.max_fee_per_gas();
        (max_fee, transaction.transaction.max_priority_fee_per_gas().unwrap_or(max_fee))
    };
    let ((old_fee, old_priority), (max_fee, priority_fee)) = (fees(old), fees(new));
    let (max_fee_min, priority_fee_min) = (bumped(old_fee), bumped(old_priority));
    if max_fee < max_fee_min || priority_fee < priority_fee_min {
        return Err(PoolError::ReplacementUnderpriced { max_fee, priority_fee, max_fee_min, priority_fee_min });
    }
    let blob_fee = |transaction: &PoolTransaction| transaction.transaction.max_fee_per_blob_gas();
    match blob_fee(old).map(bumped).zip(blob_fee(new)) {
        Some((max_fee_min, max_fee)) if max_fee < max_fee_min => {
            Err(PoolError::ReplacementBlobUnderpriced { max_fee, max_fee_min })
        }
        _ => Ok(()),
    }
}
