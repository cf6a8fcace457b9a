//! The contracts of the load, assembled from the sources beside this file.

use alloy_primitives::{Address, Bytes, U256};

use crate::abi::word;
use crate::assembler::{Parameters, assemble};

const PRELUDE: &str = include_str!("contracts/prelude.evm");
const EPILOGUE: &str = include_str!("contracts/epilogue.evm");

/// Storage bases and slots of the token, as its source lays them out.
pub mod token_layout {
    use alloy_primitives::U256;

    /// Balances by holder.
    pub const BALANCES: U256 = U256::ZERO;
    /// Allowances by owner, then spender.
    pub const ALLOWANCES: U256 = U256::from_limbs([1, 0, 0, 0]);
    /// The slot of the total supply.
    pub const SUPPLY: U256 = U256::from_limbs([2, 0, 0, 0]);
}

/// An ERC-20.
#[must_use]
pub fn token() -> Bytes {
    contract(include_str!("contracts/token.evm"), &[])
}

/// A constant-product pool of two tokens.
#[must_use]
pub fn pair(token0: Address, token1: Address) -> Bytes {
    let tokens = [("token0", word(token0)), ("token1", word(token1))];
    contract(include_str!("contracts/pair.evm"), &tokens)
}

/// Swaps along a path of pairs.
#[must_use]
pub fn router() -> Bytes {
    contract(include_str!("contracts/router.evm"), &[])
}

/// An ERC-721 collection.
#[must_use]
pub fn nft() -> Bytes {
    contract(include_str!("contracts/nft.evm"), &[])
}

/// Rows of storage, written, read and cleared by the range.
#[must_use]
pub fn ledger() -> Bytes {
    contract(include_str!("contracts/ledger.evm"), &[])
}

/// Keccak and precompiles in loops.
#[must_use]
pub fn hasher() -> Bytes {
    contract(include_str!("contracts/hasher.evm"), &[])
}

/// Creates contracts.
#[must_use]
pub fn factory() -> Bytes {
    contract(include_str!("contracts/factory.evm"), &[])
}

/// Destroys itself when told to.
#[must_use]
pub fn mortal() -> Bytes {
    contract(include_str!("contracts/mortal.evm"), &[])
}

/// Works and takes it back.
#[must_use]
pub fn reverter() -> Bytes {
    contract(include_str!("contracts/reverter.evm"), &[])
}

/// Runs out of gas.
#[must_use]
pub fn burner() -> Bytes {
    contract(include_str!("contracts/burner.evm"), &[])
}

/// What accounts delegate to.
#[must_use]
pub fn delegate() -> Bytes {
    contract(include_str!("contracts/delegate.evm"), &[])
}

/// One link of a ring of calls.
#[must_use]
pub fn link(next: Address) -> Bytes {
    contract(include_str!("contracts/link.evm"), &[("next", word(next))])
}

/// Looks at accounts.
#[must_use]
pub fn observer() -> Bytes {
    contract(include_str!("contracts/observer.evm"), &[])
}

/// Pays the fee recipient.
#[must_use]
pub fn tipper() -> Bytes {
    contract(include_str!("contracts/tipper.evm"), &[])
}

/// Stands in for the deposit contract.
#[must_use]
pub fn deposit() -> Bytes {
    contract(include_str!("contracts/deposit.evm"), &[])
}

/// Init code that writes `slots` slots of storage (1, 2, …) and leaves `runtime` as the code.
#[must_use]
pub fn init_code(runtime: &[u8], slots: u64) -> Bytes {
    let writes: String = (0..slots).map(|slot| format!("{} {slot} SSTORE\n", slot + 1)).collect();
    // The label itself is one byte, the runtime begins behind it.
    let source = format!("{writes} $size 1 @runtime ADD 0 CODECOPY $size 0 RETURN runtime:");
    let mut code = assembled(&source, &[("size", U256::from(runtime.len()))]).to_vec();
    code.extend_from_slice(runtime);
    code.into()
}

fn contract(source: &str, parameters: &Parameters<'_>) -> Bytes {
    assembled(&[PRELUDE, source, EPILOGUE].join("\n"), parameters)
}

/// The sources are part of this crate, so a fault in one is a fault of ours.
fn assembled(source: &str, parameters: &Parameters<'_>) -> Bytes {
    assemble(source, parameters).unwrap_or_else(|fault| panic!("a contract of the load: {fault}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_source_assembles_within_the_code_limit() {
        let some = Address::repeat_byte(1);
        let codes = [
            token(),
            pair(some, some),
            router(),
            nft(),
            ledger(),
            hasher(),
            factory(),
            mortal(),
            reverter(),
            burner(),
            delegate(),
            link(some),
            observer(),
            tipper(),
            deposit(),
        ];
        for code in codes {
            assert!(code.len() > 3 && code.len() < 24_576);
        }
    }

    #[test]
    fn init_code_ends_with_the_runtime() {
        let runtime = mortal();
        let code = init_code(&runtime, 2);
        assert!(code.ends_with(&runtime));
        assert_eq!(code[code.len() - runtime.len() - 1], 0x5b);
    }
}
