//! Execution for those who ask: calls, estimates, access lists, simulated blocks and traces, on a state that stays as it
//! is. Nothing here takes part in a verdict.
//!
//! - [`Base`]: the block that a question is about. [`Limits`]: how much an answer may cost.
//! - [`StateOverrides`], [`BlockOverrides`]: what is to be otherwise.
//! - [`call`], [`estimate_gas`], [`create_access_list`]: one call.
//! - [`trace_block`], [`trace_transaction`], [`trace_call`]: what was done on the way, in the forms of `debug_` methods.
//! - [`simulate_blocks`]: blocks of calls, each on the state that the one before it left.

mod access_list;
mod base;
mod call;
mod error;
mod estimate;
mod fault_text;
mod limits;
mod overrides;
mod refusal;
mod request;
mod revert;
mod session;
mod simulated_block;
mod simulated_calls;
mod simulated_chain;
mod simulated_transaction;
mod trace;

pub use access_list::{CreatedAccessList, create_access_list};
pub use base::Base;
pub use call::call;
pub use error::{CallError, SimulateError};
pub use estimate::estimate_gas;
pub use fault_text::fault_text;
pub use limits::Limits;
pub use overrides::{AccountOverride, BlockOverrides, OverrideError, StateOverrides};
pub use refusal::Refusal;
pub use request::RequestError;
pub use revert::revert_message;
pub use session::Question;
pub use simulated_block::{CallFailure, CallOutcome, SimulatedBlock};
pub use simulated_chain::{BlockStateCall, SimulateRequest, simulate_blocks};
pub use simulated_transaction::SimulatedTransaction;
pub use trace::{TraceBlockError, TraceLimits, TracedBlock, trace_block, trace_call, trace_transaction};
