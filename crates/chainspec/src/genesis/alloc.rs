//! The first state. Read account by account, so that a file of millions of them costs little more memory
//! than the accounts themselves.

use super::Fields;
use alloy_primitives::{Address, B256, Bytes, U256};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::{Map, Value};
use std::{collections::BTreeMap, fmt};

/// An account of the first state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GenesisAccount {
    /// Balance, in wei.
    pub balance: U256,
    /// Nonce.
    pub nonce: u64,
    /// Code; may be empty.
    pub code: Bytes,
    /// Storage, by slot. Zero values are left out.
    pub storage: BTreeMap<B256, U256>,
}

/// The `alloc` object.
pub(super) struct Alloc(pub(super) BTreeMap<Address, GenesisAccount>);

impl<'de> Deserialize<'de> for Alloc {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(AllocVisitor)
    }
}

struct AllocVisitor;

impl<'de> Visitor<'de> for AllocVisitor {
    type Value = Alloc;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("alloc as an object of accounts by address")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Alloc, A::Error> {
        let mut accounts = BTreeMap::new();
        while let Some(key) = map.next_key::<String>()? {
            let address: Address =
                key.parse().map_err(|_| A::Error::custom(format!("alloc.{key}: not an address in hex")))?;
            let account =
                account(map.next_value()?).map_err(|reason| A::Error::custom(format!("alloc.{address}: {reason}")))?;
            if accounts.insert(address, account).is_some() {
                return Err(A::Error::custom(format!("alloc.{address}: stands twice")));
            }
        }
        Ok(Alloc(accounts))
    }
}

fn account(map: Map<String, Value>) -> Result<GenesisAccount, String> {
    let fields = Fields::new("", map);
    let read = || {
        Ok(GenesisAccount {
            balance: fields.require("balance", fields.quantity256("balance"))?,
            nonce: fields.quantity64("nonce")?.unwrap_or(0),
            code: fields.bytes("code")?.unwrap_or_default(),
            storage: BTreeMap::new(),
        })
    };
    let account = read().map_err(|error: super::GenesisError| error.to_string())?;
    let storage = match fields.object("storage").map_err(|error| error.to_string())? {
        None => BTreeMap::new(),
        Some(slots) => storage(&slots)?,
    };
    Ok(GenesisAccount { storage, ..account })
}

fn storage(slots: &Fields) -> Result<BTreeMap<B256, U256>, String> {
    let mut storage = BTreeMap::new();
    for name in slots.names() {
        let key = word(name).ok_or_else(|| format!("storage.{name}: not a slot in hex"))?;
        let value =
            slots.text(name).and_then(word).ok_or_else(|| format!("storage.{name}: the value is not a word in hex"))?;
        if !value.is_zero() {
            storage.insert(B256::from(key), value);
        }
    }
    Ok(storage)
}

/// Up to 32 bytes in hex, with or without `0x`, short ones filled up on the left.
fn word(text: &str) -> Option<U256> {
    let hex = text.strip_prefix("0x").unwrap_or(text);
    if hex.is_empty() { Some(U256::ZERO) } else { U256::from_str_radix(hex, 16).ok() }
}
