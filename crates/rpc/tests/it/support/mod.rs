//! Nodes with open doors, and clients.

mod client;
mod dev;
mod node;
mod vectors;
mod websocket;

pub(crate) use client::{answer_of, call, engine, http, http_with, raw_http, request};
pub(crate) use dev::{attributes, build, dev_node, dev_node_with, make_head, transfer};
pub(crate) use node::{SECRET, TestNode, open_chain, open_doors, small_chain};
pub(crate) use vectors::execution_apis;
pub(crate) use websocket::{connect, say};
