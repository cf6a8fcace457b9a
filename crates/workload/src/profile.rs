//! The loads that come with the program.

use alloy_primitives::B256;

use crate::params::Params;

/// A load by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Some tens of blocks of `mainnet-mix`'s shape; the chain itself is committed.
    Quick,
    /// Blocks as mainnet has them: 460 of about 200 transactions and 60 Mgas.
    MainnetMix,
    /// Full blocks under contention: 150 of 200 to 500 transactions under a limit of 100 Mgas.
    Stress,
}

impl Profile {
    /// Every profile.
    pub const ALL: [Self; 3] = [Self::Quick, Self::MainnetMix, Self::Stress];

    /// The name, which is also that of its folder under `fixtures/`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Quick => "quick",
            Self::MainnetMix => "mainnet-mix",
            Self::Stress => "stress",
        }
    }

    /// The profile called `name`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.name() == name)
    }

    /// The parameters, as committed under `fixtures/`.
    #[must_use]
    pub fn params(self) -> Params {
        let text = match self {
            Self::Quick => include_str!("../../../fixtures/quick/params.toml"),
            Self::MainnetMix => include_str!("../../../fixtures/mainnet-mix/params.toml"),
            Self::Stress => include_str!("../../../fixtures/stress/params.toml"),
        };
        Params::parse(text).unwrap_or_else(|fault| panic!("fixtures/{}/params.toml: {fault}", self.name()))
    }
}

impl Profile {
    /// The hash of the last block, as committed under `fixtures/`.
    #[must_use]
    pub fn head(self) -> B256 {
        let text = match self {
            Self::Quick => include_str!("../../../fixtures/quick/head"),
            Self::MainnetMix => include_str!("../../../fixtures/mainnet-mix/head"),
            Self::Stress => include_str!("../../../fixtures/stress/head"),
        };
        text.trim().parse().unwrap_or_else(|fault| panic!("fixtures/{}/head: {fault}", self.name()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_parses_and_is_found_by_its_name() {
        for profile in Profile::ALL {
            assert_eq!(Profile::named(profile.name()), Some(profile));
            assert!(profile.params().check().is_ok());
            assert_ne!(profile.head(), B256::ZERO);
        }
        assert_eq!(Profile::named("mainnet"), None);
    }
}
