//! balsa-keccak.
