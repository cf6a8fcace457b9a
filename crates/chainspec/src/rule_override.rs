//! Another meaning for a fork's name.
//!
//! Test vectors filled while a fork was still being written use its name for less than it came to mean.
//! `Amsterdam=BPO2+EIP7928` says: where a schedule says Amsterdam, the rules are those of BPO2 with block
//! access lists and nothing else.

use crate::Fork;
use std::str::FromStr;

/// "Where the schedule says `name`, the rules are those of `meaning`."
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuleOverride {
    /// The fork whose name gets another meaning.
    pub name: Fork,
    /// The fork whose row is used.
    pub meaning: Fork,
    /// Whether block access lists are on ([EIP-7928](https://eips.ethereum.org/EIPS/eip-7928)).
    pub block_access_lists: bool,
}

/// Why the text of an override is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleOverrideError {
    /// There is no `=`.
    #[error("rule override {0:?} is not of the form NAME=FORK or NAME=FORK+EIP7928")]
    Form(String),
    /// A name is not that of a fork.
    #[error("{0:?} is not the name of a fork")]
    UnknownFork(String),
    /// The part after `+` names something that cannot be scheduled apart from its fork.
    #[error("{0:?} cannot be added to a fork: only EIP7928 can")]
    UnknownAddition(String),
}

impl FromStr for RuleOverride {
    type Err = RuleOverrideError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, meaning) = text.split_once('=').ok_or_else(|| RuleOverrideError::Form(text.to_owned()))?;
        let mut parts = meaning.split('+');
        let meaning = fork(parts.next().unwrap_or_default())?;
        let mut block_access_lists = meaning >= Fork::Amsterdam;
        for addition in parts {
            if !matches!(addition.trim(), "EIP7928" | "EIP-7928") {
                return Err(RuleOverrideError::UnknownAddition(addition.trim().to_owned()));
            }
            block_access_lists = true;
        }
        Ok(Self { name: fork(name)?, meaning, block_access_lists })
    }
}

fn fork(text: &str) -> Result<Fork, RuleOverrideError> {
    Fork::from_test_name(text.trim()).ok_or_else(|| RuleOverrideError::UnknownFork(text.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<(Fork, Fork, bool), &str>) {
        let parsed = text
            .parse::<RuleOverride>()
            .map(|o| (o.name, o.meaning, o.block_access_lists))
            .map_err(|error| error.to_string());
        assert_eq!(parsed, expected.map_err(str::to_owned), "{text}");
    }

    #[test]
    fn overrides_parse() {
        check("Amsterdam=BPO2+EIP7928", Ok((Fork::Amsterdam, Fork::Bpo2, true)));
        check("Amsterdam=Osaka", Ok((Fork::Amsterdam, Fork::Osaka, false)));
        check("Prague = Amsterdam", Ok((Fork::Prague, Fork::Amsterdam, true)));
        check("Amsterdam", Err(r#"rule override "Amsterdam" is not of the form NAME=FORK or NAME=FORK+EIP7928"#));
        check("Amsterdam=Oslo", Err(r#""Oslo" is not the name of a fork"#));
        check("Amsterdam=Osaka+EIP7928+EIP1", Err(r#""EIP1" cannot be added to a fork: only EIP7928 can"#));
    }
}
