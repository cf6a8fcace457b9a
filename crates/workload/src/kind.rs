//! The kinds of transactions in a load.

use balsa_chainspec::Fork;

/// What a transaction does. Named in parameter files as here, in kebab case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Ether to an account that is there.
    Transfer,
    /// Ether to an account that is not.
    TransferNew,
    /// ERC-20: `transfer`.
    TokenTransfer,
    /// ERC-20: `approve`.
    TokenApprove,
    /// ERC-20: `transferFrom`, by the approval of another signer.
    TokenTransferFrom,
    /// A swap through one pool.
    Swap,
    /// A swap through several pools.
    SwapRoute,
    /// ERC-721: a new piece.
    NftMint,
    /// ERC-721: a piece changes hands.
    NftTransfer,
    /// Rows of storage written.
    StorageWrite,
    /// Rows of storage cleared.
    StorageClear,
    /// Rows of storage read.
    StorageRead,
    /// Keccak in a loop.
    Hash,
    /// Precompiles in a loop.
    Precompiles,
    /// A contract-creating transaction.
    Deploy,
    /// A contract created by a contract, with CREATE.
    FactoryCreate,
    /// A contract created by a contract, with CREATE2; it can be destroyed later.
    FactoryCreate2,
    /// A contract created and destroyed in one transaction.
    DestroySame,
    /// A contract of an earlier transaction destroyed.
    DestroyOld,
    /// Work that is taken back: by REVERT, by INVALID, or in an inner call.
    Revert,
    /// All gas burnt.
    OutOfGas,
    /// A ring of contracts calling each other.
    DeepCall,
    /// Accounts looked at and left alone.
    Observe,
    /// The fee recipient paid by a contract.
    Tip,
    /// A blob transaction.
    Blob,
    /// Accounts delegated to code, some then called.
    SetCode,
    /// A call to an account that was delegated earlier.
    DelegatedCall,
    /// A validator deposit.
    Deposit,
    /// A withdrawal request.
    WithdrawalRequest,
    /// A consolidation request.
    ConsolidationRequest,
    /// A builder deposit.
    BuilderDeposit,
    /// A builder exit.
    BuilderExit,
}

impl Kind {
    /// The first fork, from Paris on, in which the kind can occur.
    #[must_use]
    pub const fn first_fork(self) -> Fork {
        match self {
            Self::Blob => Fork::Cancun,
            Self::SetCode | Self::DelegatedCall | Self::Deposit => Fork::Prague,
            Self::WithdrawalRequest | Self::ConsolidationRequest => Fork::Prague,
            Self::BuilderDeposit | Self::BuilderExit => Fork::Amsterdam,
            _ => Fork::Paris,
        }
    }

    /// Whether the kind can occur under `fork`.
    #[must_use]
    pub fn exists_in(self, fork: Fork) -> bool {
        fork >= self.first_fork()
    }
}
