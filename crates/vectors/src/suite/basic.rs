//! BasicTests.
use crate::{Options, Outcome};
/// Runs.
pub fn run(_path: &str, _bytes: &[u8], _options: &Options) -> Vec<Outcome> {
    Vec::new()
}
