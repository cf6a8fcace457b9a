//! Type 3: sidecars, their proofs, and where blobs are found.

use alloy_consensus::Transaction as _;
use alloy_eips::{
    eip4844::builder::{SidecarBuilder, SimpleCoder},
    eip7594::BlobTransactionSidecarVariant,
};
use alloy_primitives::B256;
use balsa_chainspec::Fork;

use super::fixtures::{ETHER, Signer, account, encoded, encoded_whole, head, sidecar};
use crate::{BlockChange, Limits, Pool, PoolError, RawTransaction};

fn signer() -> Signer {
    Signer::new(1)
}

fn pool() -> Pool {
    Pool::new(Limits::default(), head(Fork::Osaka, &[account(&signer(), 0, ETHER)]))
}

fn refused(raw: &RawTransaction) -> PoolError {
    pool().add(&encoded_whole(raw)).unwrap_err()
}

#[test]
fn blobs_commitments_proofs_and_hashes_belong_together() {
    let right = signer().with_blob(0, b"right", |_| {});
    assert!(pool().add(&encoded_whole(&right)).unwrap().pending);
    let other = sidecar(b"other");
    assert!(matches!(
        refused(&RawTransaction { sidecar: Some(other.clone()), ..right.clone() }),
        PoolError::Sidecar(_)
    ));
    let mut wrong_proof = right.clone();
    let Some(BlobTransactionSidecarVariant::Eip7594(sidecar)) = &mut wrong_proof.sidecar else { unreachable!() };
    sidecar.cell_proofs[7] = other.as_eip7594().unwrap().cell_proofs[7];
    assert!(matches!(refused(&wrong_proof), PoolError::Sidecar(_)));
    let Some(BlobTransactionSidecarVariant::Eip7594(sidecar)) = &mut wrong_proof.sidecar else { unreachable!() };
    sidecar.cell_proofs.pop();
    assert!(matches!(refused(&wrong_proof), PoolError::Sidecar(_)), "a proof is missing");
    let none = signer().with_blob(0, b"none", |tx| tx.blob_versioned_hashes.clear());
    assert!(matches!(refused(&none), PoolError::NoBlobs));
    let many = signer().with_blob(0, b"many", |tx| tx.blob_versioned_hashes = vec![B256::ZERO; 7]);
    assert!(matches!(refused(&many), PoolError::BlobCount { count: 7, max: 6 }));
    let free = signer().with_blob(0, b"free", |tx| tx.max_fee_per_blob_gas = 0);
    assert!(matches!(refused(&free), PoolError::BlobFeeBelowMinimum { max_fee: 0 }));
}

#[test]
fn osaka_asks_for_cell_proofs_and_cancun_for_blob_proofs() {
    let cells = signer().with_blob(0, b"content", |_| {});
    let builder = SidecarBuilder::<SimpleCoder>::from_slice(b"content");
    let whole = BlobTransactionSidecarVariant::Eip4844(builder.build_4844().unwrap());
    let whole = RawTransaction { sidecar: Some(whole), ..cells.clone() };
    assert!(matches!(refused(&whole), PoolError::SidecarVersion { found: 0, expected: 1 }));
    let cancun = Pool::new(Limits::default(), head(Fork::Cancun, &[account(&signer(), 0, ETHER)]));
    assert!(matches!(cancun.add(&encoded_whole(&cells)), Err(PoolError::SidecarVersion { found: 1, expected: 0 })));
    cancun.add(&encoded_whole(&whole)).unwrap();
    // The fork comes while it waits.
    cancun.set_head(head(Fork::Osaka, &[account(&signer(), 0, ETHER)]), &BlockChange::default()).unwrap();
    assert_eq!(cancun.status().pending, 0, "nobody could publish it any more");
    cancun.check();
}

#[test]
fn blob_replacements_pay_twice_and_kinds_do_not_mix() {
    let pool = pool();
    let first = pool.add(&encoded_whole(&signer().with_blob(0, b"a", |_| {}))).unwrap();
    assert!(matches!(pool.add(&encoded(&signer().payment(1, 10, 1))), Err(PoolError::AddressReserved)));
    let gapped = signer().with_blob(2, b"c", |_| {});
    assert!(matches!(pool.add(&encoded_whole(&gapped)), Err(PoolError::NonceTooHigh { nonce: 2, gap: 1 })));
    let nearly = signer().with_blob(0, b"b", |tx| {
        tx.max_fee_per_gas *= 2;
        tx.max_priority_fee_per_gas *= 2;
    });
    assert!(matches!(pool.add(&encoded_whole(&nearly)), Err(PoolError::ReplacementBlobUnderpriced { .. })));
    let twice = signer().with_blob(0, b"b", |tx| {
        tx.max_fee_per_gas *= 2;
        tx.max_priority_fee_per_gas *= 2;
        tx.max_fee_per_blob_gas *= 2;
    });
    assert_eq!(pool.add(&encoded_whole(&twice)).unwrap().replaced, Some(first.hash));
    let hash = |content: &[u8]| sidecar(content).versioned_hashes().next().unwrap();
    assert!(pool.blob(&hash(b"a")).is_none(), "its blob went with it");
    assert_eq!(pool.blob(&hash(b"b")).unwrap().index, 0);
    pool.check();
}

#[test]
fn a_reorganised_blob_transaction_finds_its_sidecar_again() {
    let pool = pool();
    let raw = signer().with_blob(0, b"blob", |_| {});
    let versioned_hash = raw.transaction.blob_versioned_hashes().unwrap()[0];
    pool.add(&encoded_whole(&raw)).unwrap();
    let included = BlockChange { included: vec![raw.transaction.clone()], removed: Vec::new() };
    pool.set_head(head(Fork::Osaka, &[account(&signer(), 1, ETHER)]), &included).unwrap();
    assert!(pool.get(raw.hash()).is_none() && pool.blob(&versioned_hash).is_none());
    let removed = BlockChange { removed: vec![raw.transaction.clone()], included: Vec::new() };
    pool.set_head(head(Fork::Osaka, &[account(&signer(), 0, ETHER)]), &removed).unwrap();
    assert!(pool.get(raw.hash()).is_some() && pool.blob(&versioned_hash).is_some());
    pool.check();
}

#[test]
fn best_stays_within_the_blobs_that_are_left() {
    let other = Signer::new(2);
    let accounts = [account(&signer(), 0, ETHER), account(&other, 0, ETHER)];
    let pool = Pool::new(Limits::default(), head(Fork::Osaka, &accounts));
    pool.add(&encoded_whole(&signer().with_blob(0, b"a", |_| {}))).unwrap();
    pool.add(&encoded_whole(&signer().with_blob(1, b"b", |_| {}))).unwrap();
    pool.add(&encoded(&other.payment(0, 10, 1))).unwrap();
    let mut best = pool.best();
    assert!(best.next().unwrap().has_blobs());
    best.set_blobs_left(0);
    let rest: Vec<_> = best.collect();
    assert_eq!(rest.len(), 1);
    assert_eq!(rest[0].sender, other.address);
}
