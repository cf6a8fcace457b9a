//! A payload as a block, and a block as a payload.

use crate::{ExecutionPayload, InvalidPayload, NewPayloadParams, Withdrawal};
use alloy_consensus::{EMPTY_OMMER_ROOT_HASH, Header, Transaction as _};
use alloy_eips::eip2718::{Decodable2718, Encodable2718};
use alloy_eips::eip4895;
use alloy_eips::eip7685::Requests;
use alloy_primitives::{B256, Bytes, U64, U256};
use balsa_evm::Transaction;
use balsa_executor::SealedBlock;
use balsa_keccak::keccak256;
use balsa_trie::ordered_root;

/// A payload whose hash is the one that it claims.
#[derive(Clone, Debug)]
pub struct PayloadBlock {
    /// The block.
    pub block: SealedBlock,
    /// Its access list's bytes.
    pub list: Option<Bytes>,
}

impl PayloadBlock {
    /// Builds the block: the roots that the payload leaves out follow from its contents.
    ///
    /// # Errors
    /// Transactions that do not decode, a hash that is not the block's, versioned hashes that are not its blobs'.
    pub fn new(params: NewPayloadParams) -> Result<Self, InvalidPayload> {
        let NewPayloadParams { payload, expected_blob_versioned_hashes, .. } = &params;
        let transactions = decode_transactions(&payload.transactions)?;
        let header = header_of(payload, &params)?;
        let withdrawals = payload.withdrawals.as_ref().map(|all| all.iter().map(withdrawal).collect::<Vec<_>>().into());
        let block = SealedBlock::from_parts(header, transactions, Vec::new(), withdrawals);
        if block.hash != payload.block_hash {
            return Err(InvalidPayload::BlockHash { computed: block.hash, payload: payload.block_hash });
        }
        if let Some(expected) = expected_blob_versioned_hashes {
            check_versioned_hashes(&block, expected)?;
        }
        Ok(Self { block, list: params.payload.block_access_list })
    }
}

fn decode_transactions(encoded: &[Bytes]) -> Result<Vec<Transaction>, InvalidPayload> {
    let decode = |(index, bytes): (usize, &Bytes)| {
        let mut rest = &bytes[..];
        let invalid = |error: String| InvalidPayload::Transaction { index, error, bytes: bytes.clone() };
        let transaction = Transaction::decode_2718(&mut rest).map_err(|error| invalid(error.to_string()))?;
        if rest.is_empty() { Ok(transaction) } else { Err(invalid(format!("{} bytes follow it", rest.len()))) }
    };
    encoded.iter().enumerate().map(decode).collect()
}

fn header_of(payload: &ExecutionPayload, params: &NewPayloadParams) -> Result<Header, InvalidPayload> {
    let base_fee = u64::try_from(payload.base_fee_per_gas);
    let base_fee = base_fee.map_err(|_| InvalidPayload::BaseFee(payload.base_fee_per_gas))?;
    Ok(Header {
        parent_hash: payload.parent_hash,
        ommers_hash: EMPTY_OMMER_ROOT_HASH,
        beneficiary: payload.fee_recipient,
        state_root: payload.state_root,
        transactions_root: ordered_root(&payload.transactions),
        receipts_root: payload.receipts_root,
        logs_bloom: payload.logs_bloom,
        number: payload.block_number.to(),
        gas_limit: payload.gas_limit.to(),
        gas_used: payload.gas_used.to(),
        timestamp: payload.timestamp.to(),
        extra_data: payload.extra_data.clone(),
        mix_hash: payload.prev_randao,
        base_fee_per_gas: Some(base_fee),
        withdrawals_root: payload.withdrawals.as_deref().map(withdrawals_root),
        blob_gas_used: payload.blob_gas_used.map(|gas| gas.to()),
        excess_blob_gas: payload.excess_blob_gas.map(|gas| gas.to()),
        parent_beacon_block_root: params.parent_beacon_block_root,
        requests_hash: params.execution_requests.as_ref().map(|all| Requests::new(all.clone()).requests_hash()),
        block_access_list_hash: payload.block_access_list.as_ref().map(|list| keccak256(list)),
        slot_number: payload.slot_number.map(|slot| slot.to()),
        ..Header::default()
    })
}

fn withdrawals_root(withdrawals: &[Withdrawal]) -> B256 {
    let encoded: Vec<Vec<u8>> = withdrawals.iter().map(|all| alloy_rlp::encode(withdrawal(all))).collect();
    ordered_root(&encoded)
}

pub(crate) fn withdrawal(withdrawal: &Withdrawal) -> eip4895::Withdrawal {
    eip4895::Withdrawal {
        index: withdrawal.index.to(),
        validator_index: withdrawal.validator_index.to(),
        address: withdrawal.address,
        amount: withdrawal.amount.to(),
    }
}

pub(crate) fn withdrawal_of(withdrawal: &eip4895::Withdrawal) -> Withdrawal {
    Withdrawal {
        index: U64::from(withdrawal.index),
        validator_index: U64::from(withdrawal.validator_index),
        address: withdrawal.address,
        amount: U64::from(withdrawal.amount),
    }
}

impl ExecutionPayload {
    /// The payload of a block under proof of stake.
    pub fn of_block(block: &SealedBlock, list: Option<Bytes>) -> Self {
        let header = &block.header;
        Self {
            parent_hash: header.parent_hash,
            fee_recipient: header.beneficiary,
            state_root: header.state_root,
            receipts_root: header.receipts_root,
            logs_bloom: header.logs_bloom,
            prev_randao: header.mix_hash,
            block_number: U64::from(header.number),
            gas_limit: U64::from(header.gas_limit),
            gas_used: U64::from(header.gas_used),
            timestamp: U64::from(header.timestamp),
            extra_data: header.extra_data.clone(),
            base_fee_per_gas: U256::from(header.base_fee_per_gas.unwrap_or_default()),
            block_hash: block.hash,
            transactions: block.transactions.iter().map(|transaction| transaction.encoded_2718().into()).collect(),
            withdrawals: block.withdrawals.as_ref().map(|all| all.iter().map(withdrawal_of).collect()),
            blob_gas_used: header.blob_gas_used.map(U64::from),
            excess_blob_gas: header.excess_blob_gas.map(U64::from),
            block_access_list: list,
            slot_number: header.slot_number.map(U64::from),
        }
    }
}

/// The consensus client knows which blobs it saw: they must be those of the transactions, in order (EIP-4844).
fn check_versioned_hashes(block: &SealedBlock, expected: &[B256]) -> Result<(), InvalidPayload> {
    let of_block =
        block.transactions.iter().flat_map(|transaction| transaction.blob_versioned_hashes().unwrap_or_default());
    if of_block.eq(expected) { Ok(()) } else { Err(InvalidPayload::VersionedHashes) }
}
