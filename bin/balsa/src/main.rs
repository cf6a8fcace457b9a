//! balsa.
fn main() {}
