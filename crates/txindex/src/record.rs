//! A record and a mark. FORMAT.md, "Record" and "Mark".

use alloy_primitives::B256;
use balsa_storage::TransactionPosition;

use crate::key::Key;

/// What the index says of one transaction: its position, or that it was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) hash: B256,
    pub(crate) position: Option<TransactionPosition>,
}

/// A record in the order of runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyedRecord {
    pub(crate) key: Key,
    pub(crate) record: Record,
}

/// Everything up to this block was handed over: where who feeds the index goes on after a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Block number.
    pub number: u64,
    /// Block hash.
    pub hash: B256,
}

/// A mark with the order in which marks were set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SerialMark {
    /// From 1.
    pub(crate) serial: u64,
    pub(crate) mark: Mark,
}

const REMOVED: u64 = u64::MAX;

impl Record {
    pub(crate) const BYTES: usize = 44;

    pub(crate) fn encode(&self) -> [u8; Self::BYTES] {
        let (number, index) = self.position.map_or((REMOVED, 0), |position| (position.block_number, position.index));
        let mut bytes = [0; Self::BYTES];
        bytes[..32].copy_from_slice(self.hash.as_slice());
        bytes[32..40].copy_from_slice(&number.to_le_bytes());
        bytes[40..].copy_from_slice(&index.to_le_bytes());
        bytes
    }

    pub(crate) fn decode(bytes: &[u8; Self::BYTES]) -> Self {
        let (hash, rest) = bytes.split_first_chunk::<32>().expect("44 bytes");
        let (number, rest) = rest.split_first_chunk().expect("12 bytes");
        let index = rest.first_chunk().expect("4 bytes");
        let position =
            TransactionPosition { block_number: u64::from_le_bytes(*number), index: u32::from_le_bytes(*index) };
        Self { hash: hash.into(), position: (position.block_number != REMOVED).then_some(position) }
    }
}

impl KeyedRecord {
    /// Runs ascend by it.
    pub(crate) fn order(&self) -> (Key, B256) {
        (self.key, self.record.hash)
    }
}

impl SerialMark {
    pub(crate) const BYTES: usize = 48;

    pub(crate) fn encode(mark: Option<Self>) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        if let Some(Self { serial, mark }) = mark {
            bytes[..8].copy_from_slice(&serial.to_le_bytes());
            bytes[8..16].copy_from_slice(&mark.number.to_le_bytes());
            bytes[16..].copy_from_slice(mark.hash.as_slice());
        }
        bytes
    }

    pub(crate) fn decode(bytes: &[u8; Self::BYTES]) -> Option<Self> {
        let (serial, rest) = bytes.split_first_chunk().expect("48 bytes");
        let (number, rest) = rest.split_first_chunk().expect("40 bytes");
        let hash = rest.first_chunk::<32>().expect("32 bytes");
        let serial = u64::from_le_bytes(*serial);
        let mark = Mark { number: u64::from_le_bytes(*number), hash: hash.into() };
        (serial != 0).then_some(Self { serial, mark })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded() {
        let hash = B256::repeat_byte(7);
        let position = TransactionPosition { block_number: 5, index: u32::MAX };
        for record in [Record { hash, position: Some(position) }, Record { hash, position: None }] {
            assert_eq!(Record::decode(&record.encode()), record);
        }
        let mark = SerialMark { serial: 9, mark: Mark { number: 3, hash } };
        for mark in [None, Some(mark)] {
            assert_eq!(SerialMark::decode(&SerialMark::encode(mark)), mark);
        }
    }
}
