//! Gas that a block has given out: the one admission function.

use balsa_chainspec::{Fork, Rules};
use thiserror::Error;

/// Gas of one transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TransactionGas {
    /// What the sender paid for, after refunds: what receipts add up.
    pub used: u64,
    /// What counts against the block in the regular dimension: without refunds (EIP-7778).
    pub regular: u64,
    /// What counts against the block in the state dimension (EIP-8037).
    pub state: u64,
}

/// A transaction does not fit into what is left of the block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AdmissionError {
    /// Regular gas, the only dimension before Amsterdam.
    #[error("transaction wants {wanted} gas, the block has {available} left")]
    Gas {
        /// The transaction's gas limit, capped as EIP-8037 says.
        wanted: u64,
        /// What the block has left.
        available: u64,
    },
    /// State gas (EIP-8037).
    #[error("transaction wants {wanted} state gas, the block has {available} left")]
    StateGas {
        /// The transaction's gas limit.
        wanted: u64,
        /// What the block has left.
        available: u64,
    },
}

/// The gas counters of a block in progress, in transaction order.
#[derive(Clone, Copy, Debug)]
pub struct BlockGas {
    limit: u64,
    two_dimensions: bool,
    regular_max: u64,
    receipts: u64,
    regular: u64,
    state: u64,
}

impl BlockGas {
    /// An empty block.
    pub fn new(rules: &Rules, gas_limit: u64) -> Self {
        Self {
            limit: gas_limit,
            two_dimensions: rules.has(Fork::Amsterdam),
            regular_max: balsa_chainspec::TRANSACTION_GAS_LIMIT_CAP,
            receipts: 0,
            regular: 0,
            state: 0,
        }
    }

    /// Whether a transaction of this gas limit may come next.
    ///
    /// Before Amsterdam the limit must fit into what receipts have left of the block (Yellow Paper, section 6.2). With
    /// EIP-8037 its capped part must fit into the regular dimension and the whole of it into the state dimension.
    pub fn admit(&self, transaction_gas_limit: u64) -> Result<(), AdmissionError> {
        if !self.two_dimensions {
            let available = self.limit.saturating_sub(self.receipts);
            return fits(transaction_gas_limit, available).map_err(|wanted| AdmissionError::Gas { wanted, available });
        }
        let available = self.limit.saturating_sub(self.regular);
        fits(transaction_gas_limit.min(self.regular_max), available)
            .map_err(|wanted| AdmissionError::Gas { wanted, available })?;
        let available = self.limit.saturating_sub(self.state);
        fits(transaction_gas_limit, available).map_err(|wanted| AdmissionError::StateGas { wanted, available })
    }

    /// The largest gas limit that [`admit`](Self::admit) would take next.
    pub fn remaining(&self) -> u64 {
        if !self.two_dimensions {
            return self.limit.saturating_sub(self.receipts);
        }
        let regular = self.limit.saturating_sub(self.regular);
        let state = self.limit.saturating_sub(self.state);
        // A gas limit counts against the regular dimension by its capped part only.
        if regular >= self.regular_max { state } else { state.min(regular) }
    }

    /// Counts a transaction that ran, and returns the cumulative gas for its receipt.
    pub fn add(&mut self, gas: TransactionGas) -> u64 {
        self.receipts = self.receipts.saturating_add(gas.used);
        self.regular = self.regular.saturating_add(gas.regular);
        self.state = self.state.saturating_add(gas.state);
        self.receipts
    }

    /// What the header calls gas used: the larger dimension with EIP-8037, what receipts add up to before.
    pub fn used(&self) -> u64 {
        if self.two_dimensions { self.regular.max(self.state) } else { self.receipts }
    }
}

fn fits(wanted: u64, available: u64) -> Result<(), u64> {
    if wanted <= available { Ok(()) } else { Err(wanted) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: u64 = 60_000_000;
    const CAP: u64 = 1 << 24;

    fn block(fork: Fork, transactions: &[TransactionGas]) -> BlockGas {
        let mut gas = BlockGas::new(&Rules::mainnet(fork), LIMIT);
        for transaction in transactions {
            gas.add(*transaction);
        }
        gas
    }

    #[test]
    fn one_dimension_counts_what_receipts_count() {
        let gas = block(Fork::Osaka, &[TransactionGas { used: LIMIT - 21_000, regular: LIMIT, state: 0 }]);
        assert_eq!(gas.used(), LIMIT - 21_000);
        assert_eq!(gas.remaining(), 21_000);
        assert_eq!(gas.admit(21_000), Ok(()));
        assert_eq!(gas.admit(21_001), Err(AdmissionError::Gas { wanted: 21_001, available: 21_000 }));
    }

    #[test]
    fn two_dimensions_have_a_limit_each() {
        let gas = block(Fork::Amsterdam, &[TransactionGas { used: 1, regular: LIMIT - CAP, state: LIMIT - 2 * CAP }]);
        assert_eq!(gas.used(), LIMIT - CAP, "the larger dimension is the block's gas");
        assert_eq!(gas.admit(2 * CAP), Ok(()), "only the capped part counts against regular gas");
        let wanted = 2 * CAP + 1;
        assert_eq!(gas.admit(wanted), Err(AdmissionError::StateGas { wanted, available: 2 * CAP }));
        assert_eq!(gas.remaining(), 2 * CAP);
        let gas = block(Fork::Amsterdam, &[TransactionGas { used: 1, regular: LIMIT - CAP + 1, state: 0 }]);
        assert_eq!(gas.remaining(), CAP - 1);
        assert_eq!(gas.admit(CAP - 1), Ok(()));
        assert_eq!(gas.admit(CAP), Err(AdmissionError::Gas { wanted: CAP, available: CAP - 1 }));
    }
}
