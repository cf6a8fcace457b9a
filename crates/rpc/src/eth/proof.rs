//! Merkle proofs of accounts and slots ([EIP-1186](https://eips.ethereum.org/EIPS/eip-1186)).

use alloy_primitives::{Address, B256, Bytes, U64, U256, keccak256};
use balsa_trie::{AccountProof, account_proof};
use serde::Serialize;

use super::{block_id::kept_block, state::SLOTS_MAX, storage_key::StorageKey};
use crate::{Context, Methods, Params, RpcError};

/// An account with the nodes that prove it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RpcAccountProof {
    address: Address,
    account_proof: Vec<Bytes>,
    balance: U256,
    code_hash: B256,
    nonce: U64,
    storage_hash: B256,
    storage_proof: Vec<RpcSlotProof>,
}

/// A slot with the nodes that prove it.
#[derive(Serialize)]
struct RpcSlotProof {
    key: String,
    value: U256,
    proof: Vec<Bytes>,
}

pub(crate) fn register(methods: &mut Methods) {
    methods.add("eth_getProof", 3, proof);
}

fn proof(context: &Context, mut params: Params) -> Result<RpcAccountProof, RpcError> {
    let address: Address = params.required("address")?;
    let keys: Vec<StorageKey> = params.required("storageKeys")?;
    if keys.len() > SLOTS_MAX {
        return Err(RpcError::invalid_params(format!("too many slots: {}, limit {SLOTS_MAX}", keys.len())));
    }
    let (view, kept) = kept_block(context, params.optional("block")?)?;
    let block = view.parent(&kept.hash()).ok_or_else(|| RpcError::internal("a kept block has no state"))?;
    let slot_hashes: Vec<B256> = keys.iter().map(|key| keccak256(key.slot)).collect();
    let proof =
        account_proof(&block.trie, &*block.nodes, keccak256(address), &slot_hashes).map_err(RpcError::internal)?;
    Ok(shown(address, &keys, proof))
}

fn shown(address: Address, keys: &[StorageKey], proof: AccountProof) -> RpcAccountProof {
    let account = proof.account.unwrap_or_default();
    let slots = keys.iter().zip(proof.slots);
    RpcAccountProof {
        address,
        account_proof: proof.nodes,
        balance: account.balance,
        code_hash: account.code_hash,
        nonce: U64::from(account.nonce),
        storage_hash: account.storage_root,
        storage_proof: slots
            .map(|(key, slot)| RpcSlotProof { key: key.shown(), value: slot.value, proof: slot.nodes })
            .collect(),
    }
}
