//! Files of blocks and of access lists, read one item at a time.

pub(crate) mod blocks;
pub(crate) mod chain_files;
pub(crate) mod lists;
mod rlp_items;

pub(crate) use rlp_items::InputError;

#[cfg(test)]
mod tests;
