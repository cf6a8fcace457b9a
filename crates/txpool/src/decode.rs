//! From bytes to a transaction and its sidecar, and back.

use alloy_consensus::{EthereumTxEnvelope, Signed, TxEip4844WithSidecar};
use alloy_eips::{
    eip2718::{Decodable2718, Encodable2718},
    eip7594::BlobTransactionSidecarVariant,
};
use alloy_primitives::B256;
use balsa_evm::Transaction;

use crate::PoolError;

type Enveloped = EthereumTxEnvelope<TxEip4844WithSidecar<BlobTransactionSidecarVariant>>;

/// A transaction as users send it, taken apart.
#[derive(Clone, Debug)]
pub struct RawTransaction {
    /// As it stands in blocks.
    pub transaction: Transaction,
    /// Of a type-3 transaction.
    pub sidecar: Option<BlobTransactionSidecarVariant>,
}

/// Reads the EIP-2718 encoding that users and peers send: a type-3 transaction with its sidecar (EIP-4844, EIP-7594).
///
/// # Errors
/// [`PoolError::Malformed`]; [`PoolError::MissingSidecar`] for a type-3 transaction in the form of blocks.
pub fn decode(bytes: &[u8]) -> Result<RawTransaction, PoolError> {
    let enveloped = match Enveloped::decode_2718_exact(bytes) {
        Ok(enveloped) => enveloped,
        Err(_) if Transaction::decode_2718_exact(bytes).is_ok_and(|bare| bare.is_eip4844()) => {
            return Err(PoolError::MissingSidecar);
        }
        Err(error) => return Err(PoolError::Malformed(error)),
    };
    Ok(match enveloped {
        Enveloped::Legacy(signed) => Transaction::Legacy(signed).into(),
        Enveloped::Eip2930(signed) => Transaction::Eip2930(signed).into(),
        Enveloped::Eip1559(signed) => Transaction::Eip1559(signed).into(),
        Enveloped::Eip7702(signed) => Transaction::Eip7702(signed).into(),
        Enveloped::Eip4844(signed) => {
            let (TxEip4844WithSidecar { tx, sidecar }, signature, hash) = signed.into_parts();
            let transaction = Transaction::Eip4844(Signed::new_unchecked(tx, signature, hash));
            RawTransaction { transaction, sidecar: Some(sidecar) }
        }
    })
}

/// The encoding that [`decode`] reads.
pub(crate) fn with_sidecar(transaction: &Transaction, sidecar: BlobTransactionSidecarVariant) -> Vec<u8> {
    match transaction.clone().try_into_pooled_eip4844(sidecar) {
        Ok(enveloped) => enveloped.encoded_2718(),
        // Only type 3 has a sidecar.
        Err(_) => transaction.encoded_2718(),
    }
}

impl From<Transaction> for RawTransaction {
    fn from(transaction: Transaction) -> Self {
        Self { transaction, sidecar: None }
    }
}

impl RawTransaction {
    /// The transaction's hash.
    pub fn hash(&self) -> &B256 {
        self.transaction.tx_hash()
    }

    /// Length of the encoding without and with the sidecar.
    pub(crate) fn lengths(&self) -> Lengths {
        let bare = self.transaction.encode_2718_len();
        let sidecar = self.sidecar.as_ref().map_or(0, |sidecar| match sidecar {
            BlobTransactionSidecarVariant::Eip4844(sidecar) => {
                sidecar.blobs.len() * BLOB_BYTES + (sidecar.commitments.len() + sidecar.proofs.len()) * 48
            }
            BlobTransactionSidecarVariant::Eip7594(sidecar) => {
                sidecar.blobs.len() * BLOB_BYTES + (sidecar.commitments.len() + sidecar.cell_proofs.len()) * 48
            }
        });
        Lengths { bare, whole: bare + sidecar }
    }
}

/// Of a blob (EIP-4844).
const BLOB_BYTES: usize = 4096 * 32;

/// Of an encoding, in bytes.
pub(crate) struct Lengths {
    pub(crate) bare: usize,
    pub(crate) whole: usize,
}
