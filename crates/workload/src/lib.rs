//! balsa-workload.
