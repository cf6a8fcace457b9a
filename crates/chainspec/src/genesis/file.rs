//! The file as a whole.

use super::{Fields, Genesis, GenesisError, alloc::Alloc, config, header};
use serde::Deserialize;
use serde_json::{Map, Value};

/// The largest genesis file that is read, in bytes: enough for some ten million accounts.
pub const GENESIS_BYTES_MAX: usize = 2 << 30;

/// Reads a genesis file in geth's format.
///
/// # Errors
/// The first fault, naming the field. Unknown fields are no fault, as in geth.
pub fn parse(bytes: &[u8]) -> Result<Genesis, GenesisError> {
    if bytes.len() > GENESIS_BYTES_MAX {
        return Err(GenesisError::TooLarge { found: bytes.len(), max: GENESIS_BYTES_MAX });
    }
    let file: File = serde_json::from_slice(bytes).map_err(|error| GenesisError::Json(error.to_string()))?;
    let alloc = file.alloc.ok_or_else(|| GenesisError::Missing { field: "alloc".to_owned() })?;
    let config_value = file.config.ok_or_else(|| GenesisError::Missing { field: "config".to_owned() })?;
    let config = Fields::new("config", config_value);
    let header = header::read(&Fields::new("", file.header))?;
    Ok(Genesis { spec: config::spec(&config)?, header, alloc: alloc.0, unknown_forks: config::unknown_forks(&config) })
}

#[derive(Deserialize)]
struct File {
    config: Option<Map<String, Value>>,
    alloc: Option<Alloc>,
    #[serde(flatten)]
    header: Map<String, Value>,
}
