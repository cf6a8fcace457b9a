//! Where vectors come from: files, folders and archives, as a stream of documents in memory.
//!
//! - [`Document`]: one file of a pack with its bytes.
//! - [`read`]: walks the sources in order and hands each document over; archives are read as a stream and
//!   never unpacked to disk.
//! - [`for_each`]: the same, spread over worker threads with a bounded number of bytes on the way.

mod archive;
mod budget;
mod document;
mod feed;
mod walk;

pub use document::{Document, SourceError};
pub use feed::for_each;
pub use walk::read;
