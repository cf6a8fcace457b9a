//! balsa-chain.
