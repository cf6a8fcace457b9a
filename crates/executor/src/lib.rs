//! A block, executed: from a sealed block and its parent to receipts, state change and root, or to the rule it breaks.
//!
//! Start at [`Executor::execute`]. The sequential executor is the specification; the parallel one, which a block access
//! list makes possible (EIP-7928), is proved equal to it by tests, and is never believed when it finds fault: whatever
//! fails there is run again sequentially, and that run decides.

mod access_trace;
mod block;
mod body;
mod error;
mod genesis;
mod in_progress;
mod list_check;
mod parallel;
mod plan;
mod receipts;
mod record;
mod reorder;
mod replay;
mod sealed_block;
mod senders;
mod sequential;
mod stages;
mod update_channel;
mod updates;
mod verdicts;

pub use access_trace::trace_accesses;
pub use block::{ExecutedBlock, Executor, Parent, Path};
pub use body::{BodyError, check_body};
pub use error::{ExecuteError, InternalError, InvalidBlock, Refusal, SystemCallFault};
pub use genesis::{GenesisState, genesis_state};
pub use in_progress::{BlockInProgress, ClosedBlock, Closing, RecordedList, Refused, Taken};
pub use parallel::ParallelFault;
pub use plan::{ExecutionMode, SequentialReason};
pub use receipts::{Receipt, ReceiptsSummary};
pub use record::record_index;
pub use replay::{ListReplay, Replay};
pub use sealed_block::{BlockDecodeError, SealedBlock};
pub use senders::{SenderError, recover_sender, recover_senders};
pub use stages::Stages;
pub use update_channel::{UpdateReceiver, UpdateSender, update_channel};
pub use updates::{diff_of, updates_of};
