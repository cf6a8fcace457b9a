//! What the owner of a node chooses.

use std::time::Duration;

use alloy_primitives::{Address, Bytes};
use balsa_engine::ClientVersion;

/// How a node behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeSettings {
    /// How blocks are built.
    pub building: BuildSettings,
    /// Who is paid where no consensus client says it.
    pub fee_recipient: Option<Address>,
    /// What is said of this program.
    pub client: ClientVersion,
}

/// How blocks are built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildSettings {
    /// The gas limit to move towards where the consensus client names none.
    pub gas_limit: u64,
    /// Up to 32 bytes of the operator's own.
    pub extra_data: Bytes,
    /// The most blobs in a block, below what the fork allows.
    pub blobs_max: Option<u64>,
    /// How long a payload stays as it is before it is looked whether there is a better one.
    pub interval: Duration,
    /// How long a payload is improved at most.
    pub deadline: Duration,
}

impl Default for NodeSettings {
    fn default() -> Self {
        Self { building: BuildSettings::default(), fee_recipient: None, client: ClientVersion::of_this_program() }
    }
}

impl Default for BuildSettings {
    fn default() -> Self {
        Self {
            gas_limit: 60_000_000,
            extra_data: Bytes::from_static(b"balsa"),
            blobs_max: None,
            interval: Duration::from_millis(250),
            deadline: Duration::from_secs(12),
        }
    }
}
