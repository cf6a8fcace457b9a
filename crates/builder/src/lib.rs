//! balsa-builder.
