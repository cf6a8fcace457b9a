//! Receipts, their root and their bloom, as a stream in block order.

use alloy_consensus::{Eip658Value, ReceiptEnvelope, ReceiptWithBloom, TxType};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{B256, Bloom, Log};
use balsa_evm::{BlockGas, Transaction, TransactionResult};
use balsa_trie::OrderedRoot;

/// A receipt of any type, with the bloom of its logs.
pub type Receipt = ReceiptEnvelope;

/// What the header commits to of the receipts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReceiptsSummary {
    /// The receipts, in order.
    pub receipts: Vec<Receipt>,
    /// Root of their trie.
    pub root: B256,
    /// Bloom of all logs.
    pub bloom: Bloom,
}

/// Takes results in block order; counts gas, admits, and hashes as it goes.
pub(crate) struct ReceiptStream {
    pub(crate) gas: BlockGas,
    receipts: Vec<Receipt>,
    root: OrderedRoot,
    bloom: Bloom,
    buffer: Vec<u8>,
}

impl ReceiptStream {
    pub(crate) fn new(gas: BlockGas, count: usize) -> Self {
        let (root, bloom, buffer) = (OrderedRoot::new(count), Bloom::ZERO, Vec::new());
        Self { gas, receipts: Vec::with_capacity(count), root, bloom, buffer }
    }

    /// Adds the receipt of the next transaction. `bloom` is that of its logs; `state_root` stands in for the status
    /// before Byzantium (EIP-658).
    pub(crate) fn push(
        &mut self,
        transaction: &Transaction,
        result: TransactionResult,
        bloom: Bloom,
        state_root: Option<B256>,
    ) {
        let cumulative_gas_used = self.gas.add(result.gas);
        let status = state_root.map_or(Eip658Value::Eip658(result.success), Eip658Value::PostState);
        let receipt = alloy_consensus::Receipt { status, cumulative_gas_used, logs: result.logs };
        let receipt = envelope(transaction.tx_type(), ReceiptWithBloom::new(receipt, bloom));
        self.buffer.clear();
        receipt.encode_2718(&mut self.buffer);
        self.root.push(&self.buffer);
        self.bloom |= bloom;
        self.receipts.push(receipt);
    }

    pub(crate) fn receipts(&self) -> &[Receipt] {
        &self.receipts
    }

    pub(crate) fn finish(self) -> (BlockGas, ReceiptsSummary) {
        (self.gas, ReceiptsSummary { receipts: self.receipts, root: self.root.finish(), bloom: self.bloom })
    }
}

fn envelope(transaction_type: TxType, receipt: ReceiptWithBloom<alloy_consensus::Receipt>) -> Receipt {
    match transaction_type {
        TxType::Legacy => ReceiptEnvelope::Legacy(receipt),
        TxType::Eip2930 => ReceiptEnvelope::Eip2930(receipt),
        TxType::Eip1559 => ReceiptEnvelope::Eip1559(receipt),
        TxType::Eip4844 => ReceiptEnvelope::Eip4844(receipt),
        TxType::Eip7702 => ReceiptEnvelope::Eip7702(receipt),
    }
}

/// The bloom of a transaction's logs (Yellow Paper, section 4.3.1).
pub(crate) fn bloom_of(logs: &[Log]) -> Bloom {
    let inputs: Vec<&[u8]> = logs
        .iter()
        .flat_map(|log| {
            std::iter::once(log.address.as_slice()).chain(log.topics().iter().map(|topic| topic.as_slice()))
        })
        .collect();
    let mut hashes = vec![B256::ZERO; inputs.len()];
    balsa_keccak::keccak256_many(&inputs, &mut hashes);
    let mut bloom = Bloom::ZERO;
    for hash in hashes {
        for pair in hash[..6].chunks_exact(2) {
            let bit = u16::from_be_bytes([pair[0], pair[1]]) as usize & 0x7ff;
            bloom.0[Bloom::len_bytes() - 1 - bit / 8] |= 1 << (bit % 8);
        }
    }
    bloom
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{Address, BloomInput, LogData};

    use super::*;

    #[test]
    fn bloom_is_that_of_address_and_topics() {
        let topics = vec![B256::repeat_byte(3), B256::repeat_byte(9)];
        let data = LogData::new_unchecked(topics.clone(), Default::default());
        let log = Log { address: Address::repeat_byte(7), data };
        let mut expected = Bloom::ZERO;
        expected.accrue(BloomInput::Raw(log.address.as_slice()));
        topics.iter().for_each(|topic| expected.accrue(BloomInput::Raw(topic.as_slice())));
        assert_eq!(bloom_of(&[log]), expected);
    }
}
