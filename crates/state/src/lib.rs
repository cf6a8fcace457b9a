//! balsa-state.
