//! Parts of the parallel path that can be switched off, to see what each is worth.

/// What runs beside the transactions. All of it by default; the result of a block is the same without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stages {
    /// Parent values are read ahead, in the store's key order. Without, each is read by the first who needs it.
    pub prefetch: bool,
    /// The state root is computed while the transactions run. Without, after them.
    pub early_root: bool,
}

impl Default for Stages {
    fn default() -> Self {
        Self { prefetch: true, early_root: true }
    }
}
