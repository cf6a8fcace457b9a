//! A block as the store has it, and back. Layouts in the storage crate's FORMAT.md.

use alloy_consensus::{
    BlockBody, Eip658Value, Header, Receipt as ReceiptWithoutBloom, ReceiptEnvelope, ReceiptWithBloom, TxReceipt,
    TxType,
};
use alloy_primitives::{Bytes, Log};
use alloy_rlp::{BufMut, Decodable, Encodable, Header as RlpHeader};
use balsa_evm::Transaction;
use balsa_executor::{Receipt, SealedBlock};
use balsa_storage::{BlockPointer, BlockRecord};

use crate::{KeptBlock, LookupError};

/// The record of a block.
pub(crate) fn record(kept: &KeptBlock) -> BlockRecord {
    BlockRecord {
        hash: kept.hash(),
        header: kept.block.header.clone(),
        body: encode_body(&kept.block),
        receipts: encode_receipts(&kept.receipts),
        list: kept.list.clone(),
    }
}

fn encode_body(block: &SealedBlock) -> Bytes {
    let fields: [&dyn Encodable; 2] = [&block.transactions, &block.ommers];
    let withdrawals = block.withdrawals.as_ref();
    let payload_length = fields.iter().map(|field| field.length()).sum::<usize>()
        + withdrawals.map_or(0, |withdrawals| withdrawals.length());
    let mut out = Vec::with_capacity(payload_length + 9);
    RlpHeader { list: true, payload_length }.encode(&mut out);
    fields.iter().for_each(|field| field.encode(&mut out));
    if let Some(withdrawals) = withdrawals {
        withdrawals.encode(&mut out);
    }
    out.into()
}

/// The block of a stored header and body.
pub(crate) fn decode_block(block: BlockPointer, header: Header, body: &[u8]) -> Result<SealedBlock, LookupError> {
    let malformed = |error| LookupError::Malformed { what: "body", block, error };
    let BlockBody { transactions, ommers, withdrawals } =
        exactly(body, BlockBody::<Transaction>::decode).map_err(malformed)?;
    Ok(SealedBlock::from_parts(header, transactions, ommers, withdrawals))
}

/// RLP of receipts without blooms: `[[type, status or root, cumulative gas, logs], …]` (EIP-7642).
fn encode_receipts(receipts: &[Receipt]) -> Bytes {
    let payload_length = receipts.iter().map(|receipt| StoredReceipt(receipt).length()).sum();
    let mut out = Vec::with_capacity(payload_length + 9);
    RlpHeader { list: true, payload_length }.encode(&mut out);
    receipts.iter().for_each(|receipt| StoredReceipt(receipt).encode(&mut out));
    out.into()
}

/// Receipts with their blooms, computed again.
pub(crate) fn decode_receipts(block: BlockPointer, bytes: &[u8]) -> Result<Vec<Receipt>, LookupError> {
    let malformed = |error| LookupError::Malformed { what: "receipts", block, error };
    let receipts = exactly(bytes, |bytes| {
        let mut list = RlpHeader::decode_bytes(bytes, true)?;
        let mut receipts = Vec::new();
        while !list.is_empty() {
            receipts.push(decode_receipt(&mut list)?);
        }
        Ok(receipts)
    });
    receipts.map_err(malformed)
}

struct StoredReceipt<'a>(&'a Receipt);

impl StoredReceipt<'_> {
    fn payload_length(&self) -> usize {
        let Self(receipt) = self;
        let status = receipt.status_or_post_state().length();
        (receipt.tx_type() as u8).length() + status + receipt.cumulative_gas_used().length() + logs(receipt).length()
    }
}

impl Encodable for StoredReceipt<'_> {
    fn encode(&self, out: &mut dyn BufMut) {
        let Self(receipt) = self;
        RlpHeader { list: true, payload_length: self.payload_length() }.encode(out);
        (receipt.tx_type() as u8).encode(out);
        receipt.status_or_post_state().encode(out);
        receipt.cumulative_gas_used().encode(out);
        logs(receipt).encode(out);
    }

    fn length(&self) -> usize {
        let payload_length = self.payload_length();
        RlpHeader { list: true, payload_length }.length() + payload_length
    }
}

fn logs(receipt: &Receipt) -> &Vec<Log> {
    match receipt {
        ReceiptEnvelope::Legacy(receipt)
        | ReceiptEnvelope::Eip2930(receipt)
        | ReceiptEnvelope::Eip1559(receipt)
        | ReceiptEnvelope::Eip4844(receipt)
        | ReceiptEnvelope::Eip7702(receipt) => &receipt.receipt.logs,
    }
}

fn decode_receipt(list: &mut &[u8]) -> alloy_rlp::Result<Receipt> {
    let mut fields = RlpHeader::decode_bytes(list, true)?;
    let kind = TxType::try_from(u8::decode(&mut fields)?).map_err(|_| alloy_rlp::Error::Custom("transaction type"))?;
    let status = Eip658Value::decode(&mut fields)?;
    let cumulative_gas_used = u64::decode(&mut fields)?;
    let logs = Vec::<Log>::decode(&mut fields)?;
    if !fields.is_empty() {
        return Err(alloy_rlp::Error::UnexpectedLength);
    }
    let receipt: ReceiptWithBloom<_> = ReceiptWithoutBloom { status, cumulative_gas_used, logs }.into_with_bloom();
    Ok(match kind {
        TxType::Legacy => ReceiptEnvelope::Legacy(receipt),
        TxType::Eip2930 => ReceiptEnvelope::Eip2930(receipt),
        TxType::Eip1559 => ReceiptEnvelope::Eip1559(receipt),
        TxType::Eip4844 => ReceiptEnvelope::Eip4844(receipt),
        TxType::Eip7702 => ReceiptEnvelope::Eip7702(receipt),
    })
}

/// Decodes all of `bytes`.
fn exactly<T>(mut bytes: &[u8], decode: impl FnOnce(&mut &[u8]) -> alloy_rlp::Result<T>) -> alloy_rlp::Result<T> {
    let value = decode(&mut bytes)?;
    if bytes.is_empty() { Ok(value) } else { Err(alloy_rlp::Error::UnexpectedLength) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{Address, B256, LogData};

    fn receipt(status: Eip658Value, cumulative_gas_used: u64, count: u8) -> ReceiptWithBloom<ReceiptWithoutBloom> {
        let log = |n: u8| Log {
            address: Address::repeat_byte(n),
            data: LogData::new_unchecked(vec![B256::repeat_byte(n); usize::from(n % 5)], vec![n; 40].into()),
        };
        ReceiptWithoutBloom { status, cumulative_gas_used, logs: (0..count).map(log).collect() }.into_with_bloom()
    }

    #[test]
    fn receipts_come_back_with_their_blooms() {
        let block = BlockPointer { number: 1, hash: B256::ZERO };
        let receipts = vec![
            ReceiptEnvelope::Legacy(receipt(Eip658Value::PostState(B256::repeat_byte(7)), 21_000, 0)),
            ReceiptEnvelope::Legacy(receipt(Eip658Value::Eip658(true), 30_000, 1)),
            ReceiptEnvelope::Eip2930(receipt(Eip658Value::Eip658(false), 40_000, 2)),
            ReceiptEnvelope::Eip1559(receipt(Eip658Value::Eip658(true), 50_000, 3)),
            ReceiptEnvelope::Eip4844(receipt(Eip658Value::Eip658(true), 60_000, 4)),
            ReceiptEnvelope::Eip7702(receipt(Eip658Value::Eip658(true), u64::MAX, 5)),
        ];
        let stored = encode_receipts(&receipts);
        assert_eq!(decode_receipts(block, &stored).unwrap(), receipts);
        for length in 0..stored.len() {
            assert!(decode_receipts(block, &stored[..length]).is_err(), "{length}");
        }
    }
}
