//! The `config` object: geth's `ChainConfig`.

use super::{Fields, GenesisError};
use crate::{BlobRules, ChainSpec, Fork, Rules, Schedule, Switch};
use alloy_primitives::{Address, U256};

/// The key of each scheduled fork, but for Spurious Dragon, which has two.
const FORK_KEYS: [(Fork, &str); 22] = [
    (Fork::Homestead, "homesteadBlock"),
    (Fork::Dao, "daoForkBlock"),
    (Fork::TangerineWhistle, "eip150Block"),
    (Fork::Byzantium, "byzantiumBlock"),
    (Fork::Constantinople, "constantinopleBlock"),
    (Fork::Petersburg, "petersburgBlock"),
    (Fork::Istanbul, "istanbulBlock"),
    (Fork::MuirGlacier, "muirGlacierBlock"),
    (Fork::Berlin, "berlinBlock"),
    (Fork::London, "londonBlock"),
    (Fork::ArrowGlacier, "arrowGlacierBlock"),
    (Fork::GrayGlacier, "grayGlacierBlock"),
    (Fork::Shanghai, "shanghaiTime"),
    (Fork::Cancun, "cancunTime"),
    (Fork::Prague, "pragueTime"),
    (Fork::Osaka, "osakaTime"),
    (Fork::Bpo1, "bpo1Time"),
    (Fork::Bpo2, "bpo2Time"),
    (Fork::Bpo3, "bpo3Time"),
    (Fork::Bpo4, "bpo4Time"),
    (Fork::Bpo5, "bpo5Time"),
    (Fork::Amsterdam, "amsterdamTime"),
];

/// Keys that end like a fork's and are known.
const OTHER_POINTS: [&str; 4] = ["eip155Block", "eip158Block", "mergeNetsplitBlock", "balTime"];

/// Reads the `config` object.
pub(super) fn spec(config: &Fields) -> Result<ChainSpec, GenesisError> {
    let schedule = schedule(config)?;
    let blob_schedule = match config.object("blobSchedule")? {
        None => Vec::new(),
        Some(entries) => blob_schedule(&entries)?,
    };
    check_blob_schedule(&schedule, &blob_schedule)?;
    let terminal_total_difficulty = config.quantity256("terminalTotalDifficulty")?;
    if terminal_total_difficulty.is_none() && schedule.entries(Switch::Timestamp).next().is_some() {
        return Err(GenesisError::Missing { field: "config.terminalTotalDifficulty".to_owned() });
    }
    if config.has("clique") && terminal_total_difficulty != Some(U256::ZERO) {
        return Err(config.refuse("clique", "proof of authority cannot be checked"));
    }
    Ok(ChainSpec {
        chain_id: config.require("chainId", config.quantity64("chainId"))?,
        schedule,
        terminal_total_difficulty,
        merge_netsplit_block: config.quantity64("mergeNetsplitBlock")?,
        dao_fork_support: config.flag("daoForkSupport")?.unwrap_or(false),
        block_access_list_time: config.quantity64("balTime")?,
        // As in geth: a chain that names no deposit contract has none, and nothing lives at address zero.
        deposit_contract: config.address("depositContractAddress")?.unwrap_or(Address::ZERO),
        blob_schedule,
        overrides: Vec::new(),
    })
}

/// Keys that look like a fork's, carry a value, and are not known.
pub(super) fn unknown_forks(config: &Fields) -> Vec<String> {
    let is_known = |name: &str| OTHER_POINTS.contains(&name) || FORK_KEYS.iter().any(|(_, key)| *key == name);
    config
        .names()
        .filter(|name| name.ends_with("Time") || name.ends_with("Block"))
        .filter(|name| config.has(name) && !is_known(name))
        .map(str::to_owned)
        .collect()
}

/// Reads blob limits by fork. The names of forks are taken in any case, as genesis files and test vectors differ.
pub(crate) fn blob_schedule(entries: &Fields) -> Result<Vec<(Fork, BlobRules)>, GenesisError> {
    let mut schedule = Vec::new();
    for name in entries.names().filter(|name| entries.has(name)) {
        let Some(fork) = blob_fork(name) else {
            return Err(entries.refuse(name, "not the name of a fork with blobs"));
        };
        if let Some(limits) = entries.object(name)? {
            schedule.push((fork, blob_limits(&limits, fork)?));
        }
    }
    schedule.sort_by_key(|(fork, _)| *fork);
    Ok(schedule)
}

fn schedule(config: &Fields) -> Result<Schedule, GenesisError> {
    let mut schedule = Schedule::default();
    for (fork, key) in FORK_KEYS {
        schedule.set(fork, config.quantity64(key)?);
    }
    let (eip155, eip158) = (config.quantity64("eip155Block")?, config.quantity64("eip158Block")?);
    if eip155 != eip158 {
        return Err(GenesisError::SpuriousDragonSplit { eip155, eip158 });
    }
    schedule.set(Fork::SpuriousDragon, eip158);
    if schedule.at(Fork::Petersburg).is_none() {
        // geth: without an entry of its own, Petersburg repairs Constantinople from its first block on.
        schedule.set(Fork::Petersburg, schedule.at(Fork::Constantinople));
    }
    schedule.check()?;
    Ok(schedule)
}

fn blob_fork(name: &str) -> Option<Fork> {
    Fork::ALL.into_iter().filter(|fork| *fork >= Fork::Cancun).find(|fork| fork.name().eq_ignore_ascii_case(name))
}

fn blob_limits(limits: &Fields, fork: Fork) -> Result<BlobRules, GenesisError> {
    let number = |name| limits.require(name, limits.quantity64(name));
    let (target, max) = (number("target")?, number("max")?);
    let update_fraction = number("baseFeeUpdateFraction")?;
    if target > max {
        return Err(limits.refuse("target", "the target lies above the maximum"));
    }
    if max > BLOBS_MAX {
        return Err(limits.refuse("max", "more blobs than a block can hold"));
    }
    if update_fraction == 0 {
        return Err(limits.refuse("baseFeeUpdateFraction", "the fraction divides and cannot be zero"));
    }
    let max_per_transaction = Rules::mainnet(fork).blobs.and_then(|row| row.max_per_transaction);
    Ok(BlobRules { target, max, max_per_transaction, update_fraction })
}

/// More blobs than this are a mistake in the file: it is a thousand times what a network could carry, and the
/// blob gas of all of them is far from overflowing.
const BLOBS_MAX: u64 = 1 << 16;

/// Mainnet knows limits for the forks that it has scheduled; the other blob-parameter-only forks mean nothing
/// without an entry.
fn check_blob_schedule(schedule: &Schedule, blob_schedule: &[(Fork, BlobRules)]) -> Result<(), GenesisError> {
    for fork in [Fork::Bpo3, Fork::Bpo4, Fork::Bpo5] {
        let is_set = blob_schedule.iter().any(|(named, _)| *named == fork);
        if schedule.at(fork).is_some() && !is_set {
            return Err(GenesisError::BlobScheduleMissing(fork));
        }
    }
    Ok(())
}
