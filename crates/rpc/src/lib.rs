//! JSON-RPC over HTTP, WebSocket and IPC. The only crate that names the server and the async runtime.
//!
//! A message comes in at a door ([`Server`]), is taken apart (`request.rs`), and its calls run one after another on
//! threads of their own (`workers.rs`), where a method is a plain function from [`Params`] to a value:
//!
//! ```text
//! pub(crate) fn register(methods: &mut Methods) {
//!     methods.add("eth_chainId", 0, chain_id);
//! }
//!
//! fn chain_id(context: &Context, _: Params) -> Result<U64, RpcError> {
//!     Ok(U64::from(context.node.spec().chain_id))
//! }
//! ```
//!
//! Whatever a client sends, nothing panics and nothing grows without a limit ([`Limits`]).
//!
//! Reading order: `dispatcher.rs`, `methods.rs`, `params.rs`, `server/start.rs`, then the namespaces.

mod admin;
mod context;
mod debug;
mod dispatcher;
mod engine;
mod error;
mod eth;
mod limits;
mod methods;
mod namespace;
mod net;
mod params;
mod request;
mod server;
mod session;
mod testing;
mod txpool;
mod watch;
mod web3;
mod workers;

pub use context::{Context, Settings};
pub use dispatcher::Dispatcher;
pub use error::RpcError;
pub use limits::Limits;
pub use methods::Methods;
pub use namespace::{Namespace, NamespaceError};
pub use params::Params;
pub use server::{
    Addresses, AuthSettings, HttpSettings, JWT_SECRET_BYTES, JwtSecret, MetricsServer, SecretFileError, Server,
    ServerSettings, StartError, WsSettings, read_or_make_secret,
};
