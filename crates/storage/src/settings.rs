//! What the owner of a store chooses.

/// How to open a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// When a flush counts as done.
    pub durability: Durability,
    /// Memory for the engine, in bytes: half is its block cache, half its write buffers. At least [`Self::MEMORY_BYTES_MIN`].
    pub memory_bytes: u64,
    /// Threads that write buffers out and compact; at least 1.
    pub worker_threads: usize,
    /// Whether transactions are indexed by hash.
    pub transaction_index: bool,
    /// Where to abort the process, for crash tests; `None` everywhere else.
    pub crash_point: Option<CrashPoint>,
}

impl Settings {
    /// Below this the engine's write buffers would be emptied at every block.
    pub const MEMORY_BYTES_MIN: u64 = 32 << 20;
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            durability: Durability::Power,
            memory_bytes: 512 << 20,
            worker_threads: 2,
            transaction_index: true,
            crash_point: None,
        }
    }
}

/// What an acknowledged flush survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// The end of the process in any way, `kill -9` included, but not the end of the machine.
    Process,
    /// The loss of power too: each flush waits for the disk.
    Power,
}

/// The places of a flush and of a database's creation at which a crash test ends the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrashPoint {
    /// `IDENTITY` stands, the engine does not.
    IdentityWritten,
    /// The engine is complete under its temporary name.
    EngineCreated,
    /// A first flush has written a part of the genesis.
    PartCommitted,
    /// A flush has everything in its batch and has written nothing.
    BatchBuilt,
    /// The batch is committed; nobody was told.
    BatchCommitted,
}

impl Settings {
    /// Ends the process here if the settings say so. Not a panic: nothing unwinds, nothing is dropped.
    pub(crate) fn pass(&self, point: CrashPoint) {
        if self.crash_point == Some(point) {
            std::process::abort();
        }
    }
}
