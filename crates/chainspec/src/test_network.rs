//! The networks that the official test suites name.

use crate::Fork;

impl Fork {
    /// The fork that the test suites, and `--rules`, call `name`.
    ///
    /// Some suites number forks by their EIP, one knows Petersburg as a repaired Constantinople.
    pub fn from_test_name(name: &str) -> Option<Self> {
        Some(match name {
            "Frontier" => Self::Frontier,
            "Homestead" => Self::Homestead,
            "Dao" | "DAO" => Self::Dao,
            "EIP150" | "TangerineWhistle" => Self::TangerineWhistle,
            "EIP158" | "SpuriousDragon" => Self::SpuriousDragon,
            "Byzantium" => Self::Byzantium,
            "Constantinople" => Self::Constantinople,
            "ConstantinopleFix" | "Petersburg" => Self::Petersburg,
            "Istanbul" => Self::Istanbul,
            "MuirGlacier" => Self::MuirGlacier,
            "Berlin" => Self::Berlin,
            "London" => Self::London,
            "ArrowGlacier" => Self::ArrowGlacier,
            "GrayGlacier" => Self::GrayGlacier,
            "Merge" | "Paris" => Self::Paris,
            "Shanghai" => Self::Shanghai,
            "Cancun" => Self::Cancun,
            "Prague" => Self::Prague,
            "Osaka" => Self::Osaka,
            "BPO1" => Self::Bpo1,
            "BPO2" => Self::Bpo2,
            "BPO3" => Self::Bpo3,
            "BPO4" => Self::Bpo4,
            "BPO5" => Self::Bpo5,
            "Amsterdam" => Self::Amsterdam,
            _ => return None,
        })
    }
}
