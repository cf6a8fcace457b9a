//! What a transaction reads.

use alloy_primitives::{Address, B256, Bytes, U256};

use crate::{AccountInfo, StateError};

/// An account as a transaction finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ViewAccount {
    /// Nonce, balance and code hash.
    pub info: AccountInfo,
    /// Whether any slot of its storage is set: a creation at such an address collides (EIP-7610).
    pub has_storage: bool,
    /// Ordinal of the account in the block's access list, where the view is made from one.
    pub ordinal: Option<u32>,
}

/// The state just before a transaction.
///
/// Two views exist for blocks: [`BlockState`](crate::BlockState) when transactions run one after another, and
/// [`ListView`](crate::ListView) when the block's access list says what came before. RPC puts overrides over either.
pub trait StateView {
    /// The account, `None` if it does not exist.
    fn account(&mut self, address: &Address) -> Result<Option<ViewAccount>, StateError>;

    /// The value of a slot; `ordinal` is what [`account`](Self::account) gave for this address.
    fn storage(&mut self, address: &Address, ordinal: Option<u32>, slot: &U256) -> Result<U256, StateError>;

    /// Code by its hash, which is not [`EMPTY_CODE_HASH`](crate::EMPTY_CODE_HASH).
    fn code(&mut self, code_hash: &B256) -> Result<Bytes, StateError>;
}

impl<V: StateView> StateView for &mut V {
    fn account(&mut self, address: &Address) -> Result<Option<ViewAccount>, StateError> {
        (**self).account(address)
    }

    fn storage(&mut self, address: &Address, ordinal: Option<u32>, slot: &U256) -> Result<U256, StateError> {
        (**self).storage(address, ordinal, slot)
    }

    fn code(&mut self, code_hash: &B256) -> Result<Bytes, StateError> {
        (**self).code(code_hash)
    }
}
