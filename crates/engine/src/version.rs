//! Which version of a method is for which fork.

use crate::EngineError;
use balsa_chainspec::{Fork, Rules};

/// A version of `engine_newPayload`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are those of the specification")]
pub enum NewPayloadVersion {
    V1,
    V2,
    V3,
    V4,
    V5,
}

/// A version of `engine_forkchoiceUpdated`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are those of the specification")]
pub enum ForkchoiceVersion {
    V1,
    V2,
    V3,
    V4,
}

/// A version of `engine_getPayload`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are those of the specification")]
pub enum GetPayloadVersion {
    V1,
    V2,
    V3,
    V4,
    V5,
    V6,
}

impl NewPayloadVersion {
    /// The version of this number.
    pub fn from_number(number: u64) -> Option<Self> {
        Some(match number {
            1 => Self::V1,
            2 => Self::V2,
            3 => Self::V3,
            4 => Self::V4,
            5 => Self::V5,
            _ => return None,
        })
    }

    /// The method's name.
    pub const fn method(self) -> &'static str {
        match self {
            Self::V1 => "engine_newPayloadV1",
            Self::V2 => "engine_newPayloadV2",
            Self::V3 => "engine_newPayloadV3",
            Self::V4 => "engine_newPayloadV4",
            Self::V5 => "engine_newPayloadV5",
        }
    }

    /// Holds the version against the rules of the payload's timestamp.
    ///
    /// Version 5 goes with block access lists rather than with a fork: a chain may have them before Amsterdam.
    pub(crate) fn check(self, rules: &Rules) -> Result<(), EngineError> {
        let fits = match self {
            Self::V1 => !rules.has(Fork::Shanghai),
            Self::V2 => !rules.has(Fork::Cancun),
            Self::V3 => rules.has(Fork::Cancun) && !rules.has(Fork::Prague),
            Self::V4 => rules.has(Fork::Prague) && !rules.block_access_lists,
            Self::V5 => rules.block_access_lists,
        };
        if fits { Ok(()) } else { Err(EngineError::UnsupportedFork { method: self.method(), fork: rules.fork }) }
    }
}

impl GetPayloadVersion {
    /// The version of this number.
    pub fn from_number(number: u64) -> Option<Self> {
        Some(match number {
            1 => Self::V1,
            2 => Self::V2,
            3 => Self::V3,
            4 => Self::V4,
            5 => Self::V5,
            6 => Self::V6,
            _ => return None,
        })
    }

    /// The method's name.
    pub const fn method(self) -> &'static str {
        match self {
            Self::V1 => "engine_getPayloadV1",
            Self::V2 => "engine_getPayloadV2",
            Self::V3 => "engine_getPayloadV3",
            Self::V4 => "engine_getPayloadV4",
            Self::V5 => "engine_getPayloadV5",
            Self::V6 => "engine_getPayloadV6",
        }
    }

    /// The version whose envelope holds all that a block of these rules has.
    pub fn of(rules: &Rules) -> Self {
        match rules {
            rules if rules.block_access_lists => Self::V6,
            rules if rules.has(Fork::Osaka) => Self::V5,
            rules if rules.has(Fork::Prague) => Self::V4,
            rules if rules.has(Fork::Cancun) => Self::V3,
            _ => Self::V2,
        }
    }

    /// Holds the version against the rules of the block that was built.
    pub(crate) fn check(self, rules: &Rules) -> Result<(), EngineError> {
        let fits = match self {
            Self::V1 => !rules.has(Fork::Shanghai),
            version => version == Self::of(rules),
        };
        if fits { Ok(()) } else { Err(EngineError::UnsupportedFork { method: self.method(), fork: rules.fork }) }
    }
}

impl ForkchoiceVersion {
    /// The version of this number.
    pub fn from_number(number: u64) -> Option<Self> {
        Some(match number {
            1 => Self::V1,
            2 => Self::V2,
            3 => Self::V3,
            4 => Self::V4,
            _ => return None,
        })
    }

    /// The method's name.
    pub const fn method(self) -> &'static str {
        match self {
            Self::V1 => "engine_forkchoiceUpdatedV1",
            Self::V2 => "engine_forkchoiceUpdatedV2",
            Self::V3 => "engine_forkchoiceUpdatedV3",
            Self::V4 => "engine_forkchoiceUpdatedV4",
        }
    }

    /// Holds the version against the rules of the block that is to be built.
    pub(crate) fn check(self, rules: &Rules) -> Result<(), EngineError> {
        let method = self.method();
        let fits = match self {
            Self::V1 if rules.has(Fork::Shanghai) => {
                return Err(EngineError::InvalidParams(format!("{method} is not for blocks of {}", rules.fork)));
            }
            Self::V1 => true,
            Self::V2 => !rules.has(Fork::Cancun),
            Self::V3 => rules.has(Fork::Cancun) && !rules.has(Fork::Amsterdam),
            Self::V4 => rules.has(Fork::Amsterdam),
        };
        if fits { Ok(()) } else { Err(EngineError::UnsupportedFork { method, fork: rules.fork }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use NewPayloadVersion::*;

    #[test]
    fn each_fork_has_its_versions() {
        for (fork, versions) in [
            (Fork::Paris, &[V1, V2][..]),
            (Fork::Shanghai, &[V2]),
            (Fork::Cancun, &[V3]),
            (Fork::Prague, &[V4]),
            (Fork::Osaka, &[V4]),
            (Fork::Bpo2, &[V4]),
            (Fork::Amsterdam, &[V5]),
        ] {
            for version in [V1, V2, V3, V4, V5] {
                let fits = version.check(&Rules::mainnet(fork)).is_ok();
                assert_eq!(fits, versions.contains(&version), "{version:?} {fork}");
            }
        }
    }

    #[test]
    fn lists_before_amsterdam_want_the_version_with_lists() {
        let rules = Rules { block_access_lists: true, ..Rules::mainnet(Fork::Bpo2) };
        assert!(V5.check(&rules).is_ok());
        assert_eq!(V4.check(&rules).unwrap_err().code(), -38005);
    }
}
