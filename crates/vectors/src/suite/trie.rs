//! TrieTests: keys and values in, a root out; and the neighbours of a key in order.

use super::{malformed, reference_trie};
use crate::fixture::{RawTest, parse_bytes};
use crate::{Outcome, Place};
use alloy_primitives::{Address, B256, U256, keccak256};
use balsa_trie::{AccountUpdate, NoNodes, StateTrie, Updates, root_after};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::ops::Bound;

#[derive(Deserialize)]
struct TrieTest {
    #[serde(rename = "in")]
    input: Value,
    root: Option<B256>,
    /// Key, the key before it, the key after it; an empty string for none.
    tests: Option<Vec<[String; 3]>>,
}

type Items = BTreeMap<Vec<u8>, Vec<u8>>;

pub(super) fn run(place: &Place, test: &RawTest<'_>) -> Vec<Outcome> {
    // In a secure trie a key is hashed first. Only the name of the file says which kind a test is.
    let secure = place.file.to_ascii_lowercase().contains("secure");
    super::judged(place, "", judge(test, secure))
}

fn judge(test: &RawTest<'_>, secure: bool) -> Result<(), String> {
    let test: TrieTest = serde_json::from_str(test.json.get()).map_err(malformed)?;
    if let Some(cases) = &test.tests {
        return judge_neighbours(&test.input, cases);
    }
    let expected = test.root.ok_or("malformed fixture: neither root nor tests")?;
    let items = read(&test.input).ok_or("malformed fixture: in")?;
    let keyed = |key: &[u8]| if secure { keccak256(key).to_vec() } else { key.to_vec() };
    let hashed: Items = items.iter().map(|(key, value)| (keyed(key), value.clone())).collect();
    let root = reference_trie::root(&hashed);
    if root != expected {
        return Err(format!("root {root}, expected {expected}"));
    }
    judge_state_trie(&items)
}

/// The same keys as slots of an account, and hashes of the values as their values: the client's trie must come to the
/// root that the reference trie comes to, which the suite has just proved right.
fn judge_state_trie(items: &Items) -> Result<(), String> {
    let address_hash = keccak256(Address::ZERO);
    let slots: BTreeMap<B256, U256> =
        items.iter().map(|(key, value)| (keccak256(key), U256::from_be_bytes(keccak256(value).0))).collect();
    let update = AccountUpdate {
        address_hash,
        nonce: Some(1),
        slots: slots.iter().map(|(slot, value)| (*slot, *value)).collect(),
        ..AccountUpdate::default()
    };
    let updates = Updates { accounts: vec![update], keep_empty: false };
    let after = root_after(&StateTrie::empty(), &NoNodes, &updates).map_err(|error| error.to_string())?;
    let account = after.accounts.iter().next().flatten().ok_or("the account is gone")?;
    let items: Items = slots.into_iter().map(|(slot, value)| (slot.to_vec(), alloy_rlp::encode(value))).collect();
    let expected = reference_trie::root(&items);
    if account.storage_root == expected {
        Ok(())
    } else {
        Err(format!("the state trie's storage root is {}, the reference says {expected}", account.storage_root))
    }
}

/// An object, or a list of pairs that are applied one after another; null deletes.
fn read(input: &Value) -> Option<Items> {
    let mut items = Items::new();
    let mut put = |key: &str, value: &Value| {
        match value {
            Value::Null => items.remove(&bytes(key)),
            value => items.insert(bytes(key), bytes(value.as_str()?)),
        };
        Some(())
    };
    match input {
        Value::Object(pairs) => pairs.iter().try_for_each(|(key, value)| put(key, value))?,
        Value::Array(pairs) => {
            pairs.iter().try_for_each(|pair| put(pair.get(0)?.as_str()?, pair.get(1)?))?;
        }
        _ => return None,
    }
    Some(items)
}

/// Hexadecimal after `0x`, the text's own bytes otherwise.
fn bytes(text: &str) -> Vec<u8> {
    match text.strip_prefix("0x") {
        Some(_) => parse_bytes(text).map_or_else(|| text.as_bytes().to_vec(), |bytes| bytes.to_vec()),
        None => text.as_bytes().to_vec(),
    }
}

/// A trie's keys are in order: the neighbours of a key are those of a sorted map.
fn judge_neighbours(input: &Value, cases: &[[String; 3]]) -> Result<(), String> {
    let keys: Option<BTreeMap<&str, ()>> =
        input.as_array().and_then(|keys| keys.iter().map(|key| Some((key.as_str()?, ()))).collect());
    let keys = keys.ok_or("malformed fixture: in")?;
    for [key, before, after] in cases {
        let key = key.as_str();
        let previous =
            keys.range::<str, _>((Bound::Unbounded, Bound::Excluded(key))).next_back().map_or("", |(key, ())| key);
        let after_key = (Bound::Excluded(key), Bound::Unbounded);
        let next = keys.range::<str, _>(after_key).next().map_or("", |(key, ())| key);
        if (previous, next) != (before, after) {
            return Err(format!(
                "neighbours of {key:?} are {previous:?} and {next:?}, expected {before:?} and {after:?}"
            ));
        }
    }
    Ok(())
}
