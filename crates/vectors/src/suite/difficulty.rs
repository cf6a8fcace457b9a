//! DifficultyTests, and the difficulty files of BasicTests: a parent and the difficulty of its child.

use super::malformed;
use crate::fixture::{Hex, RawTest, parse_number};
use crate::{Options, Outcome, Place};
use alloy_consensus::{EMPTY_OMMER_ROOT_HASH, Header};
use alloy_primitives::{B256, U256};
use balsa_chainspec::{ChainSpec, Fork, Schedule, difficulty};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DifficultyTest {
    parent_timestamp: Hex<u64>,
    parent_difficulty: Hex<U256>,
    /// Whether the parent has ommers, as 0 or 1, or the hash of its ommers.
    parent_uncles: Option<String>,
    current_timestamp: Hex<u64>,
    current_block_number: Hex<u64>,
    current_difficulty: Hex<U256>,
}

/// A file of DifficultyTests groups its tests by fork under one name; one of BasicTests holds them as they are, on
/// the network that its own name says.
pub(super) fn run(place: &Place, test: &RawTest<'_>, options: &Options) -> Vec<Outcome> {
    let json = test.json.get();
    if let Ok(test) = serde_json::from_str::<DifficultyTest>(json) {
        let judged = network_of(&place.file).and_then(|chain| judge(&chain, &test));
        return super::judged(place, "", judged);
    }
    match serde_json::from_str::<BTreeMap<String, &RawValue>>(json) {
        Ok(groups) => {
            let groups = groups.iter().filter(|(fork, _)| *fork != "_info" && options.selects_fork(fork));
            groups.flat_map(|(fork, tests)| run_group(place, fork, tests)).collect()
        }
        Err(error) => super::judged(place, "", Err(malformed(error))),
    }
}

fn run_group(place: &Place, fork: &str, tests: &RawValue) -> Vec<Outcome> {
    let chain = Options::fork_named(fork).map(|fork| ChainSpec::all_at_genesis(1, fork));
    let tests = serde_json::from_str::<BTreeMap<String, DifficultyTest>>(tests.get()).map_err(malformed);
    let (chain, tests) = match (chain, tests) {
        (Ok(chain), Ok(tests)) => (chain, tests),
        (Err(error), _) | (_, Err(error)) => return super::judged(place, fork, Err(error)),
    };
    let run = |(name, test): (&String, &DifficultyTest)| {
        let place = Place { file: place.file.clone(), name: name.as_str().into() };
        Outcome::new(&place, fork, judge(&chain, test).map(|()| None))
    };
    tests.iter().map(run).collect()
}

fn judge(chain: &ChainSpec, test: &DifficultyTest) -> Result<(), String> {
    let number = test.current_block_number.0;
    let parent = Header {
        number: number.checked_sub(1).ok_or("a genesis block has no parent")?,
        timestamp: test.parent_timestamp.0,
        difficulty: test.parent_difficulty.0,
        ommers_hash: ommers_hash(test.parent_uncles.as_deref())?,
        ..Header::default()
    };
    let timestamp = test.current_timestamp.0;
    let rules = chain.rules_at(number, timestamp, false);
    let (found, expected) = (difficulty(&rules, &parent, timestamp), test.current_difficulty.0);
    if found == expected { Ok(()) } else { Err(format!("difficulty {found}, expected {expected}")) }
}

fn ommers_hash(ommers: Option<&str>) -> Result<B256, String> {
    let number = ommers.map_or(Some(U256::ZERO), parse_number);
    match number.ok_or("malformed fixture: parentUncles")? {
        U256::ZERO => Ok(EMPTY_OMMER_ROOT_HASH),
        U256::ONE => Ok(B256::ZERO),
        hash => Ok(hash.into()),
    }
}

/// The schedules that the file names of BasicTests stand for: those of their time.
fn network_of(file: &str) -> Result<ChainSpec, String> {
    let name = file.rsplit('/').next().unwrap_or(file);
    let mut chain = ChainSpec::all_at_genesis(1, Fork::Frontier);
    let mut switch = |forks: &[(Fork, u64)]| {
        let mut schedule = Schedule::all_at_genesis(Fork::Frontier);
        forks.iter().for_each(|(fork, at)| schedule.set(*fork, Some(*at)));
        chain.schedule = schedule;
    };
    match name {
        "difficulty.json" | "difficultyMainNetwork.json" | "difficultyCustomMainNetwork.json" => {
            switch(&[(Fork::Homestead, 1_150_000), (Fork::Byzantium, 4_370_000)]);
        }
        "difficultyRopsten.json" => {
            switch(&[(Fork::Homestead, 0), (Fork::Byzantium, 1_700_000), (Fork::Constantinople, 4_230_000)]);
        }
        "difficultyCustomHomestead.json" => switch(&[(Fork::Homestead, 0)]),
        _ => return Err(format!("no schedule is known for {name}")),
    }
    Ok(chain)
}
