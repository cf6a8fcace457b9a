//! balsa-bal.
