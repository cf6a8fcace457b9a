//! A decoded block with its hash: the first stage of import.

use alloy_consensus::{BlockBody, Header};
use alloy_eips::eip4895::Withdrawals;
use alloy_primitives::{B256, Bytes};
use alloy_rlp::{Decodable, Encodable};
use balsa_evm::Transaction;
use balsa_keccak::keccak256;
use thiserror::Error;

/// A block as it came over the wire, decoded. Nothing is proved of it but that its bytes are a block's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedBlock {
    /// keccak256 of the header's RLP.
    pub hash: B256,
    /// The header.
    pub header: Header,
    /// The transactions, in order.
    pub transactions: Vec<Transaction>,
    /// Ommers; none after the merge.
    pub ommers: Vec<Header>,
    /// Withdrawals, from Shanghai on (EIP-4895).
    pub withdrawals: Option<Withdrawals>,
    /// Length of the block's RLP, bytes (EIP-7934).
    pub rlp_len: usize,
}

/// Bytes that are not a block.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BlockDecodeError {
    /// Not RLP, or not a block's RLP.
    #[error("block RLP: {0}")]
    Rlp(#[from] alloy_rlp::Error),
    /// More bytes than one block.
    #[error("{0} bytes follow the block")]
    TrailingBytes(usize),
}

impl SealedBlock {
    /// Decodes the block at the front of `bytes` and moves past it, as chain files want it.
    pub fn decode_next(bytes: &mut &[u8]) -> Result<Self, BlockDecodeError> {
        let before = bytes.len();
        let block = alloy_consensus::Block::<Transaction>::decode(bytes)?;
        let rlp_len = before - bytes.len();
        Ok(Self::new(block, rlp_len))
    }

    /// Decodes bytes that are one block and nothing else.
    pub fn decode(mut bytes: &[u8]) -> Result<Self, BlockDecodeError> {
        let block = Self::decode_next(&mut bytes)?;
        if bytes.is_empty() { Ok(block) } else { Err(BlockDecodeError::TrailingBytes(bytes.len())) }
    }

    /// A block made here.
    pub fn from_parts(
        header: Header,
        transactions: Vec<Transaction>,
        ommers: Vec<Header>,
        withdrawals: Option<Withdrawals>,
    ) -> Self {
        let block = alloy_consensus::Block { header, body: BlockBody { transactions, ommers, withdrawals } };
        let rlp_len = block.length();
        Self::new(block, rlp_len)
    }

    fn new(block: alloy_consensus::Block<Transaction>, rlp_len: usize) -> Self {
        let alloy_consensus::Block { header, body } = block;
        let hash = keccak256(&alloy_rlp::encode(&header));
        let BlockBody { transactions, ommers, withdrawals } = body;
        Self { hash, header, transactions, ommers, withdrawals, rlp_len }
    }

    /// The block's RLP: `[header, transactions, ommers, withdrawals?]` (Yellow Paper, section 4.3.3).
    pub fn encode(&self) -> Bytes {
        alloy_rlp::encode(self.clone().into_block()).into()
    }

    /// As the types of alloy.
    pub fn into_block(self) -> alloy_consensus::Block<Transaction> {
        let Self { header, transactions, ommers, withdrawals, .. } = self;
        alloy_consensus::Block { header, body: BlockBody { transactions, ommers, withdrawals } }
    }
}
