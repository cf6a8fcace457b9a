//! balsa-storage.
