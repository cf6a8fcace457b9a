//! Roots of lists: transactions, receipts, withdrawals (Yellow Paper, section 4.3.2).

use alloy_primitives::B256;
use alloy_trie::root::ordered_trie_root_with_encoder;

/// The root of the trie that maps rlp(index) to each item, given encoded.
pub fn ordered_root<T: AsRef<[u8]>>(items: &[T]) -> B256 {
    ordered_trie_root_with_encoder(items, |item, out| out.extend_from_slice(item.as_ref()))
}

/// The same, from items that come one after another.
#[derive(Debug)]
pub struct OrderedRoot {
    items: Vec<Vec<u8>>,
}

impl OrderedRoot {
    /// For `count` items.
    pub fn new(count: usize) -> Self {
        Self { items: Vec::with_capacity(count) }
    }

    /// The next item, encoded.
    pub fn push(&mut self, item: &[u8]) {
        self.items.push(item.to_vec());
    }

    /// The root of all items.
    pub fn finish(self) -> B256 {
        ordered_root(&self.items)
    }
}
