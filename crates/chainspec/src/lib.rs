//! balsa-chainspec.
