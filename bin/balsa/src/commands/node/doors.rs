//! Where a node is reached: flags and what they come to.

use super::options::duration;
use crate::error::CommandError;
use balsa_rpc::{AuthSettings, HttpSettings, JwtSecret, Limits, Namespace, ServerSettings, WsSettings};
use clap::Args;
use std::{
    net::{IpAddr, SocketAddr, ToSocketAddrs},
    path::{Path, PathBuf},
    time::Duration,
};

/// The doors.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "JSON-RPC")]
pub(crate) struct DoorOptions {
    /// Taken for the sake of scripts: HTTP is always served.
    #[arg(id = "http", long = "http", hide = true)]
    _http: bool,
    /// Address of HTTP.
    #[arg(id = "http_addr", long = "http.addr", value_name = "ADDR", default_value = "127.0.0.1")]
    http_addr: String,
    /// Port of HTTP; 0 for any.
    #[arg(id = "http_port", long = "http.port", value_name = "PORT", default_value_t = 8545)]
    http_port: u16,
    /// What is offered: admin, debug, eth, net, testing, txpool, web3 [default: eth,net,web3].
    #[arg(id = "http_api", long = "http.api", value_name = "API,…", value_delimiter = ',')]
    http_api: Vec<Namespace>,
    /// Origins whose pages may call; * for all.
    #[arg(id = "http_corsdomain", long = "http.corsdomain", value_name = "ORIGIN,…", value_delimiter = ',')]
    cors_origins: Vec<String>,
    /// Names under which the node may be called; * for all.
    #[arg(
        id = "http_vhosts",
        long = "http.vhosts",
        value_name = "NAME,…",
        value_delimiter = ',',
        default_value = "localhost"
    )]
    virtual_hosts: Vec<String>,
    /// Serve WebSocket too.
    #[arg(id = "ws", long = "ws.enabled", visible_alias = "ws")]
    ws: bool,
    /// Address of WebSocket [default: that of HTTP].
    #[arg(id = "ws_addr", long = "ws.addr", value_name = "ADDR")]
    ws_addr: Option<String>,
    /// Port of WebSocket; 0 for any.
    #[arg(id = "ws_port", long = "ws.port", value_name = "PORT", default_value_t = 8546)]
    ws_port: u16,
    /// What is offered there [default: as over HTTP].
    #[arg(id = "ws_api", long = "ws.api", value_name = "API,…", value_delimiter = ',')]
    ws_api: Vec<Namespace>,
    /// Origins whose pages may connect; * for all.
    #[arg(id = "ws_origins", long = "ws.origins", value_name = "ORIGIN,…", value_delimiter = ',')]
    ws_origins: Vec<String>,
    /// Path of the Unix socket [default: balsa.ipc in the data directory].
    #[arg(id = "ipcpath", long = "ipcpath", value_name = "FILE")]
    ipc_path: Option<PathBuf>,
    /// Open no Unix socket.
    #[arg(id = "ipcdisable", long = "ipcdisable")]
    ipc_disable: bool,
    /// Address of the Engine API.
    #[arg(id = "authrpc_addr", long = "authrpc.addr", value_name = "ADDR", default_value = "127.0.0.1")]
    auth_addr: String,
    /// Port of the Engine API; 0 for any.
    #[arg(id = "authrpc_port", long = "authrpc.port", value_name = "PORT", default_value_t = 8551)]
    auth_port: u16,
    /// The secret that the consensus client shares, 32 bytes in hexadecimal; made if it is missing
    /// [default: jwt.hex in the data directory].
    #[arg(id = "authrpc_jwtsecret", long = "authrpc.jwtsecret", value_name = "FILE")]
    jwt_secret: Option<PathBuf>,
    /// Names under which the Engine API may be called; * for all.
    #[arg(
        id = "authrpc_vhosts",
        long = "authrpc.vhosts",
        value_name = "NAME,…",
        value_delimiter = ',',
        default_value = "localhost"
    )]
    auth_virtual_hosts: Vec<String>,
    #[command(flatten)]
    limits: LimitOptions,
}

/// How much callers without authentication may ask for.
#[derive(Clone, Copy, Debug, Args)]
struct LimitOptions {
    /// Megabytes of one message.
    #[arg(id = "rpc_max_request", long = "rpc.max-request-size", value_name = "MB", default_value_t = 15,
        value_parser = clap::value_parser!(u32).range(1..=512))]
    request_megabytes_max: u32,
    /// Megabytes of one answer.
    #[arg(id = "rpc_max_response", long = "rpc.max-response-size", value_name = "MB", default_value_t = 160,
        value_parser = clap::value_parser!(u32).range(1..=1_024))]
    response_megabytes_max: u32,
    /// Calls of one batch; 0 for no limit.
    #[arg(id = "rpc_batch_requests", long = "rpc.batch-request-limit", value_name = "N", default_value_t = 1_000)]
    batch_calls_max: usize,
    /// Bytes of the answers to one batch; 0 for no limit.
    #[arg(id = "rpc_batch_response", long = "rpc.batch-response-max-size", value_name = "BYTES",
        default_value_t = 25 << 20)]
    batch_response_bytes_max: usize,
    /// Connections of one door.
    #[arg(id = "rpc_max_connections", long = "rpc.max-connections", value_name = "N", default_value_t = 500)]
    connections_max: u32,
    /// Subscriptions of one connection.
    #[arg(
        id = "rpc_max_subscriptions",
        long = "rpc.max-subscriptions-per-connection",
        value_name = "N",
        default_value_t = 1_024
    )]
    subscriptions_max: u32,
}

impl LimitOptions {
    fn limits(self) -> Limits {
        let or_all = |limit| if limit == 0 { usize::MAX } else { limit };
        Limits {
            request_bytes_max: (self.request_megabytes_max as usize) << 20,
            response_bytes_max: (self.response_megabytes_max as usize) << 20,
            batch_calls_max: or_all(self.batch_calls_max),
            batch_response_bytes_max: or_all(self.batch_response_bytes_max),
            connections_max: self.connections_max as usize,
            subscriptions_max: self.subscriptions_max as usize,
            ..Limits::public()
        }
    }
}

/// What the methods allow.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "JSON-RPC")]
pub(crate) struct MethodOptions {
    /// Gas that one call may use.
    #[arg(id = "rpc_gascap", long = "rpc.gascap", value_name = "GAS", default_value_t = 50_000_000)]
    gas_cap: u64,
    /// How long one call may execute.
    #[arg(id = "rpc_evmtimeout", long = "rpc.evmtimeout", value_name = "TIME", default_value = "5s",
        value_parser = duration)]
    evm_time_max: Duration,
    /// Most fees of a transaction that is sent here, in ether; 0 for no limit.
    #[arg(id = "rpc_txfeecap", long = "rpc.txfeecap", value_name = "ETHER", default_value_t = 1.0)]
    transaction_fee_cap: f64,
    /// How long eth_sendRawTransactionSync waits for a receipt if the caller does not say.
    #[arg(id = "rpc_txsync_defaulttimeout", long = "rpc.txsync.defaulttimeout",
        alias = "rpc.send-raw-transaction-sync-timeout", value_name = "TIME", default_value = "20s",
        value_parser = duration)]
    receipt_wait: Duration,
    /// How long a caller may ask to wait for a receipt.
    #[arg(id = "rpc_txsync_maxtimeout", long = "rpc.txsync.maxtimeout", value_name = "TIME", default_value = "1m",
        value_parser = duration)]
    receipt_wait_max: Duration,
    /// Most blocks of one eth_simulateV1.
    #[arg(id = "rpc_max_simulate_blocks", long = "rpc.max-simulate-blocks", value_name = "N", default_value_t = 256)]
    simulated_blocks_max: u64,
    /// Blocks that one query for logs may span; 0 for no limit.
    #[arg(
        id = "rpc_rangelimit",
        long = "rpc.rangelimit",
        visible_alias = "rpc.max-blocks-per-filter",
        value_name = "N",
        default_value_t = 100_000
    )]
    log_blocks_max: u64,
    /// Logs that one query may return.
    #[arg(id = "rpc_max_logs", long = "rpc.max-logs-per-response", value_name = "N", default_value_t = 20_000)]
    logs_max: usize,
    /// Take transactions whose signatures hold on every chain.
    #[arg(id = "rpc_allow_unprotected_txs", long = "rpc.allow-unprotected-txs")]
    allow_unprotected_transactions: bool,
}

impl MethodOptions {
    /// The methods' settings on a network.
    pub(crate) fn settings(&self, network_id: u64, enode: String) -> balsa_rpc::Settings {
        balsa_rpc::Settings {
            enode: Some(enode),
            gas_cap: self.gas_cap,
            evm_time_max: self.evm_time_max,
            // As far as a number of ether can be told; no fee comes near the type's end.
            transaction_fee_cap: (self.transaction_fee_cap.max(0.0) * 1e18) as u128,
            allow_unprotected_transactions: self.allow_unprotected_transactions,
            receipt_wait: self.receipt_wait,
            receipt_wait_max: self.receipt_wait_max.max(self.receipt_wait),
            log_blocks_max: if self.log_blocks_max == 0 { u64::MAX } else { self.log_blocks_max },
            logs_max: self.logs_max,
            simulated_blocks_max: self.simulated_blocks_max,
            ..balsa_rpc::Settings::of_network(network_id)
        }
    }
}

impl DoorOptions {
    /// The server's settings; reads or makes the secret. Without a consensus client the Engine API stays shut.
    pub(crate) fn settings(&self, datadir: &Path, with_engine: bool) -> Result<ServerSettings, CommandError> {
        let api = or(&self.http_api, &Namespace::DEFAULT);
        let http = HttpSettings {
            address: address("http.addr", &self.http_addr, self.http_port)?,
            api: api.clone(),
            cors_origins: self.cors_origins.clone(),
            virtual_hosts: self.virtual_hosts.clone(),
        };
        let ws_addr = self.ws_addr.as_ref().unwrap_or(&self.http_addr);
        let ws = WsSettings {
            address: address("ws.addr", ws_addr, self.ws_port)?,
            api: or(&self.ws_api, &api),
            origins: self.ws_origins.clone(),
        };
        let ipc = self.ipc_path.clone().unwrap_or_else(|| datadir.join("balsa.ipc"));
        let auth = if with_engine { Some(self.auth(datadir)?) } else { None };
        Ok(ServerSettings {
            http: Some(http),
            ws: self.ws.then_some(ws),
            ipc: (!self.ipc_disable).then_some(ipc),
            auth,
            limits: self.limits.limits(),
            ..ServerSettings::default()
        })
    }

    fn auth(&self, datadir: &Path) -> Result<AuthSettings, CommandError> {
        let path = self.jwt_secret.clone().unwrap_or_else(|| datadir.join("jwt.hex"));
        Ok(AuthSettings {
            address: address("authrpc.addr", &self.auth_addr, self.auth_port)?,
            secret: JwtSecret::read_or_make(&path)?,
            virtual_hosts: self.auth_virtual_hosts.clone(),
        })
    }
}

fn or(given: &[Namespace], default: &[Namespace]) -> Vec<Namespace> {
    if given.is_empty() { default.to_vec() } else { given.to_vec() }
}

/// An address with its port; names such as `localhost` are looked up.
pub(crate) fn address(flag: &'static str, host: &str, port: u16) -> Result<SocketAddr, CommandError> {
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok(SocketAddr::new(ip, port));
    }
    let found = (host, port).to_socket_addrs().ok().and_then(|mut found| found.next());
    found.ok_or_else(|| CommandError::Address { flag, host: host.to_owned() })
}
