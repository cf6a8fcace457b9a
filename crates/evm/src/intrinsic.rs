//! What a transaction costs before its first instruction.

use alloy_consensus::Transaction as _;
use alloy_primitives::Address;
use balsa_chainspec::{Fork, Rules};
use revm::context_interface::cfg::{gas::calculate_initial_tx_gas, gas_params::Eip2780TxInfo};

use crate::{Transaction, environment::spec_id};

/// The gas that a transaction's limit must cover for it to run at all. What the interpreter checks, for whoever judges
/// transactions without running them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntrinsicGas {
    /// Paid at the start (Yellow Paper, section 6; EIP-2028, EIP-2930, EIP-3860, EIP-7702, EIP-2780).
    pub initial: u64,
    /// Paid at least, for the data (EIP-7623, EIP-7976, EIP-7981); zero before Prague.
    pub floor: u64,
}

/// The intrinsic gas of a transaction under a block's rules.
pub fn intrinsic_gas(rules: &Rules, transaction: &Transaction, sender: Address) -> IntrinsicGas {
    let spec = spec_id(rules.fork);
    let access_list = transaction.access_list().map(|list| list.0.as_slice()).unwrap_or_default();
    let slots: usize = access_list.iter().map(|item| item.storage_keys.len()).sum();
    let authorizations = transaction.authorization_list().map_or(0, <[_]>::len);
    let parts = rules
        .has(Fork::Amsterdam)
        .then(|| Eip2780TxInfo { value: transaction.value(), is_self_transfer: transaction.to() == Some(sender) });
    let gas = calculate_initial_tx_gas(
        spec,
        transaction.input(),
        transaction.is_create(),
        access_list.len() as u64,
        slots as u64,
        authorizations as u64,
        parts,
    );
    let floor = if rules.has(Fork::Prague) { gas.floor_gas() } else { 0 };
    IntrinsicGas { initial: gas.initial_total_gas(), floor }
}
