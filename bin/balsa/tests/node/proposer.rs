//! A consensus client of few words, which proposes blocks through a node; and the chains that it does so on.

use crate::process::NodeProcess;
use alloy_primitives::{Address, B256, hex};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The versions of the Engine API's methods that a fork has.
#[derive(Clone, Copy)]
pub(crate) struct Versions {
    pub(crate) choice: &'static str,
    pub(crate) get: &'static str,
    pub(crate) new: &'static str,
}

pub(crate) const PRAGUE: Versions =
    Versions { choice: "engine_forkchoiceUpdatedV3", get: "engine_getPayloadV4", new: "engine_newPayloadV4" };

pub(crate) const AMSTERDAM: Versions =
    Versions { choice: "engine_forkchoiceUpdatedV4", get: "engine_getPayloadV6", new: "engine_newPayloadV5" };

/// Proposes on a node's head.
pub(crate) struct Proposer<'a> {
    node: &'a NodeProcess,
    versions: Versions,
    head: Value,
    slot: u64,
}

impl<'a> Proposer<'a> {
    pub(crate) fn new(node: &'a NodeProcess, versions: Versions) -> Self {
        let head = node.call("eth_getBlockByNumber", &json!(["latest", false]))["result"]["hash"].take();
        assert!(head.is_string());
        Self { node, versions, head, slot: 0 }
    }

    /// Starts a build process in the next slot: its name.
    pub(crate) fn begin(&mut self) -> Value {
        self.slot += 1;
        let mut attributes = json!({
            "timestamp": format!("{:#x}", 1_000_000 + 12 * self.slot),
            "prevRandao": B256::with_last_byte(1),
            "suggestedFeeRecipient": Address::repeat_byte(0xfe),
            "withdrawals": [],
            "parentBeaconBlockRoot": B256::ZERO,
        });
        if self.versions.choice == AMSTERDAM.choice {
            attributes["slotNumber"] = json!(format!("{:#x}", self.slot));
            attributes["targetGasLimit"] = json!("0x3938700");
        }
        let answer = self.choose(&self.head, &attributes);
        assert!(answer["result"]["payloadId"].is_string(), "{answer}");
        answer["result"]["payloadId"].clone()
    }

    /// What the process of this name has built.
    pub(crate) fn fetch(&self, id: &Value) -> Value {
        let mut answer = self.node.engine(self.versions.get, &json!([id]));
        assert!(answer["result"]["executionPayload"].is_object(), "{answer}");
        answer["result"].take()
    }

    /// Brings a payload, with the hashes of its blobs, and makes it the head.
    pub(crate) fn bring(&mut self, built: &Value, hashes: &[B256]) {
        let payload = &built["executionPayload"];
        let params = json!([payload, hashes, B256::ZERO, built["executionRequests"]]);
        let answer = self.node.engine(self.versions.new, &params);
        assert_eq!(answer["result"]["status"], "VALID", "{answer}");
        self.head = payload["blockHash"].clone();
        let answer = self.choose(&self.head, &Value::Null);
        assert_eq!(answer["result"]["payloadStatus"]["status"], "VALID", "{answer}");
    }

    /// Proposes a block of what waits in the pool.
    pub(crate) fn propose(&mut self) -> Value {
        let id = self.begin();
        let built = self.fetch(&id);
        self.bring(&built, &[]);
        built
    }

    fn choose(&self, head: &Value, attributes: &Value) -> Value {
        let state = json!({
            "headBlockHash": head,
            "safeBlockHash": B256::ZERO,
            "finalizedBlockHash": B256::ZERO,
        });
        self.node.engine(self.versions.choice, &json!([state, attributes]))
    }
}

/// The development chain, changed.
pub(crate) fn genesis(folder: &Path, change: impl FnOnce(&mut Value)) -> PathBuf {
    let dev = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates/chainspec/networks/dev.json");
    let mut genesis = serde_json::from_slice(&fs::read(dev).expect("the development chain")).expect("JSON");
    change(&mut genesis);
    let path = folder.join("genesis.json");
    fs::write(&path, genesis.to_string()).expect("a file");
    path
}

/// Ends the development chain's forks with Prague.
pub(crate) fn to_prague(genesis: &mut Value) {
    let config = genesis["config"].as_object_mut().expect("a config");
    for fork in ["osakaTime", "bpo1Time", "bpo2Time", "amsterdamTime"] {
        assert!(config.remove(fork).is_some(), "{fork}");
    }
}

/// Gives accounts a thousand ether each.
pub(crate) fn fund(genesis: &mut Value, accounts: impl IntoIterator<Item = Address>) {
    for address in accounts {
        genesis["alloc"][hex::encode_prefixed(address)] = json!({ "balance": "0x3635c9adc5dea00000" });
    }
}
