//! The doors of a node: sockets, and who may come in.
//!
//! `listener.rs` takes connections, `http.rs` and `websocket.rs` talk over TCP, `ipc.rs` over a Unix socket. `jwt.rs`,
//! `cors.rs` and `virtual_hosts.rs` decide who is let in before anything of a message is read.

mod cors;
mod http;
mod ipc;
mod json_stream;
mod jwt;
mod listener;
mod metrics;
mod read_meter;
mod router;
mod secret_file;
mod settings;
mod start;
mod timed_stream;
mod virtual_hosts;
mod websocket;

pub use jwt::{JWT_SECRET_BYTES, JwtSecret};
pub use metrics::MetricsServer;
pub use secret_file::{SecretFileError, read_or_make as read_or_make_secret};
pub use settings::{AuthSettings, HttpSettings, ServerSettings, WsSettings};
pub use start::{Addresses, Server, StartError};
