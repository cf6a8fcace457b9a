//! Why an instruction or a frame failed.

use revm::interpreter::InstructionResult;

/// Why an instruction, or the frame that it ends, failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// REVERT: what the frame did is undone, the gas that is left is kept.
    Reverted,
    /// The gas did not suffice.
    OutOfGas,
    /// An offset or length that no gas could pay for.
    OperandTooLarge,
    /// SSTORE with no more gas than a call's stipend (EIP-2200).
    NoMoreThanStipend,
    /// The byte is no instruction of the fork, or INVALID.
    InvalidOpcode,
    /// The stack holds too few items.
    StackUnderflow,
    /// The stack would hold more than 1024 items.
    StackOverflow,
    /// A jump to something else than a JUMPDEST.
    InvalidJump,
    /// A change of state within a static call (EIP-214).
    WriteProtection,
    /// A read beyond the returned data (EIP-211).
    ReturnDataOutOfBounds,
    /// More than 1024 frames.
    CallTooDeep,
    /// The balance does not cover the value.
    InsufficientBalance,
    /// The receiver's balance would overflow.
    BalanceOverflow,
    /// Something is where the contract would be created (EIP-684, EIP-7610).
    AddressCollision,
    /// The creator's nonce is the largest (EIP-2681).
    NonceOverflow,
    /// The code is too long (EIP-170, EIP-7954).
    CodeSize,
    /// The init code is too long (EIP-3860).
    InitcodeSize,
    /// The code begins with 0xEF (EIP-3541).
    CodePrefix,
    /// A precompile refused its input.
    Precompile,
    /// The state could not be read, or the run was cut short: says nothing about the transaction.
    Internal,
}

impl Fault {
    pub(crate) fn of(result: InstructionResult) -> Option<Self> {
        use InstructionResult as Revm;
        Some(match result {
            Revm::Stop | Revm::Return | Revm::SelfDestruct | Revm::Suspend => return None,
            Revm::Revert => Self::Reverted,
            Revm::OutOfGas | Revm::MemoryOOG | Revm::MemoryLimitOOG | Revm::PrecompileOOG => Self::OutOfGas,
            Revm::InvalidOperandOOG => Self::OperandTooLarge,
            Revm::ReentrancySentryOOG => Self::NoMoreThanStipend,
            Revm::OpcodeNotFound | Revm::InvalidFEOpcode | Revm::NotActivated | Revm::InvalidImmediateEncoding => {
                Self::InvalidOpcode
            }
            Revm::StackUnderflow => Self::StackUnderflow,
            Revm::StackOverflow => Self::StackOverflow,
            Revm::InvalidJump => Self::InvalidJump,
            Revm::CallNotAllowedInsideStatic | Revm::StateChangeDuringStaticCall => Self::WriteProtection,
            Revm::OutOfOffset => Self::ReturnDataOutOfBounds,
            Revm::CallTooDeep => Self::CallTooDeep,
            Revm::OutOfFunds => Self::InsufficientBalance,
            Revm::OverflowPayment => Self::BalanceOverflow,
            Revm::CreateCollision => Self::AddressCollision,
            Revm::NonceOverflow => Self::NonceOverflow,
            Revm::CreateContractSizeLimit => Self::CodeSize,
            Revm::CreateInitCodeSizeLimit => Self::InitcodeSize,
            Revm::CreateContractStartingWithEF => Self::CodePrefix,
            Revm::PrecompileError => Self::Precompile,
            Revm::FatalExternalError
            | Revm::CreateInitCodeStartingEF00
            | Revm::InvalidEOFInitCode
            | Revm::InvalidExtDelegateCallTarget => Self::Internal,
        })
    }
}
