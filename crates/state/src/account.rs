//! An account as the state holds it.

use alloy_primitives::{B256, U256, b256};

/// keccak256 of the empty string: the code hash of an account without code.
pub const EMPTY_CODE_HASH: B256 = b256!("c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");

/// Root of the empty trie, keccak256(0x80): the storage root of an account without storage.
pub const EMPTY_ROOT: B256 = b256!("56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421");

/// An account with its storage root: the leaf of the state trie (Yellow Paper, section 4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// Transactions sent, or contracts created.
    pub nonce: u64,
    /// Wei.
    pub balance: U256,
    /// Root of the account's storage trie; [`EMPTY_ROOT`] without storage.
    pub storage_root: B256,
    /// keccak256 of the code; [`EMPTY_CODE_HASH`] without code.
    pub code_hash: B256,
}

impl Default for Account {
    fn default() -> Self {
        Self { nonce: 0, balance: U256::ZERO, storage_root: EMPTY_ROOT, code_hash: EMPTY_CODE_HASH }
    }
}

impl Account {
    /// What a transaction can change of it directly.
    pub fn info(&self) -> AccountInfo {
        AccountInfo { nonce: self.nonce, balance: self.balance, code_hash: self.code_hash }
    }
}

/// The part of an account that the EVM reads and writes; the storage root follows from the slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountInfo {
    /// Transactions sent, or contracts created.
    pub nonce: u64,
    /// Wei.
    pub balance: U256,
    /// keccak256 of the code; [`EMPTY_CODE_HASH`] without code.
    pub code_hash: B256,
}

impl Default for AccountInfo {
    fn default() -> Self {
        Account::default().info()
    }
}

impl AccountInfo {
    /// Empty in the sense of EIP-161: no nonce, no balance, no code.
    pub fn is_empty(&self) -> bool {
        self.nonce == 0 && self.balance.is_zero() && self.code_hash == EMPTY_CODE_HASH
    }
}
