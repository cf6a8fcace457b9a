//! From a message to calls ([JSON-RPC 2.0](https://www.jsonrpc.org/specification), sections 4 and 6).
//!
//! Nothing here recurses: a value is only looked at as deep as the request itself goes, so how deep a message nests
//! does not matter.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::{RpcError, params::AtMost};

/// A message of a client.
pub(crate) enum Message<'m> {
    Single(Entry<'m>),
    Batch(Vec<Entry<'m>>),
}

/// What should be a call. If it is none, what is said instead.
pub(crate) type Entry<'m> = Result<Call<'m>, Malformed<'m>>;

/// One call.
pub(crate) struct Call<'m> {
    /// As the caller wrote it; `None` for a notification, which is not answered.
    pub(crate) id: Option<&'m RawValue>,
    pub(crate) method: Cow<'m, str>,
    pub(crate) params: Option<&'m RawValue>,
}

/// What is not a call.
pub(crate) struct Malformed<'m> {
    /// The id, as far as there is one.
    pub(crate) id: Option<&'m RawValue>,
    pub(crate) error: RpcError,
}

impl<'m> Message<'m> {
    /// Reads a message of at most `batch_calls_max` calls.
    ///
    /// # Errors
    /// The answer to the message as a whole: it is not JSON, an empty batch, or too large a batch.
    pub(crate) fn read(bytes: &'m [u8], batch_calls_max: usize) -> Result<Self, RpcError> {
        let parse_error = |error| RpcError::new(RpcError::PARSE_ERROR, format!("parse error: {error}"));
        let value: &RawValue = serde_json::from_slice(bytes).map_err(parse_error)?;
        if !value.get().starts_with('[') {
            return Ok(Self::Single(entry(value)));
        }
        let batch = AtMost::<&RawValue>::read(value.get(), batch_calls_max).map_err(parse_error)?;
        match batch {
            AtMost { left_out: true, .. } => Err(RpcError::new(RpcError::INVALID_REQUEST, "batch too large")),
            AtMost { items, .. } if items.is_empty() => Err(RpcError::new(RpcError::INVALID_REQUEST, "empty batch")),
            AtMost { items, .. } => Ok(Self::Batch(items.into_iter().map(entry).collect())),
        }
    }
}

#[derive(Deserialize)]
struct Fields<'m> {
    #[serde(borrow)]
    jsonrpc: Cow<'m, str>,
    #[serde(borrow, default, deserialize_with = "present")]
    id: Option<&'m RawValue>,
    #[serde(borrow)]
    method: Cow<'m, str>,
    #[serde(borrow, default, deserialize_with = "present")]
    params: Option<&'m RawValue>,
}

/// Of what is not a call, the id only.
#[derive(Deserialize)]
struct IdOnly<'m> {
    #[serde(borrow, default, deserialize_with = "present")]
    id: Option<&'m RawValue>,
}

/// A field that is there, even if it is `null`.
fn present<'de, D: Deserializer<'de>>(field: D) -> Result<Option<&'de RawValue>, D::Error> {
    Deserialize::deserialize(field).map(Some)
}

fn entry(value: &RawValue) -> Entry<'_> {
    let malformed = |id, message: String| Malformed { id, error: RpcError::new(RpcError::INVALID_REQUEST, message) };
    let fields: Fields<'_> = match serde_json::from_str(value.get()) {
        Ok(fields) => fields,
        Err(error) => {
            let id = serde_json::from_str::<IdOnly<'_>>(value.get()).ok().and_then(|object| object.id);
            return Err(malformed(id.filter(|id| is_id(id)), format!("invalid request: {error}")));
        }
    };
    let Fields { jsonrpc, id, method, params } = fields;
    if id.is_some_and(|id| !is_id(id)) {
        return Err(malformed(None, "invalid request: an id is a string, a number, or null".into()));
    }
    if jsonrpc != "2.0" {
        return Err(malformed(id, "invalid request: jsonrpc must be \"2.0\"".into()));
    }
    Ok(Call { id, method, params })
}

/// Whether a value can be an id: a string, a number or null, and not so long that echoing it would be a burden.
fn is_id(value: &RawValue) -> bool {
    const ID_BYTES_MAX: usize = 1024;
    let text = value.get();
    text.len() <= ID_BYTES_MAX && !text.starts_with(['{', '[', 't', 'f'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn single(text: &str) -> Entry<'_> {
        match Message::read(text.as_bytes(), 10) {
            Ok(Message::Single(entry)) => entry,
            Ok(Message::Batch(_)) => panic!("a batch"),
            Err(error) => panic!("{error}"),
        }
    }

    #[track_caller]
    fn refused(text: &str, id: Option<&str>) {
        let Err(malformed) = single(text) else { panic!("taken: {text}") };
        assert_eq!((malformed.id.map(RawValue::get), malformed.error.code), (id, RpcError::INVALID_REQUEST), "{text}");
    }

    #[test]
    fn an_id_is_kept_as_it_was_written() {
        for id in ["1", "-1.50", "\"a\\u0041\"", "null", "18446744073709551616"] {
            let text = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"m"}}"#);
            let Ok(call) = single(&text) else { panic!("{id}") };
            assert_eq!(call.id.map(RawValue::get), Some(id));
        }
        assert!(single(r#"{"jsonrpc":"2.0","method":"m"}"#).is_ok_and(|call| call.id.is_none()));
    }

    #[test]
    fn what_is_no_request_is_refused_under_its_id() {
        refused("1", None);
        refused("{}", None);
        refused(r#"{"jsonrpc":"2.0","id":7}"#, Some("7"));
        refused(r#"{"jsonrpc":"2.0","id":7,"method":1}"#, Some("7"));
        refused(r#"{"jsonrpc":"1.0","id":7,"method":"m"}"#, Some("7"));
        refused(r#"{"id":7,"method":"m"}"#, Some("7"));
        refused(r#"{"jsonrpc":"2.0","id":[7],"method":"m"}"#, None);
        refused(r#"{"jsonrpc":"2.0","id":true,"method":"m"}"#, None);
    }

    #[test]
    fn batches_are_bounded() {
        let read = |text: &str| Message::read(text.as_bytes(), 2).map(|_| ()).map_err(|error| error.code);
        assert_eq!(read("[1,2]"), Ok(()));
        assert_eq!(read("[1,2,3]"), Err(RpcError::INVALID_REQUEST));
        assert_eq!(read("[]"), Err(RpcError::INVALID_REQUEST));
        assert_eq!(read("[1,2"), Err(RpcError::PARSE_ERROR));
        assert_eq!(read("{"), Err(RpcError::PARSE_ERROR));
        assert_eq!(read("\u{fffd}"), Err(RpcError::PARSE_ERROR));
    }

    #[test]
    fn depth_is_no_danger() {
        let deep = "[".repeat(1_000_000) + &"]".repeat(1_000_000);
        assert!(matches!(Message::read(deep.as_bytes(), 2), Ok(Message::Batch(entries)) if entries.len() == 1));
        let params = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"m","params":[{deep}]}}"#);
        let Ok(call) = single(&params) else { panic!("a call") };
        let mut params = crate::Params::read(call.params, 1).unwrap();
        let error = params.required::<serde_json::Value>("deep").unwrap_err();
        assert_eq!(error.code, RpcError::INVALID_PARAMS);
    }
}
