//! Benchmarks of balsa's own crates; see `benches/README.md`.

mod contest;

pub use contest::{Contest, Figure};
