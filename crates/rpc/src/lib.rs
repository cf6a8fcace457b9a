//! JSON-RPC over HTTP, WebSocket and IPC. The only crate that names the server.
