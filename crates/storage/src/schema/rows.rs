//! Rows of `meta` and `transactions`.

use alloy_primitives::{B256, U256};

/// `meta` `identity`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct IdentityRow {
    pub(crate) format: u32,
    pub(crate) chain_id: u64,
    pub(crate) genesis_hash: B256,
}

impl IdentityRow {
    pub(crate) fn encode(&self) -> Vec<u8> {
        [&self.format.to_be_bytes()[..], &self.chain_id.to_be_bytes(), self.genesis_hash.as_slice()].concat()
    }

    pub(crate) fn decode(row: &[u8]) -> Option<Self> {
        let row = <&[u8; 44]>::try_from(row).ok()?;
        Some(Self {
            format: u32::from_be_bytes(*row.first_chunk()?),
            chain_id: u64::from_be_bytes(*row[4..].first_chunk()?),
            genesis_hash: B256::from_slice(&row[12..]),
        })
    }
}

/// `meta` `head`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HeadRow {
    pub(crate) number: u64,
    pub(crate) hash: B256,
    pub(crate) state_root: B256,
    pub(crate) total_difficulty: U256,
}

impl HeadRow {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let difficulty = self.total_difficulty.to_be_bytes::<32>();
        [&self.number.to_be_bytes()[..], self.hash.as_slice(), self.state_root.as_slice(), &difficulty].concat()
    }

    pub(crate) fn decode(row: &[u8]) -> Option<Self> {
        let row = <&[u8; 104]>::try_from(row).ok()?;
        Some(Self {
            number: u64::from_be_bytes(*row.first_chunk()?),
            hash: B256::from_slice(&row[8..40]),
            state_root: B256::from_slice(&row[40..72]),
            total_difficulty: U256::from_be_slice(&row[72..]),
        })
    }
}

/// `meta` `tip`, `safe` and `finalized`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PointerRow {
    pub(crate) number: u64,
    pub(crate) hash: B256,
}

impl PointerRow {
    pub(crate) fn encode(&self) -> Vec<u8> {
        super::block_key(self.number, &self.hash).to_vec()
    }

    pub(crate) fn decode(row: &[u8]) -> Option<Self> {
        Some(Self { number: super::number_of(row)?, hash: super::block_key_hash(row)? })
    }
}

/// A value of `transactions`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TransactionRow {
    pub(crate) number: u64,
    pub(crate) index: u32,
}

impl TransactionRow {
    pub(crate) fn encode(&self) -> Vec<u8> {
        [&self.number.to_be_bytes()[..], &self.index.to_be_bytes()].concat()
    }

    pub(crate) fn decode(row: &[u8]) -> Option<Self> {
        let row = <&[u8; 12]>::try_from(row).ok()?;
        Some(Self {
            number: u64::from_be_bytes(*row.first_chunk()?),
            index: u32::from_be_bytes(*row[8..].first_chunk()?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_round_trip_and_refuse_other_lengths() {
        let identity = IdentityRow { format: 7, chain_id: 1337, genesis_hash: B256::repeat_byte(3) };
        assert_eq!(IdentityRow::decode(&identity.encode()), Some(identity));
        let head = HeadRow {
            number: 9,
            hash: B256::repeat_byte(1),
            state_root: B256::repeat_byte(2),
            total_difficulty: U256::from(131_072),
        };
        assert_eq!(HeadRow::decode(&head.encode()), Some(head));
        let pointer = PointerRow { number: 8, hash: B256::repeat_byte(4) };
        assert_eq!(PointerRow::decode(&pointer.encode()), Some(pointer));
        let position = TransactionRow { number: 5, index: 6 };
        assert_eq!(TransactionRow::decode(&position.encode()), Some(position));

        for length in [0, 3, 8, 11, 13, 39, 41, 43, 45, 103, 105] {
            let row = vec![1; length];
            assert_eq!(IdentityRow::decode(&row), None, "{length}");
            assert_eq!(HeadRow::decode(&row), None, "{length}");
            assert_eq!(PointerRow::decode(&row), None, "{length}");
            assert_eq!(TransactionRow::decode(&row), None, "{length}");
        }
    }
}
