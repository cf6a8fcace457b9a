//! Metrics for Prometheus: what is counted, and how it is filled.
//!
//! Names of `execution_block_access_list_*` are those that execution clients have agreed upon; the others are this
//! program's own. `scripts/grafana/balsa.json` shows them, and a test holds it to the names here.

mod blocks;
mod levels;
mod registry;
mod resident;

pub(crate) use registry::Metrics;
