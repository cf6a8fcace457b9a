//! `engine_getBlobs`: blobs that the pool holds, so that the consensus client need not wait for them to be gossiped.

use crate::EngineError;
use alloy_eips::eip4844::{BlobAndProofV1, BlobAndProofV2, BlobCellsAndProofsV1};
use alloy_eips::eip7594::{BlobCellMask, BlobTransactionSidecarVariant, CELLS_PER_EXT_BLOB};
use alloy_primitives::B128;
use balsa_chainspec::{Fork, Rules};
use std::sync::Arc;

/// The most blobs in one answer.
pub const BLOBS_MAX: u64 = 128;

/// One blob of a sidecar: blob, commitment and proofs are those at `index`.
#[derive(Clone, Debug)]
pub struct HeldBlob {
    /// All blobs of the transaction.
    pub sidecar: Arc<BlobTransactionSidecarVariant>,
    /// Which one.
    pub index: usize,
}

/// Whether so many blobs may be asked for.
///
/// # Errors
/// [`EngineError::TooLarge`].
pub fn check_blob_count(count: usize) -> Result<(), EngineError> {
    let count = count as u64;
    if count > BLOBS_MAX { Err(EngineError::TooLarge { count, max: BLOBS_MAX }) } else { Ok(()) }
}

/// Version 1: blobs with their proofs, null for those that are not held.
///
/// # Errors
/// Osaka is active: proofs are of cells then.
pub fn blobs_v1(rules: &Rules, blobs: &[Option<HeldBlob>]) -> Result<Vec<Option<BlobAndProofV1>>, EngineError> {
    if rules.has(Fork::Osaka) {
        return Err(EngineError::UnsupportedFork { method: "engine_getBlobsV1", fork: rules.fork });
    }
    let with_proof = |blob: &HeldBlob| {
        let sidecar = blob.sidecar.as_eip4844()?;
        let (proof, blob) = (sidecar.proofs.get(blob.index)?, sidecar.blobs.get(blob.index)?);
        Some(BlobAndProofV1 { blob: Box::new(*blob), proof: *proof })
    };
    Ok(blobs.iter().map(|blob| blob.as_ref().and_then(with_proof)).collect())
}

/// Version 2: all blobs with the proofs of their cells, or none.
pub fn blobs_v2(blobs: &[Option<HeldBlob>]) -> Option<Vec<BlobAndProofV2>> {
    blobs.iter().map(|blob| with_cell_proofs(blob.as_ref()?)).collect()
}

/// Version 3: as version 2, but null for those only that are not held.
pub fn blobs_v3(blobs: &[Option<HeldBlob>]) -> Vec<Option<BlobAndProofV2>> {
    blobs.iter().map(|blob| with_cell_proofs(blob.as_ref()?)).collect()
}

/// Version 4: the cells that the bits of `indices` name, with their proofs; null for blobs that are not held.
///
/// # Errors
/// If cells cannot be computed, which would be a fault of ours: every blob that is held was verified.
pub fn blobs_v4(blobs: &[Option<HeldBlob>], indices: B128) -> Result<Vec<Option<BlobCellsAndProofsV1>>, EngineError> {
    let mask = BlobCellMask::new(indices);
    let cells = |blob: &Option<HeldBlob>| {
        let Some(blob) = blob else { return Ok(None) };
        let Some(sidecar) = blob.sidecar.as_eip7594() else { return Ok(None) };
        let cells = sidecar.blob_cells_and_proofs(blob.index, mask);
        cells.map_err(|error| EngineError::Internal(format!("cells of a blob: {error}")))
    };
    blobs.iter().map(cells).collect()
}

fn with_cell_proofs(blob: &HeldBlob) -> Option<BlobAndProofV2> {
    let sidecar = blob.sidecar.as_eip7594()?;
    let first = blob.index * CELLS_PER_EXT_BLOB;
    let proofs = sidecar.cell_proofs.get(first..first + CELLS_PER_EXT_BLOB)?.to_vec();
    Some(BlobAndProofV2 { blob: Box::new(*sidecar.blobs.get(blob.index)?), proofs })
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_eips::eip4844::{Blob, BlobTransactionSidecar, Bytes48};
    use alloy_eips::eip7594::BlobTransactionSidecarEip7594;

    fn old() -> HeldBlob {
        let sidecar = BlobTransactionSidecar::new(vec![Blob::ZERO], vec![Bytes48::ZERO], vec![Bytes48::repeat_byte(1)]);
        HeldBlob { sidecar: Arc::new(BlobTransactionSidecarVariant::Eip4844(sidecar)), index: 0 }
    }

    fn new(index: usize) -> HeldBlob {
        let proofs = (0..2 * CELLS_PER_EXT_BLOB).map(|n| Bytes48::with_last_byte((n % 251) as u8)).collect();
        let sidecar = BlobTransactionSidecarEip7594::new(vec![Blob::ZERO; 2], vec![Bytes48::ZERO; 2], proofs);
        HeldBlob { sidecar: Arc::new(BlobTransactionSidecarVariant::Eip7594(sidecar)), index }
    }

    #[test]
    fn version_1_ends_with_osaka() {
        let answer = blobs_v1(&Rules::mainnet(Fork::Prague), &[Some(old()), None]).unwrap();
        assert_eq!(
            answer.iter().map(|blob| blob.as_ref().map(|blob| blob.proof)).collect::<Vec<_>>(),
            [Some(Bytes48::repeat_byte(1)), None]
        );
        assert_eq!(blobs_v1(&Rules::mainnet(Fork::Osaka), &[]).unwrap_err().code(), -38005);
    }

    #[test]
    fn version_2_is_all_or_nothing_and_version_3_is_not() {
        let all = blobs_v2(&[Some(new(0)), Some(new(1))]).unwrap();
        assert_eq!(all[1].proofs[0], Bytes48::with_last_byte(CELLS_PER_EXT_BLOB as u8));
        assert_eq!(all[0].proofs.len(), CELLS_PER_EXT_BLOB);
        assert!(blobs_v2(&[Some(new(0)), None]).is_none());
        assert!(blobs_v2(&[Some(old())]).is_none(), "a blob with a proof of the older kind");
        let partial = blobs_v3(&[None, Some(new(1)), Some(old())]);
        assert_eq!(partial.iter().map(Option::is_some).collect::<Vec<_>>(), [false, true, false]);
    }

    #[test]
    fn version_4_gives_the_cells_of_the_bits() {
        let indices = B128::from(0b101u128 | 1 << 127);
        let answer = blobs_v4(&[Some(new(1)), None], indices).unwrap();
        let found = answer[0].as_ref().unwrap();
        assert_eq!(found.blob_cells.len(), 3);
        let proof = |cell: usize| Some(Bytes48::with_last_byte(((CELLS_PER_EXT_BLOB + cell) % 251) as u8));
        assert_eq!(found.proofs, [proof(0), proof(2), proof(127)]);
        assert!(answer[1].is_none());
    }

    #[test]
    fn too_many_are_refused() {
        assert!(check_blob_count(128).is_ok());
        assert_eq!(check_blob_count(129).unwrap_err().code(), -38004);
    }
}
