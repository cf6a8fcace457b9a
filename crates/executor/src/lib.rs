//! balsa-executor.
