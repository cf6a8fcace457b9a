//! Transactions as callers see them.

use std::sync::Arc;

use alloy_consensus::{Transaction as _, transaction::Recovered};
use alloy_eips::{BlockId, BlockNumberOrTag, eip2718::Encodable2718};
use alloy_primitives::{B256, Bytes, U64};
use alloy_rpc_types_eth::Transaction;
use balsa_chain::ChainView;
use balsa_chainspec::ChainSpec;
use balsa_evm::Transaction as SignedTransaction;
use balsa_executor::{SealedBlock, recover_sender};
use balsa_node::TransactionLookupError;
use balsa_txpool::PoolTransaction;

use super::block_id::hash_of;
use crate::{Context, Methods, Params, RpcError};

/// A transaction, with where it stands.
pub(crate) type RpcTransaction = Transaction<SignedTransaction>;

pub(crate) fn register(methods: &mut Methods) {
    methods.add("eth_getTransactionByHash", 1, by_hash);
    methods.add("eth_getTransactionByBlockHashAndIndex", 2, by_block_hash);
    methods.add("eth_getTransactionByBlockNumberAndIndex", 2, by_block_number);
    methods.add("eth_getRawTransactionByHash", 1, raw_by_hash);
}

impl From<TransactionLookupError> for RpcError {
    fn from(error: TransactionLookupError) -> Self {
        Self::internal(error)
    }
}

fn by_hash(context: &Context, mut params: Params) -> Result<Option<RpcTransaction>, RpcError> {
    let hash = params.hash("hash")?;
    if let Some(Found { view, block, index }) = find(context, &hash)? {
        return in_block(view.spec(), &block, index);
    }
    Ok(context.node.pool().get(&hash).map(|transaction| pending(&transaction)))
}

fn by_block_hash(context: &Context, mut params: Params) -> Result<Option<RpcTransaction>, RpcError> {
    let hash = params.hash("hash")?;
    by_index(context, hash.into(), params.required("index")?)
}

fn by_block_number(context: &Context, mut params: Params) -> Result<Option<RpcTransaction>, RpcError> {
    let number: BlockNumberOrTag = params.required("block")?;
    by_index(context, number.into(), params.required("index")?)
}

/// The encoding of a transaction; of one that waits, with its blobs.
pub(crate) fn raw_by_hash(context: &Context, mut params: Params) -> Result<Option<Bytes>, RpcError> {
    let hash = params.hash("hash")?;
    if let Some(Found { block, index, .. }) = find(context, &hash)? {
        return Ok(block.transactions.get(index).map(|transaction| transaction.encoded_2718().into()));
    }
    Ok(context.node.pool().get(&hash).map(|transaction| transaction.encoded().into()))
}

fn by_index(context: &Context, block: BlockId, index: U64) -> Result<Option<RpcTransaction>, RpcError> {
    let view = context.node.view();
    let Some(hash) = hash_of(&view, block)? else { return Ok(None) };
    let Some(block) = view.block(&hash)? else { return Ok(None) };
    let Ok(index) = usize::try_from(index.to::<u64>()) else { return Ok(None) };
    in_block(view.spec(), &block, index)
}

/// A canonical transaction's place.
pub(crate) struct Found {
    pub(crate) view: Arc<ChainView>,
    pub(crate) block: Arc<SealedBlock>,
    /// Position in the block.
    pub(crate) index: usize,
}

/// Where a canonical transaction is.
pub(crate) fn find(context: &Context, hash: &B256) -> Result<Option<Found>, RpcError> {
    let Some(found) = context.node.transaction(hash)? else { return Ok(None) };
    let view = context.node.view();
    let block = view.block(&found.block.hash)?;
    Ok(block.map(|block| Found { view, block, index: found.index }))
}

/// All transactions of a block.
pub(crate) fn transactions_of(spec: &ChainSpec, block: &SealedBlock) -> Result<Vec<RpcTransaction>, RpcError> {
    (0..block.transactions.len()).filter_map(|index| in_block(spec, block, index).transpose()).collect()
}

fn in_block(spec: &ChainSpec, block: &SealedBlock, index: usize) -> Result<Option<RpcTransaction>, RpcError> {
    let Some(transaction) = block.transactions.get(index) else { return Ok(None) };
    let header = &block.header;
    let sender = recover_sender(&spec.rules_of(header), transaction).map_err(RpcError::internal)?;
    Ok(Some(Transaction {
        inner: Recovered::new_unchecked(transaction.clone(), sender),
        block_hash: Some(block.hash),
        block_number: Some(header.number),
        transaction_index: Some(index as u64),
        effective_gas_price: Some(transaction.effective_gas_price(header.base_fee_per_gas)),
        block_timestamp: Some(header.timestamp),
    }))
}

/// A transaction that waits.
pub(crate) fn pending(transaction: &PoolTransaction) -> RpcTransaction {
    Transaction {
        inner: Recovered::new_unchecked(transaction.transaction.clone(), transaction.sender),
        block_hash: None,
        block_number: None,
        transaction_index: None,
        effective_gas_price: None,
        block_timestamp: None,
    }
}
