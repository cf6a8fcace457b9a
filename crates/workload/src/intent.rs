//! What a transaction is to do, before it is priced and signed.

use alloy_eips::eip2930::AccessList;
use alloy_primitives::{Address, B256, Bytes, TxKind, U256};

use crate::kind::Kind;

/// A transaction in the making.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// What it does.
    pub kind: Kind,
    /// Who signs, by position among the signers.
    pub sender: usize,
    /// The sender's nonce at this point of the chain.
    pub nonce: u64,
    /// The call or the creation.
    pub call: Call,
    /// What the sender adds to the base fee, in wei a gas.
    pub priority_fee: u64,
    /// The transaction's type and what belongs to it alone.
    pub form: Form,
}

/// What is called with how much.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The contract or account, or a creation.
    pub to: TxKind,
    /// Wei sent along.
    pub value: U256,
    /// The call's data or the init code.
    pub input: Bytes,
    /// Gas enough for it under every fork.
    pub gas_limit: u64,
}

/// The transaction's type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// Type 0, with EIP-155.
    Legacy,
    /// Type 1 (EIP-2930).
    AccessList(AccessList),
    /// Type 2 (EIP-1559).
    DynamicFee(AccessList),
    /// Type 3 (EIP-4844), with its versioned hashes.
    Blob(Vec<B256>),
    /// Type 4 (EIP-7702), with its authorisations.
    SetCode(Vec<Delegation>),
}

/// An authorisation in the making (EIP-7702).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delegation {
    /// Who signs it, by position among the signers.
    pub authority: usize,
    /// The code's address; zero takes a delegation back.
    pub target: Address,
    /// The authority's nonce when it is processed.
    pub nonce: u64,
    /// Zero stands for any chain.
    pub chain_id: u64,
}

impl Call {
    /// A call to the contract or account at `to`.
    #[must_use]
    pub fn new(to: Address, input: Bytes, gas_limit: u64) -> Self {
        Self { to: TxKind::Call(to), value: U256::ZERO, input, gas_limit }
    }

    /// The same with `value` wei sent along.
    #[must_use]
    pub fn with_value(self, value: U256) -> Self {
        Self { value, ..self }
    }
}
