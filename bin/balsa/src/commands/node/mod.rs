//! `node`: a node that a consensus client drives, or one of its own with `--dev`.

mod dev;
mod doors;
mod identity;
mod options;
mod report;
mod slow_block;
mod start;

pub(crate) use options::Node;
