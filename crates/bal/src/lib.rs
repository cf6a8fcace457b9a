//! Block access lists ([EIP-7928](https://eips.ethereum.org/EIPS/eip-7928)): the list as sorted columns, the check
//! of an execution against it, and the recording of a new one.
//!
//! Pure: bytes and values in, values and verdicts out. Start with [`FlatList::decode`].

mod access_bits;
mod account_changes;
mod columns;
mod decode;
mod diff;
mod encode;
mod flat_list;
pub mod inspect;
mod item_cap;
mod json;
mod key_hashes;
mod list_builder;
mod list_error;
pub mod mutate;
mod position_table;
mod recorder;
mod rlp;
mod row_check;

pub use access_bits::{AccessBits, Unaccessed};
pub use account_changes::{AccountChanges, BalanceChange, Change, CodeChange, NonceChange, SlotChanges, StorageChange};
pub use decode::Limits;
pub use diff::{Divergence, Side, SlotUse, diff};
pub use encode::encode;
pub use flat_list::FlatList;
pub use item_cap::{ITEM_COST, item_count_max, reads_feasible};
pub use key_hashes::KeyHashes;
pub use list_builder::ListBuilder;
pub use list_error::{Field, ListError};
pub use recorder::{
    Access, AccountAccess, Event, Mode, Record, Recorder, Row, SYSTEM_ADDRESS, SlotAccess, Trace, Transition, Verify,
};
pub use rlp::{RlpError, RlpFault};
pub use row_check::{Checked, Item, Mismatch, RowCheck, Value};
