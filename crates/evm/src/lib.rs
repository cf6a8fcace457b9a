//! One transaction on a view of the state. The only crate that names revm, whose types do not leave it.
//!
//! - [`TransactionEvm`]: runs transactions and system calls of one block, one after another, on views of the state.
//! - [`Watched`]: tells an [`InstructionObserver`] of every instruction of such a run.
//! - [`AccessWatch`]: every access to state, with the instruction that made it.
//! - [`GethTracer`]: traces as the `debug_` methods give them.
//! - [`CallRules`], [`CallWatch`]: what calls ask for that no block does.
//! - [`AccountOutcome`]: what a run left behind of each account that it reached: the one form that recorder, verifier
//!   and the state in progress all read.
//! - [`Phase`]: a view that lets several calls count as one block access index (EIP-7928: index 0 and n + 1).
//! - [`before_transactions`], [`after_transactions`]: the calls and credits around the transactions, in the
//!   specification's order, for both executors and the payload builder.
//! - [`intrinsic_gas`]: what a transaction costs before it runs.
//! - [`BlockGas`]: the one admission function (EIP-7778, EIP-8037).

mod access_watch;
mod call_logs;
mod call_rules;
mod call_watch;
mod code_cache;
mod dao;
mod database;
mod environment;
mod error;
mod fault;
mod gas;
mod geth_tracer;
mod instructions;
mod intrinsic;
mod journal;
mod net_gas_metering;
mod observation;
mod outcome;
mod phase;
mod phases;
mod precompiles;
mod requests;
mod transaction;
mod vast_memory;
mod watched_handler;

pub use access_watch::{AccessWatch, PlacedEvent};
pub use call_logs::{CallLog, TRANSFER_EMITTER};
pub use call_rules::CallRules;
pub use call_watch::CallWatch;
pub use code_cache::{CodeCache, CodeReads};
pub use environment::{BlockEnvironment, BlockHashes};
pub use error::{InvalidTransaction, PhaseError, TransactError};
pub use fault::Fault;
pub use gas::{AdmissionError, BlockGas, TransactionGas};
pub use geth_tracer::{GethTracer, TraceAllowance, TraceError, TracedTransaction};
pub use instructions::{Executed, FrameEnd, Instruction, InstructionObserver, Watched, opcode_name, stack_effect};
pub use intrinsic::{IntrinsicGas, intrinsic_gas};
pub use observation::{Observation, Unobserved};
pub use outcome::{AccountOutcome, SlotOutcome, SlotOutcomes};
pub use phase::{Phase, PhaseOutcomes};
pub use phases::{after_transactions, before_transactions, dao_fork, proof_of_work_rewards, with_deposits};
pub use precompiles::{PrecompileMoves, is_precompile};
pub use requests::{DepositError, RequestContract, deposit_requests};
pub use transaction::{Transaction, TransactionEvm, TransactionResult};
