//! The parameters of a call, by position.

use std::{fmt, vec};

use alloy_primitives::B256;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, IgnoredAny, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::RpcError;

/// The parameters of a call, taken one after another. All Ethereum methods take them by position.
#[derive(Debug, Default)]
pub struct Params {
    values: vec::IntoIter<Box<RawValue>>,
}

impl Params {
    /// Reads what stands under `params`, if anything does.
    ///
    /// # Errors
    /// -32602: more than `max`, or parameters by name.
    pub(crate) fn read(params: Option<&RawValue>, max: usize) -> Result<Self, RpcError> {
        let Some(params) = params.map(RawValue::get).filter(|text| *text != "null") else { return Ok(Self::default()) };
        let values: AtMost<Box<RawValue>> = match params.starts_with('[') {
            true => AtMost::read(params, max).map_err(|error| RpcError::invalid_params(error.to_string()))?,
            false => return Err(RpcError::invalid_params("non-array args")),
        };
        if values.left_out {
            return Err(RpcError::invalid_params(format!("too many arguments, want at most {max}")));
        }
        Ok(Self { values: values.items.into_iter() })
    }

    /// The next parameter.
    ///
    /// # Errors
    /// -32602: it is missing or `null`, or not of this type.
    pub fn required<T: DeserializeOwned>(&mut self, name: &str) -> Result<T, RpcError> {
        let missing = || RpcError::invalid_params(format!("missing value for required argument {name}"));
        self.optional(name)?.ok_or_else(missing)
    }

    /// The next parameter, which may be left out or `null`.
    ///
    /// # Errors
    /// -32602: it is not of this type.
    pub fn optional<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, RpcError> {
        let Some(value) = self.values.next() else { return Ok(None) };
        let invalid = |error| RpcError::invalid_params(format!("invalid argument {name}: {error}"));
        serde_json::from_str(value.get()).map_err(invalid)
    }

    /// The next parameter, a hash: 32 bytes of hexadecimal after `0x`.
    ///
    /// # Errors
    /// -32602: it is missing, or something else.
    pub fn hash(&mut self, name: &str) -> Result<B256, RpcError> {
        let text: String = self.required(name)?;
        let hash = text.starts_with("0x").then(|| text.parse().ok()).flatten();
        hash.ok_or_else(|| RpcError::invalid_params(format!("invalid argument {name}: want 32 bytes after 0x")))
    }

    /// The next parameter as it stands in the request; `None` if it is left out.
    pub fn raw(&mut self) -> Option<Box<RawValue>> {
        self.values.next()
    }
}

/// The first items of an array, and whether there were more: an array is read without keeping all of it.
pub(crate) struct AtMost<T> {
    pub(crate) items: Vec<T>,
    pub(crate) left_out: bool,
}

impl<'de, T: Deserialize<'de>> AtMost<T> {
    pub(crate) fn read(array: &'de str, max: usize) -> serde_json::Result<Self> {
        serde_json::Deserializer::from_str(array).deserialize_seq(AtMostVisitor { max, item: std::marker::PhantomData })
    }
}

struct AtMostVisitor<T> {
    max: usize,
    item: std::marker::PhantomData<T>,
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for AtMostVisitor<T> {
    type Value = AtMost<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while items.len() < self.max {
            match array.next_element()? {
                Some(item) => items.push(item),
                None => return Ok(AtMost { items, left_out: false }),
            }
        }
        let left_out = array.next_element::<IgnoredAny>()?.is_some();
        while array.next_element::<IgnoredAny>()?.is_some() {}
        Ok(AtMost { items, left_out })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(text: &str) -> Result<Params, RpcError> {
        let raw = RawValue::from_string(text.to_owned()).unwrap();
        Params::read(Some(&raw), 2)
    }

    #[test]
    fn they_come_in_order() {
        let mut params = params(r#" [1, null] "#).unwrap();
        assert_eq!(params.required::<u64>("first"), Ok(1));
        assert_eq!(params.optional::<u64>("second"), Ok(None));
        assert_eq!(params.optional::<u64>("third"), Ok(None));
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        let mut wrong = params(r#"["x", null]"#).unwrap();
        for name in ["first", "second", "third"] {
            let error = wrong.required::<u64>(name).unwrap_err();
            assert_eq!(error.code, RpcError::INVALID_PARAMS);
            assert!(error.message.contains(name), "{error}");
        }
    }

    #[test]
    fn too_many_and_named_ones_are_refused() {
        for text in ["[1, 2, 3]", r#"{"a": 1}"#, "1", r#""a""#] {
            assert_eq!(params(text).unwrap_err().code, RpcError::INVALID_PARAMS, "{text}");
        }
        assert!(params("null").is_ok() && params("[]").is_ok());
    }
}
