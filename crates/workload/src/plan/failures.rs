//! Transactions that come to nothing.

use alloy_primitives::{Bytes, U256};

use super::Plan;
use crate::abi::call;
use crate::intent::Call;

const REVERT_GAS: u64 = 250_000;

impl Plan {
    /// By REVERT, by INVALID, or both in a call within that is caught.
    pub(super) fn revert(&mut self) -> Call {
        let mode = U256::from(self.random.below(2));
        let signature = if self.random.chance(300) { "catch(uint256)" } else { "fail(uint256)" };
        Call::new(self.world.singles.reverter.address, call(signature, &[mode]), REVERT_GAS)
    }

    pub(super) fn out_of_gas(&mut self) -> Call {
        let gas = self.draw_in(self.size.burnt_gas);
        Call::new(self.world.singles.burner.address, Bytes::new(), gas)
    }
}
