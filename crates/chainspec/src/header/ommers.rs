//! The rules of ommers (Yellow Paper, section 11.1).

use super::{HeaderError, validate_header};
use crate::ChainSpec;
use alloy_consensus::Header;
use alloy_primitives::B256;

/// The most ommers in a block.
const OMMERS_MAX: usize = 2;

/// How many generations back the parent of an ommer may lie: the block's own parent counts as one.
pub const OMMER_ANCESTORS_MAX: usize = 7;

/// A block that the ommers' block descends from.
#[derive(Clone, Debug)]
pub struct Ancestor {
    /// Hash of the header.
    pub hash: B256,
    /// The header.
    pub header: Header,
    /// Hashes of the ommers that this block holds.
    pub ommers: Vec<B256>,
}

/// The rule that a block's ommers break.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the fields of a variant are the values in its message")]
pub enum OmmerError {
    /// There are too many.
    #[error("{found} ommers are more than {max}")]
    TooMany { found: usize, max: usize },
    /// The same ommer stands twice in the block.
    #[error("ommer {ommer} stands twice in the block")]
    Twice { ommer: B256 },
    /// An ancestor holds the ommer already.
    #[error("ommer {ommer} stands already in ancestor {ancestor}")]
    AlreadyIncluded { ommer: B256, ancestor: B256 },
    /// The ommer is itself an ancestor.
    #[error("ommer {ommer} is an ancestor of the block")]
    IsAncestor { ommer: B256 },
    /// The ommer's parent is the block's parent, so it is no ommer but a rival.
    #[error("ommer {ommer} has the block's own parent {parent}")]
    IsSibling { ommer: B256, parent: B256 },
    /// The ommer's parent is none of the recent ancestors.
    #[error("parent {parent} of ommer {ommer} is not among the last {within} ancestors")]
    UnknownParent { ommer: B256, parent: B256, within: usize },
    /// The ommer's header breaks a rule.
    #[error("ommer {ommer}: {error}")]
    Header { ommer: B256, error: HeaderError },
}

impl OmmerError {
    /// The name of this rule's exception in the official test suites.
    pub const fn exception_name(&self) -> &'static str {
        match self {
            Self::TooMany { .. } => "BlockException.TOO_MANY_UNCLES",
            Self::Twice { .. } => "BlockException.UNCLE_IS_BROTHER",
            Self::AlreadyIncluded { .. } => "BlockException.UNCLE_IN_CHAIN",
            Self::IsAncestor { .. } => "BlockException.UNCLE_IS_ANCESTOR",
            Self::IsSibling { .. } => "BlockException.UNCLE_PARENT_INCORRECT",
            Self::UnknownParent { .. } => "BlockException.UNCLE_UNKNOWN_PARENT",
            Self::Header { error, .. } => error.exception_name(),
        }
    }
}

/// Checks the ommers of a proof-of-work block.
///
/// `ancestors` are the blocks that it descends from, its parent first; as many as there are, up to
/// [`OMMER_ANCESTORS_MAX`]. More are not looked at.
///
/// # Errors
/// The first rule that an ommer breaks, ommers taken in their order.
pub fn validate_ommers(spec: &ChainSpec, ommers: &[Header], ancestors: &[Ancestor]) -> Result<(), OmmerError> {
    if ommers.len() > OMMERS_MAX {
        return Err(OmmerError::TooMany { found: ommers.len(), max: OMMERS_MAX });
    }
    let ancestors = &ancestors[..ancestors.len().min(OMMER_ANCESTORS_MAX)];
    let hashes: Vec<B256> = ommers.iter().map(Header::hash_slow).collect();
    for (index, (ommer, hash)) in ommers.iter().zip(&hashes).enumerate() {
        if hashes[..index].contains(hash) {
            return Err(OmmerError::Twice { ommer: *hash });
        }
        validate_ommer(spec, ommer, *hash, ancestors)?;
    }
    Ok(())
}

fn validate_ommer(spec: &ChainSpec, ommer: &Header, hash: B256, ancestors: &[Ancestor]) -> Result<(), OmmerError> {
    if ancestors.iter().any(|ancestor| ancestor.hash == hash) {
        return Err(OmmerError::IsAncestor { ommer: hash });
    }
    if let Some(holder) = ancestors.iter().find(|ancestor| ancestor.ommers.contains(&hash)) {
        return Err(OmmerError::AlreadyIncluded { ommer: hash, ancestor: holder.hash });
    }
    let parent = ommer.parent_hash;
    let Some(age) = ancestors.iter().position(|ancestor| ancestor.hash == parent) else {
        let within = ancestors.len();
        return Err(OmmerError::UnknownParent { ommer: hash, parent, within });
    };
    if age == 0 {
        return Err(OmmerError::IsSibling { ommer: hash, parent });
    }
    let parent = &ancestors[age].header;
    validate_header(&spec.rules_of(ommer), &spec.rules_of(parent), parent, ommer)
        .map_err(|error| OmmerError::Header { ommer: hash, error })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Fork, difficulty};
    use alloy_primitives::{Address, U256};

    /// Blocks 0 to 9 of a chain, the last first, as ancestors of a block 10.
    fn ancestors(spec: &ChainSpec) -> Vec<Ancestor> {
        let mut headers = vec![Header { gas_limit: 30_000_000, difficulty: U256::from(1 << 20), ..Header::default() }];
        for _ in 1..10 {
            headers.push(child(spec, &headers[headers.len() - 1]));
        }
        let ancestor = |header: Header| Ancestor { hash: header.hash_slow(), header, ommers: Vec::new() };
        headers.into_iter().rev().map(ancestor).collect()
    }

    fn child(spec: &ChainSpec, parent: &Header) -> Header {
        let timestamp = parent.timestamp + 13;
        Header {
            parent_hash: parent.hash_slow(),
            number: parent.number + 1,
            timestamp,
            gas_limit: parent.gas_limit,
            difficulty: difficulty(&spec.rules_of(parent), parent, timestamp),
            ..Header::default()
        }
    }

    /// A rival of the chain's block whose parent is `ancestor`.
    fn ommer(spec: &ChainSpec, ancestor: &Ancestor) -> Header {
        Header { beneficiary: Address::repeat_byte(1), ..child(spec, &ancestor.header) }
    }

    fn setting() -> (ChainSpec, Vec<Ancestor>) {
        let spec = ChainSpec::all_at_genesis(1, Fork::Berlin);
        let ancestors = ancestors(&spec);
        (spec, ancestors)
    }

    #[track_caller]
    fn check(found: Result<(), OmmerError>, exception: &str) {
        let name = found.expect_err("the ommers are not sound").exception_name();
        assert_eq!(name, format!("BlockException.{exception}"));
    }

    #[test]
    fn ommers_of_six_generations_pass() {
        let (spec, ancestors) = setting();
        for ancestor in &ancestors[1..=6] {
            let found = validate_ommers(&spec, &[ommer(&spec, ancestor)], &ancestors);
            assert_eq!(found, Ok(()), "parent {}", ancestor.header.number);
        }
        let two = [ommer(&spec, &ancestors[1]), ommer(&spec, &ancestors[2])];
        assert_eq!(validate_ommers(&spec, &two, &ancestors), Ok(()));
        assert_eq!(validate_ommers(&spec, &[], &[]), Ok(()));
    }

    #[test]
    fn each_rule_of_ommers_is_judged() {
        let (spec, mut ancestors) = setting();
        let judge = |ommers: &[Header], ancestors: &[Ancestor]| validate_ommers(&spec, ommers, ancestors);
        let sound = ommer(&spec, &ancestors[1]);
        check(judge(&[sound.clone(), sound.clone(), sound.clone()], &ancestors), "TOO_MANY_UNCLES");
        check(judge(&[sound.clone(), sound.clone()], &ancestors), "UNCLE_IS_BROTHER");
        check(judge(&[ancestors[2].header.clone()], &ancestors), "UNCLE_IS_ANCESTOR");
        check(judge(&[ommer(&spec, &ancestors[0])], &ancestors), "UNCLE_PARENT_INCORRECT");
        check(judge(&[ommer(&spec, &ancestors[7])], &ancestors), "UNCLE_UNKNOWN_PARENT");
        let light = Header { difficulty: U256::from(1), ..sound.clone() };
        check(judge(&[light], &ancestors), "INVALID_DIFFICULTY");
        ancestors[3].ommers.push(sound.hash_slow());
        check(judge(&[sound], &ancestors), "UNCLE_IN_CHAIN");
    }
}
