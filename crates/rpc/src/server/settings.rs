//! Which doors a node opens.

use std::{net::SocketAddr, path::PathBuf};

use super::JwtSecret;
use crate::{Limits, Namespace};

/// The doors of a node. One that is `None` stays shut.
#[derive(Clone, Debug)]
pub struct ServerSettings {
    /// JSON-RPC over HTTP.
    pub http: Option<HttpSettings>,
    /// JSON-RPC over WebSocket.
    pub ws: Option<WsSettings>,
    /// JSON-RPC over a Unix socket, open to this user: all namespaces but `engine`.
    pub ipc: Option<PathBuf>,
    /// The Engine API, over HTTP and WebSocket.
    pub auth: Option<AuthSettings>,
    /// Limits of the doors without authentication.
    pub limits: Limits,
    /// Limits of the authenticated door.
    pub auth_limits: Limits,
}

/// JSON-RPC over HTTP (`--http.*`).
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// Where; port 0 for any.
    pub address: SocketAddr,
    /// What is offered.
    pub api: Vec<Namespace>,
    /// Origins whose pages may call, `*` for all (`--http.corsdomain`).
    pub cors_origins: Vec<String>,
    /// Names under which this node may be called, `*` for all; addresses always may (`--http.vhosts`).
    pub virtual_hosts: Vec<String>,
}

/// JSON-RPC over WebSocket (`--ws.*`).
#[derive(Clone, Debug)]
pub struct WsSettings {
    /// Where; port 0 for any.
    pub address: SocketAddr,
    /// What is offered.
    pub api: Vec<Namespace>,
    /// Origins whose pages may connect, `*` for all (`--ws.origins`). What is no page names no origin, and may.
    pub origins: Vec<String>,
}

/// The Engine API (`--authrpc.*`).
#[derive(Clone, Debug)]
pub struct AuthSettings {
    /// Where; port 0 for any.
    pub address: SocketAddr,
    /// What callers must know.
    pub secret: JwtSecret,
    /// Names under which this node may be called, `*` for all; addresses always may (`--authrpc.vhosts`).
    pub virtual_hosts: Vec<String>,
}

impl Default for ServerSettings {
    /// No door is open.
    fn default() -> Self {
        let (limits, auth_limits) = (Limits::public(), Limits::engine());
        Self { http: None, ws: None, ipc: None, auth: None, limits, auth_limits }
    }
}
