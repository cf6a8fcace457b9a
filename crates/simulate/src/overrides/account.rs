//! State that is to be otherwise.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256, Bytes, U64, U256};
use balsa_evm::{BlockEnvironment, PrecompileMoves, is_precompile};
use balsa_keccak::keccak256;
use balsa_state::{BlockState, EMPTY_CODE_HASH, StateError, StateView, Written};
use serde::Deserialize;
use thiserror::Error;

/// Accounts that are to be otherwise, by address.
pub type StateOverrides = BTreeMap<Address, AccountOverride>;

/// What is to be otherwise of an account. What is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct AccountOverride {
    /// Wei.
    pub balance: Option<U256>,
    /// Transactions sent.
    pub nonce: Option<U64>,
    /// Code; none if empty.
    pub code: Option<Bytes>,
    /// All of the storage: slots that are not named become zero.
    pub state: Option<BTreeMap<B256, B256>>,
    /// Slots that change.
    pub state_diff: Option<BTreeMap<B256, B256>>,
    /// Where the precompile goes that is at the address.
    pub move_precompile_to_address: Option<Address>,
}

/// Overrides that contradict each other, or the block's rules.
#[derive(Clone, Debug, Error)]
pub enum OverrideError {
    /// Something else is already to be at the address.
    #[error("account {0} has already been overridden by a precompile")]
    TakenByPrecompile(Address),
    /// Only precompiles can be moved.
    #[error("account {0} is not a precompile")]
    NoPrecompile(Address),
    /// The address itself is overridden too.
    #[error("account {0} is already overridden")]
    AlreadyOverridden(Address),
    /// The precompile is to go to where it is.
    #[error("account {0} is to be moved to itself")]
    MovedToItself(Address),
    /// The storage is either replaced or changed.
    #[error("account {0} has both 'state' and 'stateDiff'")]
    StateAndDiff(Address),
    /// A field of the block that only simulated blocks have.
    #[error("block override \"{0}\" is not supported for this RPC method")]
    BlockField(&'static str),
    /// A field that no header can hold.
    #[error("block override \"{field}\" is too large: {value}")]
    BlockFieldTooLarge {
        /// Its name.
        field: &'static str,
        /// What was asked for.
        value: U256,
    },
    /// State could not be read.
    #[error(transparent)]
    State(#[from] StateError),
}

/// Writes overrides into the state of a block in progress. Returns where precompiles are then, if not where the fork
/// has them: who overrides a precompile's account takes the precompile away.
pub(crate) fn apply(
    overrides: &StateOverrides,
    environment: &BlockEnvironment,
    state: &mut BlockState<'_>,
) -> Result<Option<PrecompileMoves>, OverrideError> {
    let mut moves = PrecompileMoves::default();
    let mut moved = false;
    let mut taken = BTreeSet::new();
    for (address, account) in overrides {
        if taken.contains(address) {
            return Err(OverrideError::TakenByPrecompile(*address));
        }
        let precompile = is_precompile(environment, address);
        if let Some(to) = account.move_precompile_to_address {
            check_move(overrides, *address, to, precompile)?;
            // The specification has a code for two that go to one place (-38023), and a test that takes the last.
            taken.insert(to);
            moves.place(*address, to);
        }
        if precompile {
            moves.remove(*address);
            moved = true;
        }
        write(state, address, account)?;
    }
    Ok(moved.then_some(moves))
}

fn check_move(overrides: &StateOverrides, from: Address, to: Address, precompile: bool) -> Result<(), OverrideError> {
    if !precompile {
        return Err(OverrideError::NoPrecompile(from));
    }
    if from == to {
        return Err(OverrideError::MovedToItself(from));
    }
    if overrides.contains_key(&to) {
        return Err(OverrideError::AlreadyOverridden(to));
    }
    Ok(())
}

fn write(state: &mut BlockState<'_>, address: &Address, account: &AccountOverride) -> Result<(), OverrideError> {
    let AccountOverride { balance, nonce, code, state: storage, state_diff, .. } = account;
    if storage.is_some() && state_diff.is_some() {
        return Err(OverrideError::StateAndDiff(*address));
    }
    if balance.is_none() && nonce.is_none() && code.is_none() && storage.is_none() && state_diff.is_none() {
        return Ok(());
    }
    let mut info = state.account(address)?.map(|found| found.info).unwrap_or_default();
    info.balance = balance.unwrap_or(info.balance);
    info.nonce = nonce.map_or(info.nonce, |nonce| nonce.to());
    if let Some(code) = code {
        info.code_hash = if code.is_empty() { EMPTY_CODE_HASH } else { keccak256(code) };
    }
    let number = |word: &B256| U256::from_be_bytes(word.0);
    let slots = storage.iter().chain(state_diff).flatten().map(|(slot, value)| (number(slot), number(value)));
    let written = Written {
        info: Some(info),
        storage_cleared: storage.is_some(),
        slots: slots.collect(),
        code: code.as_ref().map(|code| (info.code_hash, &code[..])),
    };
    Ok(state.write(address, written)?)
}
