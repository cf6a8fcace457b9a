//! balsa-evm.
