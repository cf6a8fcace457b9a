//! Block access lists ([EIP-7928](https://eips.ethereum.org/EIPS/eip-7928)): the list as sorted columns, the check
//! of an execution against it, and the recording of a new one.
//!
//! Pure: bytes and values in, values and verdicts out.
//!
//! - [`FlatList::decode`]: canonical bytes to sorted columns, the way into everything else; [`ListError`] names each rule
//!   of form, [`FlatList::check_item_cap`] and [`reads_feasible`] judge size.
//! - [`RowCheck`] and [`AccessBits`]: did an execution do exactly what the list declares? [`Mismatch`] and
//!   [`Unaccessed`] say where not.
//! - [`Recorder`]: a new list, a check or a trace from what an execution accesses.
//! - [`AccountChanges`], [`ListBuilder`], [`encode`]: lists as records, in the specification's words.
//! - [`diff`], [`mutate`], [`inspect`]: lists compared, broken on purpose, and explained.

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
mod mismatch;
pub mod mutate;
mod position_table;
mod recorder;
mod rlp;
mod rlp_fault;
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
pub use mismatch::{Item, Mismatch, Value};
pub use recorder::{
    Access, AccountAccess, Event, Mode, Place, Record, Recorder, Row, SYSTEM_ADDRESS, SlotAccess, Trace, Transition,
    Verify,
};
pub use rlp_fault::{RlpError, RlpFault};
pub use row_check::{Checked, RowCheck};
