//! The chain that a fixture is on: its rules, and its genesis header.

use crate::Options;
use crate::fixture::{ChainConfig, GenesisHeader};
use alloy_consensus::Header;
use balsa_chainspec::{BlobRules, ChainSpec, Fork, TestNetworkConfig};

/// The rules of the network that the suite calls `name`.
pub(crate) fn test_chain(name: &str, config: &ChainConfig, options: &Options) -> Result<ChainSpec, String> {
    let blobs = |(fork, limits): (&String, &crate::fixture::BlobSchedule)| {
        let fork = Fork::from_test_name(fork).ok_or_else(|| format!("blobSchedule names the unknown fork {fork}"))?;
        let rules = BlobRules {
            target: limits.target.0,
            max: limits.max.0,
            max_per_transaction: None,
            update_fraction: limits.base_fee_update_fraction.0,
        };
        Ok((fork, rules))
    };
    let config = TestNetworkConfig {
        chain_id: config.chainid.map(|id| id.0),
        blob_schedule: config.blob_schedule.iter().map(blobs).collect::<Result<_, String>>()?,
        overrides: options.rules.clone(),
    };
    ChainSpec::for_test_network(name, &config).map_err(|error| error.to_string())
}

/// The header of a fixture's genesis block, checked against the hash that the fixture gives.
pub(crate) fn genesis_header(fixture: &GenesisHeader) -> Result<Header, String> {
    let header = Header {
        parent_hash: fixture.parent_hash,
        ommers_hash: fixture.uncle_hash,
        beneficiary: fixture.coinbase,
        state_root: fixture.state_root,
        transactions_root: fixture.transactions_trie,
        receipts_root: fixture.receipt_trie,
        logs_bloom: fixture.bloom,
        difficulty: fixture.difficulty.0,
        number: fixture.number.0,
        gas_limit: fixture.gas_limit.0,
        gas_used: fixture.gas_used.0,
        timestamp: fixture.timestamp.0,
        extra_data: fixture.extra_data.clone(),
        mix_hash: fixture.mix_hash,
        nonce: fixture.nonce,
        base_fee_per_gas: fixture.base_fee_per_gas.map(|fee| fee.0),
        withdrawals_root: fixture.withdrawals_root,
        blob_gas_used: fixture.blob_gas_used.map(|gas| gas.0),
        excess_blob_gas: fixture.excess_blob_gas.map(|gas| gas.0),
        parent_beacon_block_root: fixture.parent_beacon_block_root,
        requests_hash: fixture.requests_hash,
        block_access_list_hash: fixture.block_access_list_hash,
        slot_number: fixture.slot_number.map(|slot| slot.0),
    };
    let hash = header.hash_slow();
    if hash == fixture.hash {
        Ok(header)
    } else {
        Err(format!("genesis block has hash {hash}, the fixture says {}", fixture.hash))
    }
}
