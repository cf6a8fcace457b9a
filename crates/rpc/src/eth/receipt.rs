//! Receipts as callers see them.

use alloy_consensus::{ReceiptEnvelope, ReceiptWithBloom, Transaction as _, TxReceipt};
use alloy_eips::BlockId;
use alloy_primitives::B256;
use alloy_rpc_types_eth::{Log, TransactionReceipt};
use balsa_chain::ChainView;
use balsa_chainspec::{Rules, blob_base_fee};
use balsa_executor::{Receipt, SealedBlock, recover_sender};

use super::{
    block_id::hash_of,
    transaction::{Found, find},
};
use crate::{Context, Methods, Params, RpcError};

/// A receipt, with what callers want to know of its transaction and block.
pub(crate) type RpcReceipt = TransactionReceipt<ReceiptEnvelope<Log>>;

pub(crate) fn register(methods: &mut Methods) {
    methods.add("eth_getTransactionReceipt", 1, receipt);
    methods.add("eth_getBlockReceipts", 1, block_receipts);
}

fn receipt(context: &Context, mut params: Params) -> Result<Option<RpcReceipt>, RpcError> {
    receipt_of(context, &params.hash("hash")?)
}

/// The receipt of a canonical transaction.
pub(crate) fn receipt_of(context: &Context, hash: &B256) -> Result<Option<RpcReceipt>, RpcError> {
    let Some(Found { view, block, index }) = find(context, hash)? else { return Ok(None) };
    let Some(receipts) = ReceiptsOf::read(&view, &block)? else { return Ok(None) };
    receipts.at(index)
}

fn block_receipts(context: &Context, mut params: Params) -> Result<Option<Vec<RpcReceipt>>, RpcError> {
    let id: BlockId = params.required("block")?;
    let view = context.node.view();
    let Some(hash) = hash_of(&view, id)? else { return Ok(None) };
    receipts_of(&view, &hash)
}

/// The receipts of a block.
pub(crate) fn receipts_of(view: &ChainView, hash: &B256) -> Result<Option<Vec<RpcReceipt>>, RpcError> {
    let Some(block) = view.block(hash)? else { return Ok(None) };
    let Some(receipts) = ReceiptsOf::read(view, &block)? else { return Ok(None) };
    let receipts: Result<_, _> =
        (0..block.transactions.len()).filter_map(|index| receipts.at(index).transpose()).collect();
    receipts.map(Some)
}

/// A block with its receipts.
struct ReceiptsOf<'b> {
    block: &'b SealedBlock,
    receipts: std::sync::Arc<Vec<Receipt>>,
    rules: Rules,
}

impl<'b> ReceiptsOf<'b> {
    fn read(view: &ChainView, block: &'b SealedBlock) -> Result<Option<Self>, RpcError> {
        let rules = view.spec().rules_of(&block.header);
        Ok(view.receipts(&block.hash)?.map(|receipts| Self { block, receipts, rules }))
    }

    fn at(&self, index: usize) -> Result<Option<RpcReceipt>, RpcError> {
        let header = &self.block.header;
        let (Some(transaction), Some(receipt)) = (self.block.transactions.get(index), self.receipts.get(index)) else {
            return Ok(None);
        };
        let from = recover_sender(&self.rules, transaction).map_err(RpcError::internal)?;
        let before = index.checked_sub(1).and_then(|before| self.receipts.get(before));
        let gas_before = before.map_or(0, |receipt| receipt.cumulative_gas_used());
        let blob_gas_used = transaction.blob_gas_used();
        Ok(Some(TransactionReceipt {
            inner: self.with_positions(index, *transaction.tx_hash(), receipt),
            transaction_hash: *transaction.tx_hash(),
            transaction_index: Some(index as u64),
            block_hash: Some(self.block.hash),
            block_number: Some(header.number),
            gas_used: receipt.cumulative_gas_used().saturating_sub(gas_before),
            effective_gas_price: transaction.effective_gas_price(header.base_fee_per_gas),
            blob_gas_used,
            blob_gas_price: blob_gas_used.and(self.blob_gas_price()),
            from,
            to: transaction.to(),
            contract_address: transaction.to().is_none().then(|| from.create(transaction.nonce())),
        }))
    }

    fn blob_gas_price(&self) -> Option<u128> {
        Some(blob_base_fee(&self.rules.blobs?, self.block.header.excess_blob_gas?))
    }

    /// The receipt, its logs with where they stand.
    fn with_positions(&self, index: usize, transaction_hash: B256, receipt: &Receipt) -> ReceiptEnvelope<Log> {
        let before: usize = self.receipts.iter().take(index).map(|receipt| receipt.logs().len()).sum();
        let mut log_index = before as u64;
        let logs = receipt.logs().iter().map(|log| {
            log_index += 1;
            Log {
                inner: log.clone(),
                block_hash: Some(self.block.hash),
                block_number: Some(self.block.header.number),
                block_timestamp: Some(self.block.header.timestamp),
                transaction_hash: Some(transaction_hash),
                transaction_index: Some(index as u64),
                log_index: Some(log_index - 1),
                removed: false,
            }
        });
        let with_logs = alloy_consensus::Receipt {
            status: receipt.status_or_post_state(),
            cumulative_gas_used: receipt.cumulative_gas_used(),
            logs: logs.collect(),
        };
        envelope(receipt, ReceiptWithBloom::new(with_logs, receipt.bloom()))
    }
}

fn envelope(of: &Receipt, receipt: ReceiptWithBloom<alloy_consensus::Receipt<Log>>) -> ReceiptEnvelope<Log> {
    match of {
        ReceiptEnvelope::Legacy(_) => ReceiptEnvelope::Legacy(receipt),
        ReceiptEnvelope::Eip2930(_) => ReceiptEnvelope::Eip2930(receipt),
        ReceiptEnvelope::Eip1559(_) => ReceiptEnvelope::Eip1559(receipt),
        ReceiptEnvelope::Eip4844(_) => ReceiptEnvelope::Eip4844(receipt),
        ReceiptEnvelope::Eip7702(_) => ReceiptEnvelope::Eip7702(receipt),
    }
}
