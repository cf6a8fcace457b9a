//! Memory for the pages of the state trie, as the system gives it: anonymous in huge pages, or files mapped into memory. Also huge
//! pages for the lists of a full build.
//!
//! The trie is pure and takes its memory from its caller; this crate is what a program hands in. A trie walks its nodes in
//! no order that a processor can foresee, so with pages of 4 KiB nearly every node costs a walk of the page tables too:
//! [`HugePages`] is the kind to use, and [`FilePages`] where the trie may not take anonymous memory.

mod file;
mod huge;
mod mapping;

pub use file::{FilePages, FilePagesError};
pub use huge::HugePages;
