//! The networks that the official test suites name: a fork from the start, or one fork and then another.

use crate::{BlobRules, ChainSpec, Fork, GenesisError, RuleOverride, Schedule, genesis};
use alloy_primitives::U256;
use serde_json::Value;

/// What a test says about its network beside the name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TestNetworkConfig {
    /// The chain id; mainnet's if it is not given.
    pub chain_id: Option<u64>,
    /// Blob limits by fork.
    pub blob_schedule: Vec<(Fork, BlobRules)>,
    /// Forks whose name means something else.
    pub overrides: Vec<RuleOverride>,
}

/// The test suites' networks have no name for this one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the name of a test network")]
pub struct UnknownTestNetwork(pub String);

impl TestNetworkConfig {
    /// Reads a fixture's `config` object: `chainid` and `blobSchedule`.
    ///
    /// # Errors
    /// The first field that is not of its type.
    pub fn from_json(config: &Value) -> Result<Self, GenesisError> {
        let config = genesis::Fields::of("config", config.clone())?;
        let blob_schedule = match config.object("blobSchedule")? {
            None => Vec::new(),
            Some(entries) => genesis::blob_schedule(&entries)?,
        };
        Ok(Self { chain_id: config.quantity64("chainid")?, blob_schedule, overrides: Vec::new() })
    }
}

impl ChainSpec {
    /// The chain that the test suites call `name`, for instance `Prague`, `BerlinToLondonAt5` or
    /// `BPO2ToAmsterdamAtTime15k`.
    ///
    /// # Errors
    /// There is no such network.
    pub fn for_test_network(name: &str, config: &TestNetworkConfig) -> Result<Self, UnknownTestNetwork> {
        let spec = fork_or_transition(name).ok_or_else(|| UnknownTestNetwork(name.to_owned()))?;
        Ok(Self {
            chain_id: config.chain_id.unwrap_or(spec.chain_id),
            blob_schedule: config.blob_schedule.clone(),
            overrides: config.overrides.clone(),
            ..spec
        })
    }
}

impl Fork {
    /// The fork that the test suites, and `--rules`, call `name`.
    ///
    /// Some suites number forks by their EIP, one knows Petersburg as a repaired Constantinople.
    pub fn from_test_name(name: &str) -> Option<Self> {
        Some(match name {
            "Dao" => Self::Dao,
            "EIP150" | "TangerineWhistle" => Self::TangerineWhistle,
            "EIP158" | "SpuriousDragon" => Self::SpuriousDragon,
            "ConstantinopleFix" => Self::Petersburg,
            "MuirGlacier" => Self::MuirGlacier,
            "ArrowGlacier" => Self::ArrowGlacier,
            "GrayGlacier" => Self::GrayGlacier,
            "Merge" => Self::Paris,
            _ => return Self::ALL.into_iter().find(|fork| fork.name() == name),
        })
    }
}

const TEST_CHAIN_ID: u64 = 1;

fn fork_or_transition(name: &str) -> Option<ChainSpec> {
    if let Some(fork) = Fork::from_test_name(name) {
        return Some(ChainSpec::all_at_genesis(TEST_CHAIN_ID, fork));
    }
    let (forks, point) = name.rsplit_once("At")?;
    let (before, after) = forks.split_once("To")?;
    let (before, after) = (Fork::from_test_name(before)?, Fork::from_test_name(after)?);
    let spec = ChainSpec::all_at_genesis(TEST_CHAIN_ID, before);
    if let Some(difficulty) = point.strip_prefix("Diff") {
        let terminal = U256::from_str_radix(difficulty, 16).ok()?;
        return (after == Fork::Paris).then_some(ChainSpec { terminal_total_difficulty: Some(terminal), ..spec });
    }
    let at = match point.strip_prefix("Time") {
        Some(timestamp) => thousands(timestamp)?,
        None => thousands(point)?,
    };
    Some(with_transition(spec, before, after, at))
}

/// Schedules every fork after `before` up to `after` at one block number or timestamp.
fn with_transition(mut spec: ChainSpec, before: Fork, after: Fork, at: u64) -> ChainSpec {
    let all = Schedule::all_at_genesis(after);
    for fork in Fork::ALL.into_iter().filter(|fork| *fork > before && *fork <= after) {
        spec.schedule.set(fork, all.at(fork).map(|_| at));
    }
    if after == Fork::Dao {
        spec.schedule.set(Fork::Dao, Some(at));
        spec.dao_fork_support = true;
    }
    spec
}

/// A number in which `k` at the end stands for three zeros.
fn thousands(text: &str) -> Option<u64> {
    match text.strip_suffix('k') {
        Some(count) => count.parse::<u64>().ok()?.checked_mul(1_000),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Fork::*;

    /// The fork before and at the point of transition; (number, timestamp) of that point.
    #[track_caller]
    fn check(name: &str, point: (u64, u64), before: Fork, after: Fork) {
        let spec = ChainSpec::for_test_network(name, &TestNetworkConfig::default()).unwrap();
        spec.schedule.check().unwrap();
        let merged = spec.terminal_total_difficulty == Some(U256::ZERO);
        let rules = |number: u64, timestamp: u64| spec.rules_at(number, timestamp, merged).fork;
        assert_eq!(rules(point.0.saturating_sub(1), point.1.saturating_sub(1)), before, "{name}");
        assert_eq!(rules(point.0, point.1), after, "{name}");
    }

    /// Every name that occurs in the suites.
    #[test]
    fn the_suites_networks_are_known() {
        for (name, fork) in [
            ("Frontier", Frontier),
            ("Homestead", Homestead),
            ("EIP150", TangerineWhistle),
            ("EIP158", SpuriousDragon),
            ("Byzantium", Byzantium),
            ("Constantinople", Constantinople),
            ("ConstantinopleFix", Petersburg),
            ("Istanbul", Istanbul),
            ("MuirGlacier", MuirGlacier),
            ("Berlin", Berlin),
            ("London", London),
            ("ArrowGlacier", ArrowGlacier),
            ("GrayGlacier", GrayGlacier),
            ("Merge", Paris),
            ("Paris", Paris),
            ("Shanghai", Shanghai),
            ("Cancun", Cancun),
            ("Prague", Prague),
            ("Osaka", Osaka),
            ("BPO1", Bpo1),
            ("BPO2", Bpo2),
            ("BPO3", Bpo3),
            ("BPO4", Bpo4),
            ("BPO5", Bpo5),
            ("Amsterdam", Amsterdam),
        ] {
            check(name, (0, 0), fork, fork);
        }
        check("FrontierToHomesteadAt5", (5, 0), Frontier, Homestead);
        check("HomesteadToDaoAt5", (5, 0), Homestead, Dao);
        check("HomesteadToEIP150At5", (5, 0), Homestead, TangerineWhistle);
        check("EIP158ToByzantiumAt5", (5, 0), SpuriousDragon, Byzantium);
        check("ByzantiumToConstantinopleAt5", (5, 0), Byzantium, Constantinople);
        check("ByzantiumToConstantinopleFixAt5", (5, 0), Byzantium, Petersburg);
        check("BerlinToLondonAt5", (5, 0), Berlin, London);
        check("ParisToShanghaiAtTime15k", (1, 15_000), Paris, Shanghai);
        check("ShanghaiToCancunAtTime15k", (1, 15_000), Shanghai, Cancun);
        check("CancunToPragueAtTime15k", (1, 15_000), Cancun, Prague);
        check("PragueToOsakaAtTime15k", (1, 15_000), Prague, Osaka);
        check("OsakaToBPO1AtTime15k", (1, 15_000), Osaka, Bpo1);
        check("BPO1ToBPO2AtTime15k", (1, 15_000), Bpo1, Bpo2);
        check("BPO2ToBPO3AtTime15k", (1, 15_000), Bpo2, Bpo3);
        check("BPO2ToAmsterdamAtTime15k", (1, 15_000), Bpo2, Amsterdam);
    }

    #[test]
    fn the_merge_comes_by_difficulty() {
        let name = "ArrowGlacierToParisAtDiffC0000";
        let spec = ChainSpec::for_test_network(name, &TestNetworkConfig::default()).unwrap();
        assert_eq!(spec.rules_at(1, 0, false).fork, ArrowGlacier);
        assert_eq!(spec.rules_at(1, 0, true).fork, Paris);
        assert!(!spec.is_merged_after(U256::from(0xbffff)));
        assert!(spec.is_merged_after(U256::from(0xc0000)));
    }

    #[test]
    fn the_dao_transition_moves_balances_once() {
        use crate::DaoRule;
        let name = "HomesteadToDaoAt5";
        let spec = ChainSpec::for_test_network(name, &TestNetworkConfig::default()).unwrap();
        let rule = |number| spec.rules_at(number, 0, false).dao;
        assert_eq!(rule(4), DaoRule::None);
        assert_eq!(rule(5), DaoRule::MoveBalances);
        assert_eq!(rule(14), DaoRule::ExtraData);
        assert_eq!(rule(15), DaoRule::None);
    }

    #[test]
    fn other_names_are_unknown() {
        for name in ["", "Oslo", "BerlinToLondon", "BerlinToLondonAtX", "LondonToParisAtDiffXY"] {
            let found = ChainSpec::for_test_network(name, &TestNetworkConfig::default());
            assert_eq!(found, Err(UnknownTestNetwork(name.to_owned())));
        }
    }

    #[test]
    fn a_fixtures_config_is_read() {
        let config = serde_json::json!({
            "network": "BPO1", "chainid": "0x05",
            "blobSchedule": {"BPO1": {"target": "0x0a", "max": "0x0f", "baseFeeUpdateFraction": "0x7f5a51"}}
        });
        let config = TestNetworkConfig::from_json(&config).unwrap();
        assert_eq!(config.chain_id, Some(5));
        let limits = BlobRules { target: 10, max: 15, max_per_transaction: Some(6), update_fraction: 0x7f_5a51 };
        assert_eq!(config.blob_schedule, [(Bpo1, limits)]);
    }

    #[test]
    fn an_override_changes_what_a_name_means() {
        let config = TestNetworkConfig {
            overrides: vec!["Amsterdam=BPO2+EIP7928".parse().unwrap()],
            ..TestNetworkConfig::default()
        };
        let spec = ChainSpec::for_test_network("BPO2ToAmsterdamAtTime15k", &config).unwrap();
        let (before, after) = (spec.rules_at(1, 14_999, true), spec.rules_at(2, 15_000, true));
        assert_eq!((before.fork, before.block_access_lists), (Bpo2, false));
        assert_eq!((after.fork, after.block_access_lists), (Bpo2, true));
        assert_eq!(after.blobs, before.blobs);
        assert_eq!(after.max_code_size, Some(24_576));
    }
}
