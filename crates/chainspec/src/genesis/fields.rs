//! The fields of a JSON object, read as geth reads them: numbers as JSON numbers, hex or decimal strings.

use super::GenesisError;
use alloy_primitives::{Address, B256, Bytes, U256};
use serde_json::{Map, Value};
use std::str::FromStr;

/// The terminal total difficulty of mainnet. Files give it as a JSON number, which cannot be read exactly in 64
/// bits; this one value is known by its rounded form, any other must be given as a string.
const MAINNET_TERMINAL_TOTAL_DIFFICULTY: &str = "58750000000000000000000";

/// A JSON object and where it stands in the file.
pub(crate) struct Fields {
    path: String,
    map: Map<String, Value>,
}

impl Fields {
    /// The fields of `map`, which stands at `path` (empty for the whole file).
    pub(crate) fn new(path: impl Into<String>, map: Map<String, Value>) -> Self {
        Self { path: path.into(), map }
    }

    /// The fields of a value that must be an object.
    pub(crate) fn of(path: impl Into<String>, value: Value) -> Result<Self, GenesisError> {
        match value {
            Value::Object(map) => Ok(Self::new(path, map)),
            other => Err(field_error(path.into(), "an object", &other)),
        }
    }

    /// The names of all fields.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.map.keys().map(String::as_str)
    }

    /// A number of at most 64 bits.
    pub(crate) fn quantity64(&self, name: &str) -> Result<Option<u64>, GenesisError> {
        const EXPECTED: &str = "a number of at most 64 bits";
        self.read(name, EXPECTED, |value| u64::try_from(quantity(value)?).ok())
    }

    /// A number of at most 256 bits.
    pub(crate) fn quantity256(&self, name: &str) -> Result<Option<U256>, GenesisError> {
        const EXPECTED: &str = "a number of at most 256 bits, as a string where it exceeds 64 bits";
        self.read(name, EXPECTED, quantity)
    }

    /// Bytes in hex, with `0x`.
    pub(crate) fn bytes(&self, name: &str) -> Result<Option<Bytes>, GenesisError> {
        self.read(name, "bytes in hex with 0x", |value| {
            let text = value.as_str().filter(|text| text.starts_with("0x"))?;
            Bytes::from_str(text).ok()
        })
    }

    /// A 32-byte hash in hex.
    pub(crate) fn hash(&self, name: &str) -> Result<Option<B256>, GenesisError> {
        self.read(name, "32 bytes in hex", |value| value.as_str()?.parse().ok())
    }

    /// A 20-byte address in hex.
    pub(crate) fn address(&self, name: &str) -> Result<Option<Address>, GenesisError> {
        self.read(name, "an address in hex", |value| value.as_str()?.parse().ok())
    }

    /// True or false.
    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, GenesisError> {
        self.read(name, "true or false", Value::as_bool)
    }

    /// A string.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.map.get(name)?.as_str()
    }

    /// An object.
    pub(crate) fn object(&self, name: &str) -> Result<Option<Self>, GenesisError> {
        self.present(name).map(|value| Self::of(self.full_name(name), value.clone())).transpose()
    }

    /// Whether the field is there and not null.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.present(name).is_some()
    }

    /// Makes a field's absence an error.
    pub(crate) fn require<T>(&self, name: &str, value: Result<Option<T>, GenesisError>) -> Result<T, GenesisError> {
        value?.ok_or_else(|| GenesisError::Missing { field: self.full_name(name) })
    }

    /// An error about a value that is of its type but must not be used.
    pub(crate) fn refuse(&self, name: &str, reason: &'static str) -> GenesisError {
        let found = self.map.get(name).map_or_else(|| "nothing".to_owned(), shown);
        GenesisError::Refused { field: self.full_name(name), reason, found }
    }

    fn present(&self, name: &str) -> Option<&Value> {
        self.map.get(name).filter(|value| !value.is_null())
    }

    fn read<T>(
        &self,
        name: &str,
        expected: &'static str,
        parse: impl Fn(&Value) -> Option<T>,
    ) -> Result<Option<T>, GenesisError> {
        let Some(value) = self.present(name) else {
            return Ok(None);
        };
        match parse(value) {
            Some(parsed) => Ok(Some(parsed)),
            None => Err(field_error(self.full_name(name), expected, value)),
        }
    }

    fn full_name(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }
}

/// A number as geth takes it: a JSON number, or a string in decimal or, after `0x`, in hex.
fn quantity(value: &Value) -> Option<U256> {
    match value {
        Value::Number(number) => match number.as_u64() {
            Some(exact) => Some(U256::from(exact)),
            None => rounded_terminal_total_difficulty(number.as_f64()?),
        },
        Value::String(text) => match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
            Some("") => Some(U256::ZERO),
            Some(hex) => U256::from_str_radix(hex, 16).ok(),
            None => U256::from_str_radix(text, 10).ok(),
        },
        _ => None,
    }
}

fn rounded_terminal_total_difficulty(rounded: f64) -> Option<U256> {
    let known: f64 = MAINNET_TERMINAL_TOTAL_DIFFICULTY.parse().ok()?;
    (rounded.to_bits() == known.to_bits())
        .then(|| U256::from_str_radix(MAINNET_TERMINAL_TOTAL_DIFFICULTY, 10).ok())
        .flatten()
}

fn field_error(field: String, expected: &'static str, found: &Value) -> GenesisError {
    GenesisError::Field { field, expected, found: shown(found) }
}

/// The value as JSON, cut where it would flood a message.
fn shown(value: &Value) -> String {
    const SHOWN_MAX: usize = 80;
    let text = value.to_string();
    match text.char_indices().nth(SHOWN_MAX) {
        None => text,
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}
