//! The pool across restarts.

use balsa_chainspec::Fork;

use super::fixtures::{ETHER, Signer, account, encoded, encoded_whole, head};
use crate::{Limits, Pool};

fn pool(signer: &Signer, blobs: &Signer, nonce: u64) -> Pool {
    let accounts = [account(signer, nonce, ETHER), account(blobs, 0, ETHER)];
    Pool::new(Limits::default(), head(Fork::Osaka, &accounts))
}

#[test]
fn a_restart_finds_what_still_fits() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("transactions.journal");
    let (signer, blobs) = (Signer::new(1), Signer::new(2));
    let before = pool(&signer, &blobs, 0);
    assert_eq!(before.open_journal(&path).unwrap(), 0);
    let transactions: Vec<_> = (0..5).map(|nonce| signer.payment(nonce, 10, 1)).collect();
    for transaction in &transactions {
        before.add(&encoded(transaction)).unwrap();
    }
    let blob = blobs.with_blob(0, b"blob", |_| {});
    before.add(&encoded_whole(&blob)).unwrap();
    // No farewell: as after `kill -9`.
    std::mem::forget(before);
    let after = pool(&signer, &blobs, 2);
    assert_eq!(after.open_journal(&path).unwrap(), 4, "two were mined meanwhile");
    assert!(after.get(blob.hash()).unwrap().sidecar.is_some());
    assert_eq!(after.status().pending, 4);
    after.check();
    let again = pool(&signer, &blobs, 2);
    assert_eq!(again.open_journal(&path).unwrap(), 4, "it was written anew without the two");
}

#[test]
fn something_else_in_its_place_is_no_reason_to_stop() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("transactions.journal");
    std::fs::write(&path, b"balsatxj\x02\0\0\0of a later version").unwrap();
    let (signer, blobs) = (Signer::new(1), Signer::new(2));
    assert_eq!(pool(&signer, &blobs, 0).open_journal(&path).unwrap(), 0);
}
