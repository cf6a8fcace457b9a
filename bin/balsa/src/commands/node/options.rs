//! The flags of a node, grouped as the field knows them.

use super::{
    dev::DevOptions,
    doors::{DoorOptions, MethodOptions, address},
};
use crate::{error::CommandError, options::ExecutionOptions};
use alloy_primitives::{Address, Bytes};
use balsa_chain::ChainSettings;
use balsa_node::{BuildSettings, NodeSettings};
use balsa_txpool::Limits;
use clap::{ArgAction, Args};
use std::{net::SocketAddr, path::PathBuf, time::Duration};

/// Runs a node.
#[derive(Clone, Debug, Args)]
pub(crate) struct Node {
    #[command(flatten)]
    pub(crate) doors: DoorOptions,
    #[command(flatten)]
    pub(crate) methods: MethodOptions,
    #[command(flatten)]
    pub(crate) dev: DevOptions,
    #[command(flatten)]
    pub(crate) building: BuildingOptions,
    #[command(flatten)]
    pub(crate) pool: PoolOptions,
    #[command(flatten)]
    pub(crate) state: StateOptions,
    #[command(flatten)]
    pub(crate) watching: WatchingOptions,
    #[command(flatten)]
    pub(crate) execution: ExecutionOptions,
    #[command(flatten)]
    pub(crate) network: PeerOptions,
    #[command(flatten)]
    pub(crate) foreign: ForeignOptions,
}

/// How blocks are built.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Building blocks")]
pub(crate) struct BuildingOptions {
    /// The gas limit to move towards where the consensus client names none.
    #[arg(
        id = "builder_gas_limit",
        long = "builder.gas-limit",
        visible_alias = "builder.gaslimit",
        alias = "miner.gaslimit",
        value_name = "GAS",
        default_value_t = 60_000_000
    )]
    gas_limit: u64,
    /// Up to 32 bytes for the header's extra data, as text or 0x and hexadecimal.
    #[arg(id = "builder_extra_data", long = "builder.extra-data", visible_alias = "builder.extradata",
        alias = "miner.extradata", value_name = "TEXT|HEX", default_value = "balsa", value_parser = extra_data)]
    extra_data: Bytes,
    /// The most blobs in a block, if fewer than the fork allows.
    #[arg(id = "builder_max_blobs", long = "builder.max-blobs", alias = "miner.maxblobs", value_name = "N")]
    blobs_max: Option<u64>,
    /// How long a payload stays as it is before a better one is looked for.
    #[arg(id = "builder_interval", long = "builder.interval", value_name = "TIME", default_value = "250ms",
        value_parser = duration)]
    interval: Duration,
    /// How long a payload is improved at most.
    #[arg(id = "builder_deadline", long = "builder.deadline", value_name = "TIME", default_value = "12s",
        value_parser = duration)]
    deadline: Duration,
}

/// What the transaction pool holds.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Transaction pool")]
pub(crate) struct PoolOptions {
    /// The most transactions without blobs.
    #[arg(id = "txpool_slots", long = "txpool.slots", visible_alias = "txpool.globalslots", value_name = "N",
        default_value_t = Limits::default().transactions_max)]
    transactions_max: usize,
    /// The most transactions with blobs.
    #[arg(id = "txpool_blob_slots", long = "txpool.blob-slots", value_name = "N",
        default_value_t = Limits::default().blob_transactions_max)]
    blob_transactions_max: usize,
    /// The most transactions of one sender.
    #[arg(id = "txpool_account_slots", long = "txpool.account-slots", visible_alias = "txpool.accountslots",
        value_name = "N", default_value_t = Limits::default().sender_transactions_max)]
    sender_transactions_max: usize,
    /// Least priority fee, in wei a gas.
    #[arg(id = "txpool_price_limit", long = "txpool.price-limit", visible_alias = "txpool.pricelimit",
        value_name = "WEI", default_value_t = Limits::default().priority_fee_min)]
    priority_fee_min: u128,
    /// What a replacement must offer more, in percent.
    #[arg(id = "txpool_price_bump", long = "txpool.price-bump", visible_alias = "txpool.pricebump",
        value_name = "PERCENT", default_value_t = Limits::default().replacement_percent)]
    replacement_percent: u128,
    /// Where transactions outlast a restart [default: transactions.journal in the data directory].
    #[arg(id = "txpool_journal", long = "txpool.journal", value_name = "FILE")]
    pub(crate) journal: Option<PathBuf>,
    /// Forget all transactions at a restart.
    #[arg(id = "txpool_no_journal", long = "txpool.no-journal")]
    pub(crate) no_journal: bool,
    /// Keep the transaction index in directories of its own, one writer each, separated by bars.
    #[arg(id = "txindex_dirs", long = "txindex.dirs", value_name = "A|B|…")]
    pub(crate) index_dirs: Option<String>,
}

/// How much of the state is kept, and where.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "State")]
pub(crate) struct StateOptions {
    /// Blocks below the head whose states are kept: how deep a reorganisation can reach.
    #[arg(id = "state_blocks", long = "state.blocks", visible_alias = "engine.maxreorgdepth", value_name = "N",
        default_value_t = ChainSettings::default().kept_blocks)]
    kept_blocks: u64,
    /// Megabytes for the database's caches and write buffers.
    #[arg(id = "state_db_memory", long = "state.db-memory", value_name = "MB",
        default_value_t = ChainSettings::default().storage.memory_bytes >> 20)]
    database_megabytes: u64,
}

/// What is told of blocks beside the log.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Watching")]
pub(crate) struct WatchingOptions {
    /// Log a line of JSON for each block that takes longer; 0 for every block.
    #[arg(id = "slow_block", long = "debug.logslowblock", value_name = "TIME", value_parser = duration)]
    slow_block: Option<Duration>,
    /// The same in milliseconds.
    #[arg(
        id = "slow_block_ms",
        long = "engine.slow-block-threshold",
        value_name = "MS",
        conflicts_with = "slow_block"
    )]
    slow_block_ms: Option<u64>,
    /// Serve metrics for Prometheus at /metrics; with a value, there.
    #[arg(id = "metrics", long = "metrics", value_name = "ADDR:PORT", num_args = 0..=1, require_equals = true,
        default_missing_value = "true", default_value = "false", hide_default_value = true, value_parser = metrics)]
    metrics: MetricsSwitch,
    /// Address of the metrics.
    #[arg(id = "metrics_addr", long = "metrics.addr", value_name = "ADDR", default_value = "127.0.0.1")]
    metrics_addr: String,
    /// Port of the metrics; 0 for any.
    #[arg(id = "metrics_port", long = "metrics.port", value_name = "PORT", default_value_t = 9090)]
    metrics_port: u16,
}

/// Whether metrics are served, and where if the switch itself says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MetricsSwitch {
    Off,
    On,
    At(SocketAddr),
}

fn metrics(text: &str) -> Result<MetricsSwitch, String> {
    match text {
        "true" => Ok(MetricsSwitch::On),
        "false" => Ok(MetricsSwitch::Off),
        at => at.parse().map(MetricsSwitch::At).map_err(|_| format!("{at:?} is no address with a port")),
    }
}

/// Flags of the peer-to-peer network, which this version does not have. Taken so that launchers need not know.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Peers")]
pub(crate) struct PeerOptions {
    /// The network's id [default: the chain's].
    #[arg(id = "networkid", long = "networkid", visible_alias = "network-id", value_name = "ID")]
    pub(crate) network_id: Option<u64>,
    /// Taken for the sake of launchers; this version has no peers.
    #[arg(id = "p2p_flags", long = "p2p.port", aliases = ["port", "p2p.addr", "p2p.target-peers", "maxpeers",
        "p2p.discv4", "p2p.discv5", "discovery.port", "discovery.v5.port", "discovery.v4", "discovery.v5", "bootnodes",
        "nat", "nat.extip", "nodekey", "nodekeyhex", "p2p-secret-key", "netrestrict", "discovery.addr", "p2p-secret-key-hex",
        "max-outbound-peers", "max-inbound-peers", "trusted-peers"],
        value_name = "VALUE", hide = true, action = ArgAction::Append)]
    pub(crate) with_value: Vec<String>,
    /// As above.
    #[arg(id = "p2p_switches", long = "p2p.disabled", aliases = ["nodiscover", "disable-discovery",
        "disable-discv4-discovery", "trusted-only"], hide = true, action = ArgAction::SetTrue)]
    pub(crate) switch: bool,
}

/// Flags of other clients about what is kept and how, which mean nothing here. Taken so that launchers need not know.
#[derive(Clone, Debug, Args)]
pub(crate) struct ForeignOptions {
    /// Taken for the sake of launchers.
    #[arg(id = "foreign_flags", long = "syncmode", aliases = ["gcmode", "state.scheme", "db.engine", "cache",
        "cache.database", "cache.gc", "cache.snapshot", "cache.trie", "history.state", "history.transactions",
        "history.chain", "history.logs", "miner.gasprice", "miner.recommit", "rpc.eth-proof-window"],
        value_name = "VALUE", hide = true, action = ArgAction::Append)]
    with_value: Vec<String>,
    /// As above.
    #[arg(id = "foreign_switches", long = "full", aliases = ["minimal", "snap.v2", "cache.preimages", "snapshot",
        "allow-insecure-unlock", "auth-ipc", "no-migrate", "skip-genesis-validation"],
        hide = true, action = ArgAction::SetTrue)]
    switch: bool,
}

impl WatchingOptions {
    /// How long a block may take before it is told of.
    pub(crate) fn slow_block(&self) -> Option<Duration> {
        self.slow_block.or_else(|| self.slow_block_ms.map(Duration::from_millis))
    }

    /// Where metrics are served, if they are.
    pub(crate) fn metrics_address(&self) -> Result<Option<SocketAddr>, CommandError> {
        match self.metrics {
            MetricsSwitch::Off => Ok(None),
            MetricsSwitch::At(address) => Ok(Some(address)),
            MetricsSwitch::On => address("metrics.addr", &self.metrics_addr, self.metrics_port).map(Some),
        }
    }
}

impl Node {
    /// What the node itself is to know.
    pub(crate) fn settings(&self) -> NodeSettings {
        let BuildingOptions { gas_limit, extra_data, blobs_max, interval, deadline } = self.building.clone();
        let gas_limit = self.dev.gas_limit.unwrap_or(gas_limit);
        NodeSettings {
            building: BuildSettings { gas_limit, extra_data, blobs_max, interval, deadline },
            fee_recipient: self.dev.settings().map(|dev| dev.fee_recipient),
            ..NodeSettings::default()
        }
    }

    /// The chain's settings, from those that every command takes.
    pub(crate) fn chain_settings(&self, common: ChainSettings) -> ChainSettings {
        let mut settings = ChainSettings { kept_blocks: self.state.kept_blocks, ..common };
        settings.storage.memory_bytes =
            (self.state.database_megabytes << 20).max(balsa_storage::Settings::MEMORY_BYTES_MIN);
        settings.storage.transaction_index = self.pool.index_dirs.is_none();
        settings
    }

    /// The pool's limits.
    pub(crate) fn pool_limits(&self) -> Limits {
        Limits {
            transactions_max: self.pool.transactions_max,
            blob_transactions_max: self.pool.blob_transactions_max,
            sender_transactions_max: self.pool.sender_transactions_max,
            priority_fee_min: self.pool.priority_fee_min,
            replacement_percent: self.pool.replacement_percent,
            ..Limits::default()
        }
    }

    /// Says once which flags have no effect.
    pub(crate) fn warn_of_flags(&self) {
        if self.foreign.switch || !self.foreign.with_value.is_empty() {
            tracing::warn!("flags about how other clients sync and keep data have no effect");
        }
        if self.network.switch || !self.network.with_value.is_empty() {
            tracing::warn!("flags of the peer-to-peer network have no effect: this build has none");
        }
    }
}

/// Who is paid where nobody says it: the first of the accounts that a `--dev` chain funds.
pub(crate) const DEV_FEE_RECIPIENT: Address = alloy_primitives::address!("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266");

/// The longest extra data of a header, in bytes.
const EXTRA_DATA_MAX: usize = 32;

fn extra_data(text: &str) -> Result<Bytes, String> {
    let bytes = match text.strip_prefix("0x") {
        Some(digits) => alloy_primitives::hex::decode(digits).map_err(|error| error.to_string())?.into(),
        None => Bytes::copy_from_slice(text.as_bytes()),
    };
    match bytes.len() {
        0..=EXTRA_DATA_MAX => Ok(bytes),
        len => Err(format!("{len} bytes, at most {EXTRA_DATA_MAX}")),
    }
}

/// Reads a time: `250ms`, `12s`, `1m`; a bare number is seconds.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: f64 = number.parse().map_err(|_| format!("{text:?} is no time, such as 250ms, 12s or 1m"))?;
    let seconds = match unit.trim() {
        "ms" => number / 1_000.0,
        "" | "s" => number,
        "m" => number * 60.0,
        _ => return Err(format!("{unit:?} is no unit of time; there are ms, s and m")),
    };
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        for (text, milliseconds) in [("250ms", 250), ("12s", 12_000), ("12", 12_000), ("0.5s", 500), ("1m", 60_000)] {
            assert_eq!(duration(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        for wrong in ["", "s", "1h", "-1s", "1.2.3", "99999999999999999999999s"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn extra_data_is_text_or_hexadecimal() {
        assert_eq!(extra_data("0x0102"), Ok(Bytes::from_static(&[1, 2])));
        assert_eq!(extra_data("me"), Ok(Bytes::from_static(b"me")));
        assert!(extra_data(&"x".repeat(33)).is_err());
        assert!(extra_data("0xzz").is_err());
    }
}
