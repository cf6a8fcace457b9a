//! Contracts come, call each other, look around, and go.

use alloy_primitives::{TxKind, U256, keccak256};

use super::Plan;
use crate::abi::{call, call_with_tail, word};
use crate::contracts::{init_code, mortal, token};
use crate::intent::Call;

/// Under Amsterdam a new account costs 183,600 gas and each byte of code 1530 (EIP-8037).
const CREATION_GAS: u64 = 700_000;
const CODE_BYTE_GAS: u64 = 1_900;
const SLOT_GAS: u64 = 130_000;
const DESTROY_GAS: u64 = 150_000;
const DEPTH_GAS: u64 = 130_000;
const OBSERVE_GAS: u64 = 60_000;
const OBSERVED_GAS: u64 = 8_000;
const TIP_GAS: u64 = 350_000;
/// The most that a transaction may ask for from Osaka on (EIP-7825).
const GAS_MAX: u64 = 1 << 24;

impl Plan {
    /// A contract with some constructor writes: a token cut to size or grown by what is never run.
    pub(super) fn deploy(&mut self) -> Call {
        let size = self.draw_in(self.size.code_bytes);
        let slots = self.random.below(4);
        let mut runtime = token().to_vec();
        while runtime.len() < size as usize {
            runtime.extend_from_slice(self.random.hash().as_slice());
        }
        runtime.truncate(size as usize);
        let input = init_code(&runtime, slots);
        let gas_limit = CREATION_GAS + size * CODE_BYTE_GAS + slots * SLOT_GAS;
        Call { to: TxKind::Create, value: U256::ZERO, input, gas_limit: gas_limit.min(GAS_MAX) }
    }

    pub(super) fn factory_create(&mut self) -> Call {
        self.factory_call("create(uint256)", U256::ZERO, 1)
    }

    pub(super) fn factory_create2(&mut self) -> Call {
        let salt = self.new_salt();
        let factory = self.world.singles.factory.address;
        let child = factory.create2(salt.to_be_bytes::<32>(), keccak256(init_code(&mortal(), 1)));
        self.known.mortals.push(child);
        self.factory_call("create2(uint256)", salt, 1)
    }

    pub(super) fn destroy_same(&mut self) -> Call {
        let salt = self.new_salt();
        self.factory_call("createAndKill(uint256)", salt, 2)
    }

    /// A contract of an earlier transaction: pays out, but stays, from Cancun on (EIP-6780).
    pub(super) fn destroy_old(&mut self) -> Call {
        let position = self.random.index(self.known.mortals.len());
        let victim = match self.known.mortals.is_empty() {
            true => self.stranger(),
            false => self.known.mortals.swap_remove(position),
        };
        let heir = self.draw_recipient();
        Call::new(victim, heir.into_word().into(), DESTROY_GAS)
    }

    pub(super) fn deep_call(&mut self) -> Call {
        let depth = self.draw_in(self.size.depth);
        let first = self.random.index(self.world.links.len());
        let input = call("descend(uint256)", &[U256::from(depth)]);
        let gas_limit = ((depth + 4) * DEPTH_GAS).min(GAS_MAX);
        Call::new(self.world.links[first].address, input, gas_limit)
    }

    pub(super) fn observe(&mut self) -> Call {
        let count = self.random.between(4, 24);
        let mut words = vec![U256::from(count)];
        for index in 0..count {
            let seen = match index % 3 {
                0 => self.world.tokens[self.random.index(self.world.tokens.len())].address,
                1 => self.stranger(),
                _ => self.draw_recipient(),
            };
            words.push(word(seen));
        }
        let input = call("observe(uint256)", &words);
        Call::new(self.world.singles.observer.address, input, OBSERVE_GAS + count * OBSERVED_GAS)
    }

    pub(super) fn tip(&mut self) -> Call {
        let input = alloy_primitives::Bytes::new();
        Call::new(self.world.singles.tipper.address, input, TIP_GAS).with_value(self.draw_wei())
    }

    fn factory_call(&mut self, signature: &str, salt: U256, slots: u64) -> Call {
        let code = init_code(&mortal(), slots);
        let gas_limit = CREATION_GAS + code.len() as u64 * CODE_BYTE_GAS + (slots + 1) * SLOT_GAS;
        let input = call_with_tail(signature, salt, &code);
        Call::new(self.world.singles.factory.address, input, gas_limit).with_value(self.draw_wei())
    }

    fn new_salt(&mut self) -> U256 {
        self.known.salts += 1;
        U256::from(self.known.salts)
    }
}
