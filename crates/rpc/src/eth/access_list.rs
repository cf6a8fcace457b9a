//! Block access lists ([EIP-7928](https://eips.ethereum.org/EIPS/eip-7928)) as callers see them.

use std::sync::Arc;

use alloy_eips::{BlockId, BlockNumberOrTag};
use alloy_primitives::{Address, B256, Bytes, U64, U256};
use balsa_bal::{AccountChanges, Change, FlatList, Limits, SlotChanges};
use balsa_executor::SealedBlock;
use serde::Serialize;

use super::block_id::hash_of;
use crate::{Context, Methods, Params, RpcError};

/// What a block does to one account, and reads of it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RpcAccountAccess {
    address: Address,
    storage_changes: Vec<RpcSlotChanges>,
    storage_reads: Vec<B256>,
    balance_changes: Vec<RpcChange<U256>>,
    nonce_changes: Vec<RpcChange<U64>>,
    code_changes: Vec<RpcCodeChange>,
}

#[derive(Serialize)]
struct RpcSlotChanges {
    key: B256,
    changes: Vec<RpcChange<B256>>,
}

#[derive(Serialize)]
struct RpcChange<T> {
    index: U64,
    value: T,
}

#[derive(Serialize)]
struct RpcCodeChange {
    index: U64,
    code: Bytes,
}

pub(crate) fn register(methods: &mut Methods) {
    methods.add("eth_getBlockAccessList", 1, |context, mut params| list(context, params.required("block")?));
    methods
        .add("eth_getBlockAccessListByBlockHash", 1, |context, mut params| list(context, params.hash("hash")?.into()));
    methods.add("eth_getBlockAccessListByBlockNumber", 1, |context, mut params| {
        list(context, params.required::<BlockNumberOrTag>("block")?.into())
    });
    methods.add("eth_getBlockAccessListRaw", 1, |context, mut params: Params| {
        raw_list(context, params.required("block")?)
    });
}

/// The list of a block; `null` if there is no such block, or if it has none.
fn list(context: &Context, block: BlockId) -> Result<Option<Vec<RpcAccountAccess>>, RpcError> {
    let Some((block, bytes)) = block_with_list(context, block)? else { return Ok(None) };
    shown(&block, &bytes).map(Some)
}

/// The bytes of a block's list; `null` if there is no such block, or if it has none.
///
/// # Errors
/// 4444 if the block had one that is not kept any more.
pub(crate) fn raw_list(context: &Context, block: BlockId) -> Result<Option<Bytes>, RpcError> {
    Ok(block_with_list(context, block)?.map(|(_, bytes)| bytes))
}

fn block_with_list(context: &Context, id: BlockId) -> Result<Option<(Arc<SealedBlock>, Bytes)>, RpcError> {
    let view = context.node.view();
    let Some(hash) = hash_of(&view, id)? else { return Ok(None) };
    let Some(block) = view.block(&hash)? else { return Ok(None) };
    match view.list(&hash)? {
        Some(bytes) => Ok(Some((block, bytes))),
        None if block.header.block_access_list_hash.is_none() => Ok(None),
        None => Err(RpcError::new(RpcError::PRUNED, "the block's access list is not kept any more")),
    }
}

/// A block's list as its records.
///
/// # Errors
/// Bytes that are no list of such a block.
pub(crate) fn shown(block: &SealedBlock, bytes: &Bytes) -> Result<Vec<RpcAccountAccess>, RpcError> {
    let index_max = u32::try_from(block.transactions.len() + 1).map_err(RpcError::internal)?;
    let limits = Limits { index_max, gas_limit: block.header.gas_limit, code_size_max: usize::MAX };
    let list = FlatList::decode(bytes.clone(), &limits).map_err(RpcError::internal)?;
    Ok(list.to_accounts().into_iter().map(RpcAccountAccess::from).collect())
}

impl From<AccountChanges> for RpcAccountAccess {
    fn from(account: AccountChanges) -> Self {
        let code =
            |change: Change<Bytes>| RpcCodeChange { index: U64::from(change.block_access_index), code: change.post };
        Self {
            address: account.address,
            storage_changes: account.storage_changes.into_iter().map(RpcSlotChanges::from).collect(),
            storage_reads: account.storage_reads.into_iter().map(B256::from).collect(),
            balance_changes: account.balance_changes.into_iter().map(RpcChange::from).collect(),
            nonce_changes: account.nonce_changes.into_iter().map(|change| change.map(U64::from).into()).collect(),
            code_changes: account.code_changes.into_iter().map(code).collect(),
        }
    }
}

impl From<SlotChanges> for RpcSlotChanges {
    fn from(slot: SlotChanges) -> Self {
        let changes = slot.changes.into_iter().map(|change| change.map(B256::from).into()).collect();
        Self { key: slot.slot.into(), changes }
    }
}

impl<T> From<Change<T>> for RpcChange<T> {
    fn from(change: Change<T>) -> Self {
        Self { index: U64::from(change.block_access_index), value: change.post }
    }
}
