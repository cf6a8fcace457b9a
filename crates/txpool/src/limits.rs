//! How much the pool holds.

/// The limits of a pool. Those that grow with the number of senders are the pool's, the others a sender's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Transactions without blobs.
    pub transactions_max: usize,
    /// Their encodings together, in bytes.
    pub bytes_max: usize,
    /// Transactions with blobs.
    pub blob_transactions_max: usize,
    /// Their encodings together, sidecars included, in bytes.
    pub blob_bytes_max: usize,
    /// Transactions of one sender.
    pub sender_transactions_max: usize,
    /// Of these, such as cannot run yet.
    pub sender_queued_max: usize,
    /// Transactions with blobs of one sender.
    pub sender_blob_transactions_max: usize,
    /// Transactions in flight of a sender whose code is a delegation, or is about to become one (EIP-7702): whoever else
    /// the code obeys can empty the account at any time.
    pub delegated_transactions_max: usize,
    /// One transaction's encoding, without its sidecar, in bytes.
    pub transaction_bytes_max: usize,
    /// Least priority fee, in wei a gas.
    pub priority_fee_min: u128,
    /// What a replacement must offer more than what it replaces, in percent.
    pub replacement_percent: u128,
    /// The same for transactions with blobs.
    pub blob_replacement_percent: u128,
    /// Sidecars of included transactions, kept in case their block is reorganised away, in bytes.
    pub included_sidecar_bytes_max: usize,
    /// The journal's file, in bytes.
    pub journal_bytes_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            transactions_max: 20_000,
            bytes_max: 256 << 20,
            blob_transactions_max: 1024,
            blob_bytes_max: 512 << 20,
            sender_transactions_max: 1024,
            sender_queued_max: 64,
            sender_blob_transactions_max: 16,
            delegated_transactions_max: 1,
            transaction_bytes_max: 128 << 10,
            priority_fee_min: 1,
            replacement_percent: 10,
            blob_replacement_percent: 100,
            included_sidecar_bytes_max: 128 << 20,
            journal_bytes_max: 64 << 20,
        }
    }
}
