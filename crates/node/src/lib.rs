//! A running node without its sockets: what the writer changes and the readers see.

mod node;

pub use node::Node;
