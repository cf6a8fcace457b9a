//! What pages are made of: memory that the caller hands in, the heap unless told otherwise.
//!
//! Whoever hands it in is also told of other large pieces, for the core asks nothing of the system itself.

use crate::sync::AtomicU64;
use std::ops::Range;

/// Where an arena's pages come from: [`HeapMemory`], or huge pages and mapped files, which live outside the core.
pub trait PageMemory: Send + Sync + std::fmt::Debug {
    /// Zeroed memory for `words` words of 8 bytes, which stays as it is until it is dropped.
    ///
    /// # Errors
    /// When there is no room. Whatever can run out must do so here, never when a page is written.
    fn segment(&self, words: usize) -> Result<Box<dyn Words>, MemoryError>;

    /// Told of a large piece of other memory that is soon filled, so that the system can be asked to give it in large pages. A
    /// hint, which need not be heard.
    fn will_fill(&self, _room: Range<*const u8>) {}
}

/// A piece of memory handed out by a [`PageMemory`].
pub trait Words: Send + Sync {
    /// All words: the same ones on every call.
    fn words(&self) -> &[AtomicU64];
}

/// Why there is no more memory for pages.
#[derive(Debug, thiserror::Error)]
#[error("no memory for {words} more words of trie pages: {source}")]
pub struct MemoryError {
    /// How much was asked for.
    pub words: usize,
    /// What the system said.
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// Pages on the heap.
#[derive(Clone, Copy, Debug, Default)]
pub struct HeapMemory;

impl PageMemory for HeapMemory {
    fn segment(&self, words: usize) -> Result<Box<dyn Words>, MemoryError> {
        match zeroed(words) {
            Ok(segment) => Ok(Box::new(Heap(segment))),
            Err(()) => Err(MemoryError { words, source: "the heap is exhausted".into() }),
        }
    }
}

/// Zeros that the system gives are not written again.
#[cfg(not(feature = "loom"))]
fn zeroed(words: usize) -> Result<Box<[AtomicU64]>, ()> {
    bytemuck::allocation::try_zeroed_slice_box(words)
}

#[cfg(feature = "loom")]
fn zeroed(words: usize) -> Result<Box<[AtomicU64]>, ()> {
    Ok((0..words).map(|_| AtomicU64::new(0)).collect())
}

struct Heap(Box<[AtomicU64]>);

impl Words for Heap {
    fn words(&self) -> &[AtomicU64] {
        &self.0
    }
}
