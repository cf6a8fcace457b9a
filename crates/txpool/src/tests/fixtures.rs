//! Senders, heads and transactions for the tests.

use std::sync::Arc;

use alloy_consensus::{
    SignableTransaction, Signed, TxEip1559, TxEip2930, TxEip4844, TxEip7702, TxLegacy, transaction::RlpEcdsaEncodableTx,
};
use alloy_eips::{
    eip2718::Encodable2718,
    eip4844::builder::{SidecarBuilder, SimpleCoder},
    eip7594::BlobTransactionSidecarVariant,
    eip7702::Authorization,
};
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256, keccak256};
use balsa_chainspec::{Fork, Rules};
use balsa_evm::Transaction;
use balsa_state::{Account, MemoryStore, State, StateDiff};
use secp256k1::{Message, SECP256K1, SecretKey};

use crate::{Head, RawTransaction, decode};

pub(crate) const GWEI: u128 = 1_000_000_000;
pub(crate) const ETHER: u128 = GWEI * GWEI;
pub(crate) const TARGET: Address = Address::repeat_byte(0xaa);

/// Someone who signs.
#[derive(Clone)]
pub(crate) struct Signer {
    secret: SecretKey,
    pub(crate) address: Address,
}

impl Signer {
    pub(crate) fn new(number: u64) -> Self {
        let secret = SecretKey::from_byte_array(keccak256(number.to_be_bytes()).0).unwrap();
        let key = secret.public_key(SECP256K1).serialize_uncompressed();
        Self { secret, address: Address::from_raw_public_key(&key[1..]) }
    }

    pub(crate) fn sign(&self, digest: B256) -> Signature {
        let signature = SECP256K1.sign_ecdsa_recoverable(Message::from_digest(digest.0), &self.secret);
        let (recovery, bytes) = signature.serialize_compact();
        let (r, s) = bytes.split_at(32);
        Signature::new(U256::from_be_slice(r), U256::from_be_slice(s), i32::from(recovery) & 1 == 1)
    }

    fn signed<T: SignableTransaction<Signature> + RlpEcdsaEncodableTx>(&self, transaction: T) -> Signed<T> {
        let signature = self.sign(transaction.signature_hash());
        transaction.into_signed(signature)
    }

    pub(crate) fn legacy(&self, transaction: TxLegacy) -> Transaction {
        Transaction::Legacy(self.signed(transaction))
    }

    pub(crate) fn access_list(&self, transaction: TxEip2930) -> Transaction {
        Transaction::Eip2930(self.signed(transaction))
    }

    pub(crate) fn dynamic(&self, transaction: TxEip1559) -> Transaction {
        Transaction::Eip1559(self.signed(transaction))
    }

    pub(crate) fn blob(&self, transaction: TxEip4844) -> Transaction {
        Transaction::Eip4844(self.signed(transaction))
    }

    pub(crate) fn set_code(&self, transaction: TxEip7702) -> Transaction {
        Transaction::Eip7702(self.signed(transaction))
    }

    /// An authorization that this signer gives.
    pub(crate) fn authorization(&self) -> alloy_eips::eip7702::SignedAuthorization {
        let authorization = Authorization { chain_id: U256::ONE, address: TARGET, nonce: 0 };
        let signature = self.sign(authorization.signature_hash());
        authorization.into_signed(signature)
    }

    /// A payment of nothing, with the fees in gwei.
    pub(crate) fn payment(&self, nonce: u64, max_fee: u128, priority_fee: u128) -> Transaction {
        self.dynamic(TxEip1559 {
            nonce,
            max_fee_per_gas: max_fee * GWEI,
            max_priority_fee_per_gas: priority_fee * GWEI,
            ..payment()
        })
    }

    /// A blob transaction with its sidecar, in cells.
    pub(crate) fn with_blob(&self, nonce: u64, content: &[u8], change: impl FnOnce(&mut TxEip4844)) -> RawTransaction {
        let sidecar = sidecar(content);
        let mut transaction = TxEip4844 {
            chain_id: 1,
            nonce,
            gas_limit: 21_000,
            max_fee_per_gas: 10 * GWEI,
            max_priority_fee_per_gas: GWEI,
            to: TARGET,
            blob_versioned_hashes: sidecar.versioned_hashes().collect(),
            max_fee_per_blob_gas: GWEI,
            ..TxEip4844::default()
        };
        change(&mut transaction);
        RawTransaction { transaction: self.blob(transaction), sidecar: Some(sidecar) }
    }
}

pub(crate) fn payment() -> TxEip1559 {
    TxEip1559 {
        chain_id: 1,
        gas_limit: 21_000,
        max_fee_per_gas: 10 * GWEI,
        max_priority_fee_per_gas: GWEI,
        to: TxKind::Call(TARGET),
        ..TxEip1559::default()
    }
}

/// A valid sidecar of one blob.
pub(crate) fn sidecar(content: &[u8]) -> BlobTransactionSidecarVariant {
    let builder = SidecarBuilder::<SimpleCoder>::from_slice(content);
    BlobTransactionSidecarVariant::Eip7594(builder.build_7594().unwrap())
}

/// What `eth_sendRawTransaction` is given.
pub(crate) fn encoded(transaction: &Transaction) -> Vec<u8> {
    transaction.encoded_2718()
}

/// The same with a sidecar.
pub(crate) fn encoded_whole(raw: &RawTransaction) -> Vec<u8> {
    raw.sidecar
        .clone()
        .map_or_else(|| encoded(&raw.transaction), |sidecar| decode::with_sidecar(&raw.transaction, sidecar))
}

/// An account as the state of a test has it.
#[derive(Clone, Default)]
pub(crate) struct TestAccount {
    pub(crate) address: Address,
    pub(crate) nonce: u64,
    pub(crate) balance: u128,
    pub(crate) code: Vec<u8>,
}

pub(crate) fn account(signer: &Signer, nonce: u64, balance: u128) -> TestAccount {
    TestAccount { address: signer.address, nonce, balance, code: Vec::new() }
}

/// A head under mainnet's rules of a fork, base fee 1 gwei.
pub(crate) fn head(fork: Fork, accounts: &[TestAccount]) -> Head {
    let mut diff = StateDiff::default();
    for TestAccount { address, nonce, balance, code } in accounts {
        let code = Bytes::from(code.clone());
        let code_hash = keccak256(&code);
        let account = Account { nonce: *nonce, balance: U256::from(*balance), code_hash, ..Account::default() };
        diff.accounts.push((keccak256(address), Some(account)));
        diff.codes.push((code_hash, code));
    }
    let mut store = MemoryStore::default();
    store.apply(&diff);
    Head {
        state: State::new(Arc::new(store)),
        rules: Rules::mainnet(fork),
        gas_limit: 60_000_000,
        base_fee: GWEI as u64,
        blob_base_fee: 1,
    }
}

/// A generator of numbers, the same for the same seed (splitmix64).
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}
