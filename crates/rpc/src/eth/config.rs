//! The forks that this node follows ([EIP-7910](https://eips.ethereum.org/EIPS/eip-7910)).

use std::collections::BTreeMap;

use alloy_eips::{
    eip7840::BlobParams,
    eip7910::{EthConfig, EthForkConfig, SystemContract},
};
use alloy_primitives::{Address, Bytes};
use balsa_chain::ChainView;
use balsa_chainspec::{Fork, ForkIdGenesis, Rules, Switch};

use crate::{Context, Methods, Params, RpcError};

/// Names of the precompiles, with the fork that brought each.
const PRECOMPILES: [(&str, u64, Fork); 18] = [
    ("ECREC", 0x01, Fork::Frontier),
    ("SHA256", 0x02, Fork::Frontier),
    ("RIPEMD160", 0x03, Fork::Frontier),
    ("ID", 0x04, Fork::Frontier),
    ("MODEXP", 0x05, Fork::Byzantium),
    ("BN254_ADD", 0x06, Fork::Byzantium),
    ("BN254_MUL", 0x07, Fork::Byzantium),
    ("BN254_PAIRING", 0x08, Fork::Byzantium),
    ("BLAKE2F", 0x09, Fork::Istanbul),
    ("KZG_POINT_EVALUATION", 0x0a, Fork::Cancun),
    ("BLS12_G1ADD", 0x0b, Fork::Prague),
    ("BLS12_G1MSM", 0x0c, Fork::Prague),
    ("BLS12_G2ADD", 0x0d, Fork::Prague),
    ("BLS12_G2MSM", 0x0e, Fork::Prague),
    ("BLS12_PAIRING_CHECK", 0x0f, Fork::Prague),
    ("BLS12_MAP_FP_TO_G1", 0x10, Fork::Prague),
    ("BLS12_MAP_FP2_TO_G2", 0x11, Fork::Prague),
    ("P256VERIFY", 0x100, Fork::Osaka),
];

pub(crate) fn register(methods: &mut Methods) {
    methods.add("eth_config", 0, config);
}

/// The fork of the head, the next one if there is one, and the last of all that are scheduled.
fn config(context: &Context, _: Params) -> Result<EthConfig, RpcError> {
    let view = context.node.view();
    let now = view.head().block.header.timestamp;
    let mut times: Vec<u64> = view.spec().schedule.entries(Switch::Timestamp).map(|(_, at)| at).collect();
    times.extend(view.spec().block_access_list_time);
    times.sort_unstable();
    times.dedup();
    let at = |time: &u64| fork_config(&view, *time);
    let current = times.iter().rfind(|time| **time <= now).map(at).transpose()?.flatten();
    let unknown = || RpcError::new(RpcError::SERVER_ERROR, "no fork from Cancun on is active");
    Ok(EthConfig {
        current: current.ok_or_else(unknown)?,
        next: times.iter().find(|time| **time > now).map(at).transpose()?.flatten(),
        last: times.last().filter(|last| **last > now).map(at).transpose()?.flatten(),
    })
}

/// The configuration from this time on; `None` before there were blobs.
fn fork_config(view: &ChainView, time: u64) -> Result<Option<EthForkConfig>, RpcError> {
    let spec = view.spec();
    let rules = spec.rules_at(view.head().number(), time, true);
    let Some(blobs) = rules.blobs else { return Ok(None) };
    let mut blob_schedule = BlobParams::cancun();
    blob_schedule.target_blob_count = blobs.target;
    blob_schedule.max_blob_count = blobs.max;
    blob_schedule.update_fraction = blobs.update_fraction.into();
    Ok(Some(EthForkConfig {
        activation_time: if time <= genesis(view)?.timestamp { 0 } else { time },
        blob_schedule,
        chain_id: spec.chain_id,
        fork_id: Bytes::copy_from_slice(&spec.fork_id(genesis(view)?, view.head().number(), time).hash.0),
        precompiles: precompiles(&rules),
        system_contracts: system_contracts(&rules),
    }))
}

fn genesis(view: &ChainView) -> Result<ForkIdGenesis, RpcError> {
    let missing = || RpcError::internal("the genesis block is missing");
    let hash = view.canonical_hash(0)?.ok_or_else(missing)?;
    let timestamp = view.header(&hash)?.ok_or_else(missing)?.timestamp;
    Ok(ForkIdGenesis { hash, timestamp })
}

fn precompiles(rules: &Rules) -> BTreeMap<String, Address> {
    let active = PRECOMPILES.iter().filter(|(_, _, since)| rules.has(*since));
    active.map(|(name, address, _)| ((*name).to_owned(), Address::left_padding_from(&address.to_be_bytes()))).collect()
}

fn system_contracts(rules: &Rules) -> BTreeMap<SystemContract, Address> {
    let mut contracts = BTreeMap::new();
    if rules.has(Fork::Cancun) {
        contracts.extend(SystemContract::cancun());
    }
    if rules.has(Fork::Prague) {
        contracts.extend(SystemContract::prague(Some(rules.deposit_contract)));
    }
    if rules.has(Fork::Amsterdam) {
        contracts.extend(SystemContract::amsterdam());
    }
    contracts
}
