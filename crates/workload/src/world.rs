//! Who and what is there before the first block: signers, holders and contracts, by address.

use alloy_primitives::{Address, Bytes, U256};

use crate::accounts::{Signer, address};
use crate::contracts;
use crate::params::Params;

/// How many children of the factory's kind exist from the start, to be destroyed later.
pub const OLD_MORTALS: u64 = 64;
/// How many accounts take the fees of blocks.
pub const FEE_RECIPIENTS: u64 = 12;

/// A contract that is part of the genesis state.
#[derive(Clone, Debug)]
pub struct Contract {
    /// Where it is.
    pub address: Address,
    /// Its code.
    pub code: Bytes,
}

/// Everything that a load plays with. Follows from the parameters alone.
#[derive(Clone, Debug)]
pub struct World {
    /// The seed that every address comes from.
    pub seed: u64,
    /// Accounts that sign, in order.
    pub signers: Vec<Signer>,
    /// How many accounts only hold; see [`World::holder`].
    pub holders: u64,
    /// In how many tokens each holder has a balance.
    pub holdings: u64,
    /// ERC-20 tokens.
    pub tokens: Vec<Contract>,
    /// Pools; the pair at `i` trades the tokens `i` and `i + 1`, around.
    pub pairs: Vec<Contract>,
    /// ERC-721 collections.
    pub nfts: Vec<Contract>,
    /// Rows of storage.
    pub ledgers: Vec<Contract>,
    /// The ring of deep calls.
    pub links: Vec<Contract>,
    /// Contracts of which there is one.
    pub singles: Singles,
}

/// Contracts of which there is one.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "named as in `contracts`")]
pub struct Singles {
    pub router: Contract,
    pub hasher: Contract,
    pub factory: Contract,
    pub reverter: Contract,
    pub burner: Contract,
    pub delegate: Contract,
    pub observer: Contract,
    pub tipper: Contract,
}

impl World {
    /// The world of `params`.
    #[must_use]
    pub fn new(params: &Params) -> Self {
        let seed = params.seed;
        let state = &params.state;
        let place = |label: &str, index: usize| address(seed, label, index as u64);
        let many = |label: &'static str, count: usize, code: &dyn Fn(usize) -> Bytes| -> Vec<Contract> {
            (0..count).map(|index| Contract { address: place(label, index), code: code(index) }).collect()
        };
        let single = |label: &'static str, code: Bytes| Contract { address: place(label, 0), code };
        let token = |index: usize| place("token", index % state.tokens);
        Self {
            seed,
            signers: (0..state.signers).map(|index| Signer::derive(seed, index)).collect(),
            holders: state.holders,
            holdings: state.holdings,
            tokens: many("token", state.tokens, &|_| contracts::token()),
            pairs: many("pair", state.pairs, &|index| contracts::pair(token(index), token(index + 1))),
            nfts: many("nft", state.nfts, &|_| contracts::nft()),
            ledgers: many("ledger", state.ledgers, &|_| contracts::ledger()),
            links: many("link", state.links, &|index| contracts::link(place("link", (index + 1) % state.links))),
            singles: Singles {
                router: single("router", contracts::router()),
                hasher: single("hasher", contracts::hasher()),
                factory: single("factory", contracts::factory()),
                reverter: single("reverter", contracts::reverter()),
                burner: single("burner", contracts::burner()),
                delegate: single("delegate", contracts::delegate()),
                observer: single("observer", contracts::observer()),
                tipper: single("tipper", contracts::tipper()),
            },
        }
    }

    /// The holder at `index`.
    #[must_use]
    pub fn holder(&self, index: u64) -> Address {
        address(self.seed, "holder", index)
    }

    /// A contract that can be destroyed, there from the start.
    #[must_use]
    pub fn old_mortal(&self, index: u64) -> Address {
        address(self.seed, "mortal", index)
    }

    /// An account that takes fees.
    #[must_use]
    pub fn fee_recipient(&self, index: u64) -> Address {
        address(self.seed, "fee-recipient", index)
    }

    /// The two tokens of the pair at `pair`, by their positions among the tokens.
    #[must_use]
    pub const fn tokens_of(&self, pair: usize) -> (usize, usize) {
        (pair % self.tokens.len(), (pair + 1) % self.tokens.len())
    }

    /// Whether the holder at `holder` has a balance in the token at `token`.
    #[must_use]
    pub const fn holds(&self, holder: u64, token: usize) -> bool {
        let tokens = self.tokens.len() as u64;
        (token as u64 + tokens - holder % tokens) % tokens < self.holdings
    }

    /// What each signer and holder has of a token.
    #[must_use]
    pub fn token_endowment() -> U256 {
        U256::from(10).pow(U256::from(24))
    }

    /// What each pair has of each of its tokens.
    #[must_use]
    pub fn pair_reserve() -> U256 {
        U256::from(10).pow(U256::from(27))
    }

    /// Every contract, in a fixed order.
    pub fn contracts(&self) -> impl Iterator<Item = &Contract> {
        let many = [&self.tokens, &self.pairs, &self.nfts, &self.ledgers, &self.links];
        many.into_iter().flatten().chain(self.singles.all())
    }
}

impl Singles {
    /// All of them, in a fixed order.
    #[must_use]
    pub const fn all(&self) -> [&Contract; 8] {
        let Self { router, hasher, factory, reverter, burner, delegate, observer, tipper } = self;
        [router, hasher, factory, reverter, burner, delegate, observer, tipper]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profile;

    #[test]
    fn addresses_are_apart_and_holdings_add_up() {
        let params = Profile::Quick.params();
        let world = World::new(&params);
        let mut addresses: Vec<Address> = world.contracts().map(|contract| contract.address).collect();
        addresses.extend(world.signers.iter().map(|signer| signer.address));
        addresses.extend((0..100).map(|index| world.holder(index)));
        let count = addresses.len();
        addresses.sort_unstable();
        addresses.dedup();
        assert_eq!(addresses.len(), count);
        for holder in 0..20 {
            let held = (0..world.tokens.len()).filter(|token| world.holds(holder, *token)).count();
            assert_eq!(held as u64, params.state.holdings);
        }
    }
}
