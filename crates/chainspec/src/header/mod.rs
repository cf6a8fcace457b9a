//! The rules that a header must obey, given its parent's.

mod error;
mod fields;
mod ommers;
mod rules;

pub use error::{HeaderError, HeaderField};
pub use ommers::{Ancestor, OMMER_ANCESTORS_MAX, OmmerError, validate_ommers};
pub use rules::validate_header;
