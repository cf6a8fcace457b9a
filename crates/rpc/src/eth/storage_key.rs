//! The number of a slot, as callers write it.

use alloy_primitives::B256;
use serde::{Deserialize, Deserializer, de::Error};

/// The number of a slot: up to 32 bytes of hexadecimal, of any length, odd ones too, with or without `0x`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StorageKey {
    /// The number.
    pub(crate) slot: B256,
    /// Digits that the caller wrote. Answers show a key of full length in full, others as a number.
    digits: usize,
}

impl StorageKey {
    /// As answers show it.
    pub(crate) fn shown(&self) -> String {
        if self.digits == 64 {
            self.slot.to_string()
        } else {
            format!("{:#x}", alloy_primitives::U256::from_be_bytes(self.slot.0))
        }
    }

    fn parse(text: &str) -> Result<Self, &'static str> {
        let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
        if digits.len() > 64 {
            return Err("storage key too long (want at most 32 bytes)");
        }
        let mut slot = B256::ZERO;
        let padded = format!("{digits:0>64}");
        alloy_primitives::hex::decode_to_slice(&padded, &mut slot.0).map_err(|_| "invalid hex in storage key")?;
        Ok(Self { slot, digits: digits.len() })
    }
}

impl<'de> Deserialize<'de> for StorageKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_any_length_are_read() {
        for (text, last, shown) in [("0x", 0, "0x0"), ("0x00", 0, "0x0"), ("0x1", 1, "0x1"), ("0a", 10, "0xa")] {
            let key = StorageKey::parse(text).unwrap();
            assert_eq!((key.slot, key.shown().as_str()), (B256::with_last_byte(last), shown), "{text}");
        }
        let full = format!("0x{:0>64}", "5");
        assert_eq!(StorageKey::parse(&full).unwrap().shown(), full);
        for text in [format!("0x{:0>65}", "0"), "0xzz".into(), "é".into(), "0x0x".into()] {
            assert!(StorageKey::parse(&text).is_err(), "{text}");
        }
    }
}
