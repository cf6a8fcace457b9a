//! Nodes with open doors, and clients.

mod client;
mod node;
mod vectors;

pub(crate) use client::{answer_of, call, http, http_with, raw_http, request};
pub(crate) use node::{SECRET, TestNode, open_chain, open_doors, small_chain};
pub(crate) use vectors::execution_apis;
