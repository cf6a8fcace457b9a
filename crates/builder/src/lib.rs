//! Payload building: a block is opened on a parent, takes transactions one by one, and is sealed.
//!
//! - [`Attributes`]: what is asked for, and the header fields that follow from it and the parent.
//! - [`BlockBuilder`]: the block that is being built; [`BuiltBlock`]: what comes of it.
//!
//! Nothing here executes anything of its own: transactions run in the executor's block in progress, so that a block
//! that was built is a block that imports. Which transactions to offer, and in what order, is for the caller.

mod attributes;
mod building;

pub use attributes::{Attributes, AttributesError};
pub use building::{BlockBuilder, BuildError, BuiltBlock, Skipped};
