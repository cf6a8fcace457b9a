//! The forks of Ethereum, oldest first, and what switches each of them on.

use std::fmt;

/// A fork of the execution layer. Ordered: a later fork contains every earlier one.
///
/// The blob-parameter-only forks stand before Amsterdam because that is the order in which the first two
/// of them came; a later one may still be scheduled after Amsterdam, see [`crate::ChainSpec::rules_at`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names are those of the specifications")]
#[repr(u8)]
pub enum Fork {
    Frontier,
    Homestead,
    Dao,
    TangerineWhistle,
    SpuriousDragon,
    Byzantium,
    Constantinople,
    Petersburg,
    Istanbul,
    MuirGlacier,
    Berlin,
    London,
    ArrowGlacier,
    GrayGlacier,
    Paris,
    Shanghai,
    Cancun,
    Prague,
    Osaka,
    Bpo1,
    Bpo2,
    Bpo3,
    Bpo4,
    Bpo5,
    Amsterdam,
}

/// What switches a fork on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch {
    /// A block number: every fork before the merge.
    BlockNumber,
    /// The terminal total difficulty: Paris alone.
    TotalDifficulty,
    /// A block timestamp, in seconds: every fork after the merge.
    Timestamp,
}

impl Fork {
    /// How many forks there are.
    pub const COUNT: usize = Self::ALL.len();

    /// Every fork, oldest first.
    pub const ALL: [Self; 25] = [
        Self::Frontier,
        Self::Homestead,
        Self::Dao,
        Self::TangerineWhistle,
        Self::SpuriousDragon,
        Self::Byzantium,
        Self::Constantinople,
        Self::Petersburg,
        Self::Istanbul,
        Self::MuirGlacier,
        Self::Berlin,
        Self::London,
        Self::ArrowGlacier,
        Self::GrayGlacier,
        Self::Paris,
        Self::Shanghai,
        Self::Cancun,
        Self::Prague,
        Self::Osaka,
        Self::Bpo1,
        Self::Bpo2,
        Self::Bpo3,
        Self::Bpo4,
        Self::Bpo5,
        Self::Amsterdam,
    ];

    /// The fork's name in prose and messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Frontier => "Frontier",
            Self::Homestead => "Homestead",
            Self::Dao => "DAO",
            Self::TangerineWhistle => "Tangerine Whistle",
            Self::SpuriousDragon => "Spurious Dragon",
            Self::Byzantium => "Byzantium",
            Self::Constantinople => "Constantinople",
            Self::Petersburg => "Petersburg",
            Self::Istanbul => "Istanbul",
            Self::MuirGlacier => "Muir Glacier",
            Self::Berlin => "Berlin",
            Self::London => "London",
            Self::ArrowGlacier => "Arrow Glacier",
            Self::GrayGlacier => "Gray Glacier",
            Self::Paris => "Paris",
            Self::Shanghai => "Shanghai",
            Self::Cancun => "Cancun",
            Self::Prague => "Prague",
            Self::Osaka => "Osaka",
            Self::Bpo1 => "BPO1",
            Self::Bpo2 => "BPO2",
            Self::Bpo3 => "BPO3",
            Self::Bpo4 => "BPO4",
            Self::Bpo5 => "BPO5",
            Self::Amsterdam => "Amsterdam",
        }
    }

    /// What switches this fork on.
    pub const fn switch(self) -> Switch {
        match self as u8 {
            fork if fork < Self::Paris as u8 => Switch::BlockNumber,
            fork if fork == Self::Paris as u8 => Switch::TotalDifficulty,
            _ => Switch::Timestamp,
        }
    }

    /// Whether the fork changes nothing but the blob parameters (EIP-7892).
    pub const fn is_blob_parameter_only(self) -> bool {
        matches!(self, Self::Bpo1 | Self::Bpo2 | Self::Bpo3 | Self::Bpo4 | Self::Bpo5)
    }

    /// The position in [`Fork::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Fork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_forks_is_the_enum_in_order() {
        for (index, fork) in Fork::ALL.into_iter().enumerate() {
            assert_eq!(fork.index(), index);
        }
        assert!(Fork::ALL.is_sorted());
    }

    #[test]
    fn the_merge_divides_numbers_from_timestamps() {
        assert_eq!(Fork::GrayGlacier.switch(), Switch::BlockNumber);
        assert_eq!(Fork::Paris.switch(), Switch::TotalDifficulty);
        assert_eq!(Fork::Shanghai.switch(), Switch::Timestamp);
    }
}
