//! What every method can reach.

use std::{
    env::consts::{ARCH, OS},
    sync::Arc,
    time::Duration,
};

use balsa_node::Node;

use crate::watch::Watchers;

/// What every method can reach. Shared by all servers of a node.
pub struct Context {
    /// The node that is asked.
    pub node: Node,
    /// What its operator chose.
    pub settings: Settings,
    pub(crate) watchers: Arc<Watchers>,
}

/// What the operator of a node chooses about its methods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// What `web3_clientVersion` says.
    pub client_version: String,
    /// The network's id, which is the chain's unless it was set apart.
    pub network_id: u64,
    /// The node's URL for peers (devp2p, `enode.md`), if it has an identity.
    pub enode: Option<String>,
    /// Gas that one call may use (`--rpc.gascap`).
    pub gas_cap: u64,
    /// How long one call may execute (`--rpc.evmtimeout`).
    pub evm_time_max: Duration,
    /// Most fees that a transaction sent here may pay, in wei; 0 for no limit (`--rpc.txfeecap`).
    pub transaction_fee_cap: u128,
    /// Whether transactions are taken whose signatures hold on every chain (`--rpc.allow-unprotected-txs`).
    pub allow_unprotected_transactions: bool,
    /// How long a call waits for a receipt if it does not say (`--rpc.txsync.defaulttimeout`).
    pub receipt_wait: Duration,
    /// How long a call may ask to wait (`--rpc.txsync.maxtimeout`).
    pub receipt_wait_max: Duration,
    /// Blocks that one query for logs may span.
    pub log_blocks_max: u64,
    /// Logs that one query may return.
    pub logs_max: usize,
    /// Blocks that one simulation may make.
    pub simulated_blocks_max: u64,
}

impl Context {
    /// A node and what its operator chose.
    pub fn new(node: Node, settings: Settings) -> Self {
        let watchers = Watchers::start(&node);
        Self { node, settings, watchers }
    }
}

impl Settings {
    /// What holds if nothing else is chosen.
    pub fn of_network(network_id: u64) -> Self {
        Self {
            client_version: format!("balsa/v{}/{}-{}", env!("CARGO_PKG_VERSION"), OS, ARCH),
            network_id,
            enode: None,
            gas_cap: 50_000_000,
            evm_time_max: Duration::from_secs(5),
            transaction_fee_cap: 1_000_000_000_000_000_000,
            allow_unprotected_transactions: false,
            receipt_wait: Duration::from_secs(20),
            receipt_wait_max: Duration::from_secs(60),
            log_blocks_max: 100_000,
            logs_max: 20_000,
            simulated_blocks_max: 256,
        }
    }
}
