//! Accounts and their storage after a block.

use std::collections::BTreeMap;

use alloy_eips::BlockId;
use alloy_primitives::{Address, B256, Bytes, U64, U256, keccak256};
use balsa_state::{Account, EMPTY_CODE_HASH, State, StateError};

use super::{
    block_id::{kept_block, pending},
    storage_key::StorageKey,
};
use crate::{Context, Methods, Params, RpcError};

/// Slots that one call may ask for.
pub(crate) const SLOTS_MAX: usize = 1024;

pub(crate) fn register(methods: &mut Methods) {
    methods.add("eth_getBalance", 2, balance);
    methods.add("eth_getCode", 2, code);
    methods.add("eth_getStorageAt", 3, storage_at);
    methods.add("eth_getStorageValues", 2, storage_values);
    methods.add("eth_getTransactionCount", 2, transaction_count);
}

impl From<StateError> for RpcError {
    fn from(error: StateError) -> Self {
        Self::internal(error)
    }
}

fn balance(context: &Context, mut params: Params) -> Result<U256, RpcError> {
    let address = params.required("address")?;
    let state = state_at(context, params.optional("block")?)?;
    Ok(account(&state, &address)?.balance)
}

fn code(context: &Context, mut params: Params) -> Result<Bytes, RpcError> {
    let address = params.required("address")?;
    let state = state_at(context, params.optional("block")?)?;
    match account(&state, &address)?.code_hash {
        EMPTY_CODE_HASH => Ok(Bytes::new()),
        code_hash => Ok(state.code(&code_hash)?),
    }
}

fn storage_at(context: &Context, mut params: Params) -> Result<B256, RpcError> {
    let address: Address = params.required("address")?;
    let key: StorageKey = params.required("key")?;
    let state = state_at(context, params.optional("block")?)?;
    slot(&state, &address, &key)
}

/// Many slots of many accounts at once.
fn storage_values(context: &Context, mut params: Params) -> Result<BTreeMap<Address, Vec<B256>>, RpcError> {
    let wanted: BTreeMap<Address, Vec<StorageKey>> = params.required("requests")?;
    let count: usize = wanted.values().map(Vec::len).sum();
    if count == 0 {
        return Err(RpcError::invalid_params("empty request"));
    }
    if count > SLOTS_MAX {
        return Err(RpcError::invalid_params(format!("too many slots: {count}, limit {SLOTS_MAX}")));
    }
    let state = state_at(context, params.optional("block")?)?;
    let values = |(address, keys): (Address, Vec<StorageKey>)| {
        let values: Result<_, RpcError> = keys.iter().map(|key| slot(&state, &address, key)).collect();
        Ok((address, values?))
    };
    wanted.into_iter().map(values).collect()
}

/// The account's nonce; with `pending`, that of the sender's next transaction, those that wait counted.
fn transaction_count(context: &Context, mut params: Params) -> Result<U64, RpcError> {
    let address = params.required("address")?;
    let block: Option<BlockId> = params.optional("block")?;
    if block.is_some_and(|block| block.is_pending())
        && let Some(next) = context.node.pool().next_nonce(&address)
    {
        return Ok(U64::from(next));
    }
    let state = state_at(context, block)?;
    Ok(U64::from(account(&state, &address)?.nonce))
}

/// The state after a block, also after one that is being built.
///
/// # Errors
/// As [`kept_block`].
pub(crate) fn state_at(context: &Context, block: Option<BlockId>) -> Result<State, RpcError> {
    if let Some(pending) = pending(context, block) {
        return Ok(pending.state.state);
    }
    let (view, kept) = kept_block(context, block)?;
    view.state(&kept.hash()).ok_or_else(|| RpcError::internal("a kept block has no state"))
}

pub(crate) fn account(state: &State, address: &Address) -> Result<Account, RpcError> {
    Ok(state.account(&keccak256(address))?.unwrap_or_default())
}

fn slot(state: &State, address: &Address, key: &StorageKey) -> Result<B256, RpcError> {
    Ok(state.slot(&keccak256(address), &keccak256(key.slot))?.into())
}
