//! Records as JSON, with the names of the official test suites:
//!
//! ```json
//! {"address": "0x…", "storageChanges": [{"slot": "0x0", "slotChanges": [{"blockAccessIndex": "0x1", "postValue": "0x2"}]}],
//!  "storageReads": ["0x3"], "balanceChanges": [{"blockAccessIndex": "0x1", "postBalance": "0x4"}],
//!  "nonceChanges": [{"blockAccessIndex": "0x1", "postNonce": "0x5"}],
//!  "codeChanges": [{"blockAccessIndex": "0x1", "newCode": "0x6000"}]}
//! ```
//!
//! Integers are read with or without leading zeros.

use crate::{AccountChanges, Change, SlotChanges};
use alloy_primitives::{Address, Bytes, U64, U256};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser::SerializeStruct};

impl Serialize for AccountChanges {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let nonces: Vec<_> = self.nonce_changes.iter().map(|change| (*change).map(U64::from)).collect();
        let mut account = serializer.serialize_struct("AccountChanges", 6)?;
        account.serialize_field("address", &self.address)?;
        account.serialize_field("storageChanges", &self.storage_changes)?;
        account.serialize_field("storageReads", &self.storage_reads)?;
        account.serialize_field("balanceChanges", &named("postBalance", &self.balance_changes))?;
        account.serialize_field("nonceChanges", &named("postNonce", &nonces))?;
        account.serialize_field("codeChanges", &named("newCode", &self.code_changes))?;
        account.end()
    }
}

impl Serialize for SlotChanges {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut slot = serializer.serialize_struct("SlotChanges", 2)?;
        slot.serialize_field("slot", &self.slot)?;
        slot.serialize_field("slotChanges", &named("postValue", &self.changes))?;
        slot.end()
    }
}

/// A change under the name that its value has in its field.
struct Named<'a, T> {
    name: &'static str,
    change: &'a Change<T>,
}

fn named<'a, T>(name: &'static str, changes: &'a [Change<T>]) -> Vec<Named<'a, T>> {
    changes.iter().map(|change| Named { name, change }).collect()
}

impl<T: Serialize> Serialize for Named<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut change = serializer.serialize_struct("Change", 2)?;
        change.serialize_field("blockAccessIndex", &U64::from(self.change.block_access_index))?;
        change.serialize_field(self.name, &self.change.post)?;
        change.end()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AccountJson {
    address: Address,
    storage_changes: Vec<SlotJson>,
    storage_reads: Vec<U256>,
    balance_changes: Vec<ChangeJson<U256>>,
    nonce_changes: Vec<ChangeJson<U64>>,
    code_changes: Vec<ChangeJson<Bytes>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SlotJson {
    slot: U256,
    slot_changes: Vec<ChangeJson<U256>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ChangeJson<T> {
    block_access_index: U64,
    #[serde(alias = "postValue", alias = "postBalance", alias = "postNonce", alias = "newCode")]
    post: T,
}

impl<'de> Deserialize<'de> for AccountChanges {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let account = AccountJson::deserialize(deserializer)?;
        let slot = |slot: SlotJson| Ok(SlotChanges { slot: slot.slot, changes: changes(slot.slot_changes)? });
        Ok(Self {
            address: account.address,
            storage_changes: account.storage_changes.into_iter().map(slot).collect::<Result<_, D::Error>>()?,
            storage_reads: account.storage_reads,
            balance_changes: changes(account.balance_changes)?,
            nonce_changes: changes(account.nonce_changes)?.into_iter().map(|change| change.map(|n| n.to())).collect(),
            code_changes: changes(account.code_changes)?,
        })
    }
}

fn changes<T, E: de::Error>(changes: Vec<ChangeJson<T>>) -> Result<Vec<Change<T>>, E> {
    let change = |change: ChangeJson<T>| {
        let index = change.block_access_index;
        let block_access_index = index.try_into().map_err(|_| E::custom(format!("block access index {index}")))?;
        Ok(Change { block_access_index, post: change.post })
    };
    changes.into_iter().map(change).collect()
}
