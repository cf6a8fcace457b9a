//! The servers over real sockets, and the methods against the official request and response files.

mod auth;
mod calls;
mod conformance;
mod http;
mod ipc;
mod support;
mod watching;
mod websocket;
