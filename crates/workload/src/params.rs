//! What a load is made of: a parameter file, and the profiles that come with the program.

use std::collections::BTreeMap;

use balsa_chainspec::Fork;

use crate::kind::Kind;

/// The most that a parameter file may ask for, so that a slip of the finger does not fill a disk.
const BLOCKS_MAX: u64 = 1_000_000;
const SIGNERS_MAX: usize = 1_000_000;
const HOLDERS_MAX: u64 = 100_000_000;
const CONTRACTS_MAX: usize = 10_000;

/// The parameters of a load. Equal parameters give an equal chain, byte for byte.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Where every random choice begins.
    pub seed: u64,
    /// How many blocks there are, without the genesis block.
    pub blocks: u64,
    /// The rules of all blocks: a fork as the test suites name it, or a fork `+EIP7928`.
    pub fork: String,
    /// The size of blocks.
    pub block: BlockParams,
    /// The size of the state before the first block.
    pub state: StateParams,
    /// How much transactions get into each other's way.
    pub contention: ContentionParams,
    /// How large single transactions are.
    #[serde(default)]
    pub size: SizeParams,
    /// How often each kind of transaction occurs, as weights. A kind that the fork lacks is left out.
    pub mix: BTreeMap<Kind, u64>,
}

/// The size of blocks.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlockParams {
    /// The gas limit of every block.
    pub gas_limit: u64,
    /// A block is closed when it has used this much gas; drawn anew for each block between the two.
    pub gas_target: Range,
    /// The most transactions of a block; drawn anew for each block between the two.
    pub transactions: Range,
    /// How many withdrawals a block has, where the fork has them.
    pub withdrawals: u64,
    /// The base fee of the genesis block, in wei.
    pub base_fee: u64,
    /// What transactions offer at most, in wei a gas.
    pub fee_max: u64,
    /// A block with no transaction, in so many thousand.
    #[serde(default)]
    pub empty_permille: u64,
}

/// A range with both ends in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// The least.
    pub min: u64,
    /// The most.
    pub max: u64,
}

/// The size of the state before the first block.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StateParams {
    /// Accounts that sign.
    pub signers: usize,
    /// Accounts that only hold ether and tokens: the knob that makes the state large.
    pub holders: u64,
    /// In how many tokens each holder has a balance: a slot each.
    pub holdings: u64,
    /// ERC-20 tokens.
    pub tokens: usize,
    /// Pools; the pair at `i` trades the tokens `i` and `i + 1`, around.
    pub pairs: usize,
    /// ERC-721 collections.
    pub nfts: usize,
    /// Contracts that rows are written to.
    pub ledgers: usize,
    /// Links in the ring of deep calls.
    pub links: usize,
}

/// How much transactions get into each other's way.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContentionParams {
    /// In so many of a thousand cases the first of the tokens, pairs, collections and recipients is taken; in the
    /// others, any.
    pub hot_permille: u64,
    /// In so many of a thousand cases the sender of the transaction before sends again.
    pub same_sender_permille: u64,
}

/// How large single transactions are.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SizeParams {
    /// Rows of a storage write or clear.
    pub rows: Range,
    /// Rows of a storage read.
    pub rows_read: Range,
    /// Rounds of hashing, about 100 gas each.
    pub hash_rounds: Range,
    /// Pools on the path of a routed swap.
    pub hops: Range,
    /// Depth of a chain of calls.
    pub depth: Range,
    /// Bytes of a deployed contract.
    pub code_bytes: Range,
    /// Gas that an out-of-gas transaction burns.
    pub burnt_gas: Range,
}

impl Default for SizeParams {
    fn default() -> Self {
        Self {
            rows: Range { min: 8, max: 70 },
            rows_read: Range { min: 50, max: 450 },
            hash_rounds: Range { min: 2000, max: 22_000 },
            hops: Range { min: 4, max: 10 },
            depth: Range { min: 4, max: 40 },
            code_bytes: Range { min: 60, max: 1500 },
            burnt_gas: Range { min: 60_000, max: 1_500_000 },
        }
    }
}

/// Why parameters are refused.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say what the fields are")]
pub enum ParamsError {
    #[error("no parameter file: {0}")]
    Form(#[from] toml::de::Error),
    #[error("fork {0:?}: not the name of a fork from Paris on, with or without +EIP7928")]
    Fork(String),
    #[error("{name} is {value}; it must lie in {min}..={max}")]
    OutOfRange { name: &'static str, value: u64, min: u64, max: u64 },
    #[error("{name}: the least, {min}, is above the most, {max}")]
    ReversedRange { name: &'static str, min: u64, max: u64 },
    #[error("the mix has no kind of transaction that {fork} has")]
    EmptyMix { fork: String },
}

/// The rules of a load's blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rulebook {
    /// The fork.
    pub fork: Fork,
    /// Whether EIP-7928 is on though the fork lacks it.
    pub lists_apart: bool,
}

impl Params {
    /// Reads and checks a parameter file.
    ///
    /// # Errors
    /// See [`ParamsError`].
    pub fn parse(text: &str) -> Result<Self, ParamsError> {
        let params: Self = toml::from_str(text)?;
        params.check()?;
        Ok(params)
    }

    /// The parameters as a file.
    #[must_use]
    pub fn to_text(&self) -> String {
        toml::to_string(self).unwrap_or_else(|fault| panic!("parameters as TOML: {fault}"))
    }

    /// The rules that `fork` names.
    ///
    /// # Errors
    /// [`ParamsError::Fork`] where it names none.
    pub fn rulebook(&self) -> Result<Rulebook, ParamsError> {
        let (name, addition) = self.fork.split_once('+').unwrap_or((&self.fork, ""));
        let unknown = || ParamsError::Fork(self.fork.clone());
        let fork = Fork::from_test_name(name).filter(|fork| *fork >= Fork::Paris).ok_or_else(unknown)?;
        match addition {
            "" => Ok(Rulebook { fork, lists_apart: false }),
            "EIP7928" => Ok(Rulebook { fork, lists_apart: fork < Fork::Amsterdam }),
            _ => Err(unknown()),
        }
    }

    /// Checks what the form alone does not say.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn check(&self) -> Result<(), ParamsError> {
        let rulebook = self.rulebook()?;
        let state = &self.state;
        within("blocks", self.blocks, 1, BLOCKS_MAX)?;
        within("block.gas_limit", self.block.gas_limit, 1_000_000, 1 << 40)?;
        within("block.withdrawals", self.block.withdrawals, 0, 16)?;
        within("block.empty_permille", self.block.empty_permille, 0, 1000)?;
        within("state.signers", state.signers as u64, 2, SIGNERS_MAX as u64)?;
        within("state.holders", state.holders, 1, HOLDERS_MAX)?;
        within("state.holdings", state.holdings, 0, state.tokens as u64)?;
        let contracts = [
            ("state.tokens", state.tokens, 2),
            ("state.pairs", state.pairs, 1),
            ("state.nfts", state.nfts, 1),
            ("state.ledgers", state.ledgers, 1),
            ("state.links", state.links, 2),
        ];
        for (name, count, min) in contracts {
            within(name, count as u64, min, CONTRACTS_MAX as u64)?;
        }
        within("contention.hot_permille", self.contention.hot_permille, 0, 1000)?;
        within("contention.same_sender_permille", self.contention.same_sender_permille, 0, 1000)?;
        self.check_ranges()?;
        let occurs = |(kind, weight): (&Kind, &u64)| kind.exists_in(rulebook.fork) && *weight > 0;
        if !self.mix.iter().any(occurs) {
            return Err(ParamsError::EmptyMix { fork: self.fork.clone() });
        }
        Ok(())
    }

    fn check_ranges(&self) -> Result<(), ParamsError> {
        let size = &self.size;
        let ranges = [
            ("block.gas_target", self.block.gas_target, 1 << 40),
            ("block.transactions", self.block.transactions, 1_000_000),
            ("size.rows", size.rows, 100),
            ("size.rows_read", size.rows_read, 2000),
            ("size.hash_rounds", size.hash_rounds, 80_000),
            ("size.hops", size.hops, 16),
            ("size.depth", size.depth, 100),
            ("size.code_bytes", size.code_bytes, 8_000),
            ("size.burnt_gas", size.burnt_gas, 16_000_000),
        ];
        for (name, Range { min, max }, limit) in ranges {
            within(name, max, 1, limit)?;
            if min > max {
                return Err(ParamsError::ReversedRange { name, min, max });
            }
        }
        Ok(())
    }
}

fn within(name: &'static str, value: u64, min: u64, max: u64) -> Result<(), ParamsError> {
    match (min..=max).contains(&value) {
        true => Ok(()),
        false => Err(ParamsError::OutOfRange { name, value, min, max }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profile;

    #[test]
    fn forks_are_named_as_the_suites_name_them() {
        let rulebook = |fork: &str| {
            let mut params = Profile::Quick.params();
            params.fork = fork.to_owned();
            params.rulebook().ok().map(|rulebook| (rulebook.fork, rulebook.lists_apart))
        };
        assert_eq!(rulebook("Amsterdam"), Some((Fork::Amsterdam, false)));
        assert_eq!(rulebook("BPO2+EIP7928"), Some((Fork::Bpo2, true)));
        assert_eq!(rulebook("Merge"), Some((Fork::Paris, false)));
        assert_eq!(rulebook("London"), None);
        assert_eq!(rulebook("Osaka+EIP1"), None);
    }

    #[test]
    fn every_rule_refuses() {
        let refused = |edit: fn(&mut Params)| {
            let mut params = Profile::Quick.params();
            edit(&mut params);
            params.check().unwrap_err().to_string()
        };
        assert!(refused(|params| params.blocks = 0).starts_with("blocks is 0"));
        assert!(refused(|params| params.state.tokens = 1).contains("state.holdings"));
        assert!(refused(|params| params.size.hops = Range { min: 5, max: 4 }).contains("size.hops"));
        assert!(refused(|params| params.mix = [(Kind::Transfer, 0)].into()).contains("mix"));
        let before_blobs = |params: &mut Params| {
            params.fork = "Shanghai".to_owned();
            params.mix = [(Kind::Blob, 1)].into();
        };
        assert!(refused(before_blobs).contains("Shanghai"));
    }

    #[test]
    fn files_say_everything() {
        for profile in Profile::ALL {
            let params = profile.params();
            assert_eq!(Params::parse(&params.to_text()).unwrap(), params);
        }
    }

    #[test]
    fn unknown_keys_are_refused() {
        assert!(matches!(Params::parse("sed = 1"), Err(ParamsError::Form(_))));
    }
}
