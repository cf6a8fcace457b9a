//! Benchmarks of balsa's own crates; see `benches/README.md`.

pub mod block;
mod contest;
pub mod lists;

pub use contest::{Contest, Figure, processor_time};
