//! Benchmarks of balsa's own crates; see `benches/README.md`.
