//! FORMAT.md as code: tables, keys and values, in the order of that document.

mod account;
mod keys;
mod rows;
mod table;

pub(crate) use account::{decode_account, encode_account};
pub(crate) use keys::{
    account_bounds, block_key, block_key_hash, number_key, number_of, slot_key, storage_path_key, value_of_slot,
};
pub(crate) use rows::{HeadRow, IdentityRow, PointerRow, TransactionRow};
pub use table::Table;
pub(crate) use table::meta;

/// The number of the format in FORMAT.md.
pub const FORMAT: u32 = 1;

/// How many blocks of access lists are kept below the head: 3,533 epochs of 32 slots (EIP-7928).
pub const LISTS_KEPT_BLOCKS: u64 = 3533 * 32;
