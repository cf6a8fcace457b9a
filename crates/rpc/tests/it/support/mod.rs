//! Nodes with open doors, and clients.

mod client;
mod node;

pub(crate) use client::{answer_of, call, http, http_with, raw_http, request};
pub(crate) use node::{SECRET, TestNode, open_doors, small_chain};
