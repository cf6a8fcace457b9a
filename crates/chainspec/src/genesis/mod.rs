//! Genesis files as geth writes them: a chain's configuration, its first header and its first state.

mod alloc;
mod config;
mod error;
mod fields;
mod file;
mod header;

pub use alloc::GenesisAccount;
pub use error::GenesisError;
pub use file::{GENESIS_BYTES_MAX, parse};
pub use header::{EMPTY_BLOCK_ACCESS_LIST_HASH, GenesisHeader};

pub(crate) use config::blob_schedule;
pub(crate) use fields::Fields;

use crate::ChainSpec;
use alloy_consensus::Header;
use alloy_primitives::{Address, B256};
use std::collections::BTreeMap;

/// A chain's beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Genesis {
    /// The chain's specification.
    pub spec: ChainSpec,
    /// What the file says about the first header.
    pub header: GenesisHeader,
    /// The first state: every account that exists, empty ones too.
    pub alloc: BTreeMap<Address, GenesisAccount>,
    /// Keys of the configuration that look like a fork's and mean nothing to this version.
    pub unknown_forks: Vec<String>,
}

impl Genesis {
    /// The first header, given the root of the first state.
    pub fn header(&self, state_root: B256) -> Header {
        self.header.header(&self.spec, state_root)
    }
}
