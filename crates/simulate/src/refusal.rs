//! A transaction of a call that may not stand in its block.

use std::fmt;

use alloy_consensus::Transaction as _;
use alloy_primitives::Address;
use balsa_evm::{InvalidTransaction, Transaction};

/// Why a call's transaction could not be run, with what is needed to say it as tools expect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The rule.
    pub reason: InvalidTransaction,
    sender: Address,
    gas_limit: u64,
    fee_cap: u128,
    tip_cap: u128,
    base_fee: u64,
}

impl Refusal {
    pub(crate) fn new(reason: InvalidTransaction, transaction: &Transaction, sender: Address, base_fee: u64) -> Self {
        let (fee_cap, tip_cap) = (transaction.max_fee_per_gas(), transaction.max_priority_fee_per_gas());
        let tip_cap = tip_cap.unwrap_or(fee_cap);
        Self { reason, sender, gas_limit: transaction.gas_limit(), fee_cap, tip_cap, base_fee }
    }

    /// Whether more gas might help.
    pub(crate) fn is_for_lack_of_gas(&self) -> bool {
        use InvalidTransaction::{FloorGas, IntrinsicGas};
        matches!(self.reason, IntrinsicGas { .. } | FloorGas { .. })
    }

    /// The JSON-RPC error code that eth_simulateV1 has for the rule.
    pub fn simulate_code(&self) -> i32 {
        use InvalidTransaction as Rule;
        match self.reason {
            Rule::NonceTooLow { .. } => -38010,
            Rule::NonceTooHigh { .. } => -38011,
            Rule::FeeBelowBaseFee => -38012,
            Rule::IntrinsicGas { .. } | Rule::FloorGas { .. } => -38013,
            Rule::InsufficientFunds { .. } | Rule::CostOverflow => -38014,
            Rule::GasLimitAboveBlock => -38015,
            Rule::SenderHasCode => -38024,
            Rule::InitcodeSize => -38025,
            Rule::PriorityFeeAboveMaxFee => -32602,
            _ => -32603,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use InvalidTransaction as Rule;
        let Self { reason, sender, gas_limit, fee_cap, tip_cap, base_fee } = self;
        f.write_str("err: ")?;
        match reason {
            Rule::NonceTooHigh { transaction, sender: state } => {
                write!(f, "nonce too high: address {sender}, tx: {transaction} state: {state}")
            }
            Rule::NonceTooLow { transaction, sender: state } => {
                write!(f, "nonce too low: address {sender}, tx: {transaction} state: {state}")
            }
            Rule::NonceMax => write!(f, "nonce has max value: address {sender}, nonce: {}", u64::MAX),
            Rule::FeeBelowBaseFee => write!(
                f,
                "max fee per gas less than block base fee: address {sender}, maxFeePerGas: {fee_cap}, \
                 baseFee: {base_fee}"
            ),
            Rule::PriorityFeeAboveMaxFee => write!(
                f,
                "max priority fee per gas higher than max fee per gas: address {sender}, \
                 maxPriorityFeePerGas: {tip_cap}, maxFeePerGas: {fee_cap}"
            ),
            Rule::IntrinsicGas { intrinsic, gas_limit } => {
                write!(f, "intrinsic gas too low: have {gas_limit}, want {intrinsic}")
            }
            Rule::FloorGas { floor, gas_limit } => {
                write!(f, "insufficient gas for floor data gas cost: have {gas_limit}, want {floor}")
            }
            Rule::InsufficientFunds { cost, balance } => {
                write!(f, "insufficient funds for gas * price + value: address {sender} have {balance} want {cost}")
            }
            Rule::InitcodeSize => f.write_str("max initcode size exceeded"),
            other => write!(f, "{other}"),
        }?;
        write!(f, " (supplied gas {gas_limit})")
    }
}
