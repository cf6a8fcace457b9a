//! balsa-vectors.
