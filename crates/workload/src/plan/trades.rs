//! Swaps through pools that everybody shares.

use alloy_primitives::U256;

use super::Plan;
use crate::abi::{call, word};
use crate::intent::Call;

const SWAP_GAS: u64 = 200_000;
const HOP_GAS: u64 = 150_000;

impl Plan {
    pub(super) fn swap_route(&mut self) -> Call {
        let hops = self.draw_in(self.size.hops);
        self.swap(hops)
    }

    /// A swap along `hops` neighbouring pools, in one direction around.
    pub(super) fn swap(&mut self, hops: u64) -> Call {
        let pairs = self.world.pairs.len();
        let forward = self.random.chance(500);
        let mut pair = self.draw_hot(pairs);
        let (token0, token1) = self.world.tokens_of(pair);
        let paid = self.world.tokens[if forward { token0 } else { token1 }].address;
        let amount = U256::from(self.random.between(1 << 40, 1 << 60));
        let mut words = vec![amount, word(paid), U256::ZERO];
        for _ in 0..hops {
            words.push(word(self.world.pairs[pair].address) | U256::from(forward) << 160);
            words[2] += U256::ONE;
            // With fewer pairs than tokens the ring has a gap, where a path ends.
            let next = if forward { pair + 1 } else { pair.checked_sub(1).unwrap_or(pairs - 1) };
            let wraps = next == pairs || (!forward && pair == 0);
            if wraps && pairs != self.world.tokens.len() {
                break;
            }
            pair = next % pairs;
        }
        let hops = words.len() as u64 - 3;
        let input = call("swap(uint256,address,uint256)", &words);
        Call::new(self.world.singles.router.address, input, SWAP_GAS + hops * HOP_GAS)
    }
}
