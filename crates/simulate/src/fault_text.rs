//! Faults in the words that tools know.

use balsa_evm::Fault;

/// Why a call failed, as execution clients say it.
pub fn fault_text(fault: Fault) -> &'static str {
    match fault {
        Fault::Reverted => "execution reverted",
        Fault::OutOfGas => "out of gas",
        Fault::OperandTooLarge => "gas uint64 overflow",
        Fault::NoMoreThanStipend => "out of gas: not enough gas for reentrancy sentry",
        Fault::InvalidOpcode => "invalid opcode",
        Fault::StackUnderflow => "stack underflow",
        Fault::StackOverflow => "stack limit reached 1024 (1023)",
        Fault::InvalidJump => "invalid jump destination",
        Fault::WriteProtection => "write protection",
        Fault::ReturnDataOutOfBounds => "return data out of bounds",
        Fault::CallTooDeep => "max call depth exceeded",
        Fault::InsufficientBalance => "insufficient balance for transfer",
        Fault::BalanceOverflow => "balance overflow",
        Fault::AddressCollision => "contract address collision",
        Fault::NonceOverflow => "nonce uint64 overflow",
        Fault::CodeSize => "max code size exceeded",
        Fault::InitcodeSize => "max initcode size exceeded",
        Fault::CodePrefix => "invalid code: must not begin with 0xef",
        Fault::Precompile => "precompile failed",
        Fault::Internal => "internal failure",
    }
}
