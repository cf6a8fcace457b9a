//! A node on the development chain: every fork from the first block on, and an account with funds.

use alloy_consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U64, U256, b256};
use balsa_chain::GenesisBlock;
use balsa_chainspec::Network;
use balsa_engine::{
    BuiltPayload, ForkchoiceParams, ForkchoiceState, ForkchoiceVersion, PayloadAttributes, PayloadBlock,
    PayloadStatusKind,
};
use balsa_node::BuildRequest;
use balsa_rpc::Limits;
use secp256k1::{Message, SECP256K1, SecretKey};

use super::{TestNode, open_chain, open_doors};

/// The first account of the phrase `test test test test test test test test test test test junk`.
const KEY: B256 = b256!("0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80");

pub(crate) fn dev_node() -> TestNode {
    dev_node_with(Limits::public())
}

pub(crate) fn dev_node_with(limits: Limits) -> TestNode {
    open_doors(open_chain(&GenesisBlock::new(&Network::Dev.genesis()).unwrap()), limits)
}

/// What a consensus client asks for on a block with this number and time; `variant` tells siblings apart.
pub(crate) fn attributes(parent_number: u64, parent_timestamp: u64, variant: u8) -> PayloadAttributes {
    PayloadAttributes {
        timestamp: U64::from(parent_timestamp + 1),
        prev_randao: B256::with_last_byte(variant),
        suggested_fee_recipient: Address::with_last_byte(variant),
        withdrawals: Some(Vec::new()),
        parent_beacon_block_root: Some(B256::ZERO),
        slot_number: Some(U64::from(parent_number + 1)),
        target_gas_limit: Some(U64::from(60_000_000)),
    }
}

/// A block on a parent of the tree, of these transactions or of those that wait.
pub(crate) fn build(server: &TestNode, parent: B256, variant: u8, transactions: Option<Vec<Bytes>>) -> BuiltPayload {
    let node = server.running.node();
    let header = node.view().header(&parent).unwrap().expect("a block of the tree");
    let attributes = attributes(header.number, header.timestamp, variant);
    node.build_block(BuildRequest { parent, attributes, transactions, extra_data: None }).unwrap()
}

/// Brings a block, and makes it the head.
pub(crate) fn make_head(server: &TestNode, built: &BuiltPayload) {
    let node = server.running.node();
    let payload = PayloadBlock { block: built.block.clone(), list: built.list.clone() };
    assert_eq!(node.import(payload).unwrap().status.status, PayloadStatusKind::Valid);
    let none = B256::ZERO;
    let state =
        ForkchoiceState { head_block_hash: built.block.hash, safe_block_hash: none, finalized_block_hash: none };
    let params = ForkchoiceParams { state, attributes: None, custody_columns: None };
    node.forkchoice_updated(ForkchoiceVersion::V4, params).unwrap();
}

/// A signed transfer of 1 wei, which leaves a log (EIP-7708).
pub(crate) fn transfer(nonce: u64) -> Bytes {
    let transaction = TxEip1559 {
        chain_id: Network::Dev.genesis().spec.chain_id,
        nonce,
        gas_limit: 500_000,
        max_fee_per_gas: 100_000_000_000,
        max_priority_fee_per_gas: 2_000_000_000,
        to: TxKind::Call(Address::repeat_byte(0xbb)),
        value: U256::from(1),
        ..TxEip1559::default()
    };
    let key = SecretKey::from_byte_array(KEY.0).unwrap();
    let message = Message::from_digest(transaction.signature_hash().0);
    let (recovery, bytes) = SECP256K1.sign_ecdsa_recoverable(message, &key).serialize_compact();
    let (r, s) = (U256::from_be_slice(&bytes[..32]), U256::from_be_slice(&bytes[32..]));
    let signature = Signature::new(r, s, i32::from(recovery) == 1);
    TxEnvelope::from(transaction.into_signed(signature)).encoded_2718().into()
}
