//! The servers over real sockets, and the methods against the official request and response files.

mod auth;
mod bad_blocks;
mod calls;
mod conformance;
mod http;
mod ipc;
mod pending;
mod proofs;
mod reorg;
mod sending;
mod support;
mod watching;
mod websocket;
