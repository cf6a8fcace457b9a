//! Where the official request and response files are.

use std::path::{Path, PathBuf};

/// The folder `execution-apis/tests`, if it is there: under `BALSA_VECTORS`, beside the workspace, or in it.
///
/// # Panics
/// If it is not there, and `BALSA_VECTORS_REQUIRED` says that it must be.
#[expect(clippy::print_stderr, reason = "a run without the files must not look like one with them")]
pub(crate) fn execution_apis() -> Option<PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let named = std::env::var_os("BALSA_VECTORS").map(PathBuf::from);
    let places = named.map_or_else(
        || vec![workspace.join("../shared/vectors"), workspace.join("fixtures/vectors")],
        |place| vec![place],
    );
    let found = places.into_iter().map(|place| place.join("execution-apis/tests")).find(|folder| folder.exists());
    if found.is_none() {
        assert!(std::env::var_os("BALSA_VECTORS_REQUIRED").is_none(), "execution-apis is required and not there");
        eprintln!("execution-apis not found: set BALSA_VECTORS, or run scripts/vectors");
    }
    found
}
