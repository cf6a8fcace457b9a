//! Why a genesis file is refused. Every message names the field.

use crate::{Fork, ScheduleError};

/// Why a genesis file is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the fields of a variant are the values in its message")]
pub enum GenesisError {
    /// The file is larger than any genesis file; sizes in bytes.
    #[error("the genesis file has {found} bytes, more than {max}")]
    TooLarge { found: usize, max: usize },
    /// The file is not JSON, or not of a genesis file's shape; names the line, and the account if it is one.
    #[error("not a genesis file: {0}")]
    Json(String),
    /// A field that must be there is not.
    #[error("genesis field {field} is missing")]
    Missing { field: String },
    /// A field's value is not of its type.
    #[error("genesis field {field}: expected {expected}, found {found}")]
    Field { field: String, expected: &'static str, found: String },
    /// A field's value is of its type but must not be used.
    #[error("genesis field {field}: {reason}, found {found}")]
    Refused { field: String, reason: &'static str, found: String },
    /// Two fields that mean one fork disagree.
    #[error("genesis fields config.eip155Block ({eip155:?}) and config.eip158Block ({eip158:?}) differ")]
    SpuriousDragonSplit { eip155: Option<u64>, eip158: Option<u64> },
    /// The forks are not in order.
    #[error("genesis field config: {0}")]
    Schedule(#[from] ScheduleError),
    /// A fork is scheduled whose blob limits only the file can give.
    #[error("genesis field config.blobSchedule has no entry for {0}, which is scheduled")]
    BlobScheduleMissing(Fork),
}
