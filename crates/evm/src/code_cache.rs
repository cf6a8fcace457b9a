//! Analysed code, once for each hash.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use alloy_primitives::{B256, Bytes, map::foldhash::fast::RandomState};
use revm::bytecode::Bytecode;

/// Bytes of code after which the cache is emptied rather than grown.
const BYTES_MAX: usize = 256 << 20;

/// Code with its jump table, shared by all workers and kept across blocks. Code is named by its hash, so no block,
/// valid or not, can leave a wrong entry.
#[derive(Debug, Default)]
pub struct CodeCache {
    codes: dashmap::DashMap<B256, Bytecode, RandomState>,
    bytes: AtomicUsize,
}

impl CodeCache {
    pub(crate) fn code<E>(&self, code_hash: &B256, load: impl FnOnce() -> Result<Bytes, E>) -> Result<Bytecode, E> {
        if let Some(code) = self.codes.get(code_hash) {
            return Ok(code.clone());
        }
        let raw = load()?;
        if self.bytes.fetch_add(raw.len(), Relaxed) > BYTES_MAX {
            self.codes.clear();
            self.bytes.store(raw.len(), Relaxed);
        }
        // A malformed EIP-7702 designator cannot be deployed (EIP-3541), except before London: plain code then.
        let code = Bytecode::new_raw_checked(raw.clone()).unwrap_or_else(|_| Bytecode::new_legacy(raw));
        self.codes.insert(*code_hash, code.clone());
        Ok(code)
    }
}
