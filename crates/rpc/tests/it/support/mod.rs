//! Nodes with open doors, and clients.

mod client;
mod dev;
mod node;
mod vectors;

pub(crate) use client::{answer_of, call, http, http_with, raw_http, request};
pub(crate) use dev::{build, dev_node, dev_node_with, make_head, transfer};
pub(crate) use node::{SECRET, TestNode, open_chain, open_doors, small_chain};
pub(crate) use vectors::execution_apis;
