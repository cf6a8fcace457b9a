//! What is to be otherwise than in the block and the state that a question is asked on.

mod account;
mod block;

pub(crate) use account::apply;
pub use account::{AccountOverride, OverrideError, StateOverrides};
pub use block::BlockOverrides;
