//! What a list tells about its block, for people: counts, hot spots, and how parallel its transactions can run.

mod graph;
mod stats;

pub use graph::{CriticalPath, Dependencies};
pub use stats::{HotSlot, ListStats};
