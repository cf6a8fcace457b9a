//! RLPTests: a value and its encoding, or bytes that are (`VALID`) or are not (`INVALID`) canonical RLP.
//!
//! What is judged is the decoder that everything else here uses, `alloy-rlp`.

use super::malformed;
use crate::fixture::{RawTest, parse_bytes};
use crate::{Outcome, Place};
use alloy_rlp::{Encodable, Header, PayloadView};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct RlpTest {
    #[serde(rename = "in")]
    value: Value,
    out: String,
}

pub(super) fn run(place: &Place, test: &RawTest<'_>) -> Vec<Outcome> {
    super::judged(place, "", judge(test))
}

fn judge(test: &RawTest<'_>) -> Result<(), String> {
    let test: RlpTest = serde_json::from_str(test.json.get()).map_err(malformed)?;
    let bytes = parse_bytes(&test.out).ok_or("malformed fixture: out is not hexadecimal")?;
    let decoded = decode(&bytes);
    match (test.value.as_str(), decoded) {
        (Some("INVALID"), Ok(item)) => Err(format!("accepted as {item:?}")),
        (Some("INVALID"), Err(_)) => Ok(()),
        (Some("VALID"), decoded) => decoded.map(|_| ()).map_err(|error| error.to_string()),
        (_, decoded) => judge_value(&test.value, &bytes, decoded),
    }
}

fn judge_value(value: &Value, bytes: &[u8], decoded: alloy_rlp::Result<Item>) -> Result<(), String> {
    let item = Item::of(value).ok_or("malformed fixture: in is no RLP value")?;
    let encoded = alloy_rlp::encode(&item);
    if encoded != bytes {
        return Err(format!("encoded as {}", alloy_primitives::hex::encode_prefixed(encoded)));
    }
    match decoded {
        Ok(decoded) if decoded == item => Ok(()),
        Ok(decoded) => Err(format!("decoded as {decoded:?}")),
        Err(error) => Err(error.to_string()),
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Item {
    String(Vec<u8>),
    List(Vec<Self>),
}

impl Item {
    /// A string is its bytes, a number its minimal big-endian form, `#…` a number too large for JSON.
    fn of(value: &Value) -> Option<Self> {
        Some(match value {
            Value::String(text) => Self::String(match text.strip_prefix('#') {
                Some(digits) => big_endian(digits)?,
                None => text.as_bytes().to_vec(),
            }),
            Value::Number(number) => Self::String(big_endian(&number.to_string())?),
            Value::Array(items) => Self::List(items.iter().map(Self::of).collect::<Option<_>>()?),
            _ => return None,
        })
    }
}

/// The minimal big-endian form of a decimal number of any size.
fn big_endian(digits: &str) -> Option<Vec<u8>> {
    let mut bytes: Vec<u8> = Vec::new();
    for digit in digits.chars() {
        let mut carry = digit.to_digit(10)?;
        for byte in bytes.iter_mut().rev() {
            carry += u32::from(*byte) * 10;
            *byte = carry as u8;
            carry >>= 8;
        }
        if carry > 0 {
            bytes.insert(0, carry as u8);
        }
    }
    Some(bytes)
}

impl Encodable for Item {
    fn encode(&self, out: &mut dyn alloy_rlp::BufMut) {
        match self {
            Self::String(bytes) => bytes.as_slice().encode(out),
            Self::List(items) => {
                let payload_length = items.iter().map(Self::length).sum();
                Header { list: true, payload_length }.encode(out);
                items.iter().for_each(|item| item.encode(out));
            }
        }
    }
}

fn decode(mut bytes: &[u8]) -> alloy_rlp::Result<Item> {
    let item = decode_item(&mut bytes)?;
    if bytes.is_empty() { Ok(item) } else { Err(alloy_rlp::Error::UnexpectedLength) }
}

fn decode_item(bytes: &mut &[u8]) -> alloy_rlp::Result<Item> {
    Ok(match Header::decode_raw(bytes)? {
        PayloadView::String(bytes) => Item::String(bytes.to_vec()),
        PayloadView::List(items) => {
            Item::List(items.into_iter().map(|mut item| decode_item(&mut item)).collect::<Result<_, _>>()?)
        }
    })
}
