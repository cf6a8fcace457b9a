//! Anonymous memory in huge pages.

use crate::mapping;
use balsa_trie::{MemoryError, PageMemory, Words};
use std::ops::Range;

/// Anonymous memory, in pages of 2 MiB where the system gives them. Pages that were never written take no memory.
#[derive(Clone, Copy, Debug, Default)]
pub struct HugePages;

impl PageMemory for HugePages {
    fn segment(&self, words: usize) -> Result<Box<dyn Words>, MemoryError> {
        match mapping::anonymous(words) {
            Ok(mapping) => Ok(Box::new(mapping)),
            Err(error) => Err(MemoryError { words, source: error.into() }),
        }
    }

    fn will_fill(&self, room: Range<*const u8>) {
        mapping::prefer_huge_pages(room);
    }
}
