//! Blocks as callers see them.

use alloy_consensus::Header as ConsensusHeader;
use alloy_eips::{BlockId, BlockNumberOrTag};
use alloy_primitives::{B256, U64, U256};
use alloy_rpc_types_eth::{Block, BlockTransactions, Header, Transaction};
use balsa_chain::ChainView;
use balsa_chainspec::ChainSpec;
use balsa_evm::Transaction as SignedTransaction;
use balsa_executor::SealedBlock;
use balsa_node::PendingBlock;
use serde::Serialize;
use serde_json::Value;

use super::{
    block_id::{hash_of, hash_of_number, pending},
    transaction::transactions_of,
};
use crate::{Context, Methods, Params, RpcError};

/// A block, with its transactions or their hashes.
pub(crate) type RpcBlock = Block<Transaction<SignedTransaction>>;

pub(crate) fn register(methods: &mut Methods) {
    methods.add("eth_getBlockByHash", 2, block_by_hash);
    methods.add("eth_getBlockByNumber", 2, block_by_number);
    methods.add("eth_getBlockTransactionCountByHash", 1, transaction_count_by_hash);
    methods.add("eth_getBlockTransactionCountByNumber", 1, transaction_count_by_number);
    methods.add("eth_getUncleCountByBlockHash", 1, uncle_count_by_hash);
    methods.add("eth_getUncleCountByBlockNumber", 1, uncle_count_by_number);
    methods.add("eth_getUncleByBlockHashAndIndex", 2, uncle_by_hash);
    methods.add("eth_getUncleByBlockNumberAndIndex", 2, uncle_by_number);
}

fn block_by_hash(context: &Context, mut params: Params) -> Result<Option<RpcBlock>, RpcError> {
    let hash = params.hash("hash")?;
    let full = params.optional("full")?.unwrap_or_default();
    rpc_block(&context.node.view(), Some(hash), full)
}

fn block_by_number(context: &Context, mut params: Params) -> Result<Option<ShownBlock>, RpcError> {
    let number: BlockNumberOrTag = params.required("block")?;
    let full = params.optional("full")?.unwrap_or_default();
    let view = context.node.view();
    if let Some(PendingBlock { block, .. }) = pending(context, Some(number.into())) {
        return Ok(Some(ShownBlock::pending(&shown(view.spec(), &block, full)?)?));
    }
    let hash = hash_of_number(&view, number)?;
    Ok(rpc_block(&view, hash, full)?.map(|block| ShownBlock::Sealed(Box::new(block))))
}

/// A block, or one that is still being made.
#[derive(Serialize)]
#[serde(untagged)]
enum ShownBlock {
    Sealed(Box<RpcBlock>),
    Pending(Value),
}

impl ShownBlock {
    /// What is not settled before a block is sealed is `null`, as geth has it.
    fn pending(block: &RpcBlock) -> Result<Self, RpcError> {
        let mut value = serde_json::to_value(block).map_err(RpcError::internal)?;
        for field in ["hash", "nonce", "miner"] {
            value[field] = Value::Null;
        }
        Ok(Self::Pending(value))
    }
}

fn transaction_count_by_hash(context: &Context, mut params: Params) -> Result<Option<U64>, RpcError> {
    let hash = params.hash("hash")?;
    of_block(context, hash.into(), |block| U64::from(block.transactions.len()))
}

fn transaction_count_by_number(context: &Context, mut params: Params) -> Result<Option<U64>, RpcError> {
    let number: BlockNumberOrTag = params.required("block")?;
    of_block(context, number.into(), |block| U64::from(block.transactions.len()))
}

fn uncle_count_by_hash(context: &Context, mut params: Params) -> Result<Option<U64>, RpcError> {
    let hash = params.hash("hash")?;
    of_block(context, hash.into(), |block| U64::from(block.ommers.len()))
}

fn uncle_count_by_number(context: &Context, mut params: Params) -> Result<Option<U64>, RpcError> {
    let number: BlockNumberOrTag = params.required("block")?;
    of_block(context, number.into(), |block| U64::from(block.ommers.len()))
}

fn uncle_by_hash(context: &Context, mut params: Params) -> Result<Option<RpcBlock>, RpcError> {
    let hash = params.hash("hash")?;
    let index: U64 = params.required("index")?;
    Ok(of_block(context, hash.into(), |block| uncle(block, index))?.flatten())
}

fn uncle_by_number(context: &Context, mut params: Params) -> Result<Option<RpcBlock>, RpcError> {
    let number: BlockNumberOrTag = params.required("block")?;
    let index: U64 = params.required("index")?;
    Ok(of_block(context, number.into(), |block| uncle(block, index))?.flatten())
}

/// An uncle has no transactions, not even an empty list.
fn uncle(block: &SealedBlock, index: U64) -> Option<RpcBlock> {
    let header = block.ommers.get(usize::try_from(index.to::<u64>()).ok()?)?.clone();
    let body = alloy_consensus::Block::<SignedTransaction>::uncle(header.clone());
    let size = alloy_rlp::Encodable::length(&body);
    let header = rpc_header(header.hash_slow(), header, size);
    Some(Block { header, uncles: Vec::new(), transactions: BlockTransactions::Uncle, withdrawals: None })
}

fn of_block<T>(context: &Context, id: BlockId, of: impl FnOnce(&SealedBlock) -> T) -> Result<Option<T>, RpcError> {
    if let Some(PendingBlock { block, .. }) = pending(context, Some(id)) {
        return Ok(Some(of(&block)));
    }
    let view = context.node.view();
    let Some(hash) = hash_of(&view, id)? else { return Ok(None) };
    Ok(view.block(&hash)?.map(|block| of(&block)))
}

/// A block of the view, with its transactions if it is to be `full`.
pub(crate) fn rpc_block(view: &ChainView, hash: Option<B256>, full: bool) -> Result<Option<RpcBlock>, RpcError> {
    let Some(hash) = hash else { return Ok(None) };
    let Some(block) = view.block(&hash)? else { return Ok(None) };
    shown(view.spec(), &block, full).map(Some)
}

fn shown(spec: &ChainSpec, block: &SealedBlock, full: bool) -> Result<RpcBlock, RpcError> {
    let transactions = match full {
        true => BlockTransactions::Full(transactions_of(spec, block)?),
        false => {
            BlockTransactions::Hashes(block.transactions.iter().map(|transaction| *transaction.tx_hash()).collect())
        }
    };
    Ok(Block {
        header: rpc_header(block.hash, block.header.clone(), block.rlp_len),
        uncles: block.ommers.iter().map(ConsensusHeader::hash_slow).collect(),
        transactions,
        withdrawals: block.withdrawals.clone(),
    })
}

/// A header, with the size of its block in bytes.
pub(crate) fn rpc_header(hash: B256, header: ConsensusHeader, block_bytes: usize) -> Header {
    Header { hash, inner: header, total_difficulty: None, size: Some(U256::from(block_bytes)) }
}
