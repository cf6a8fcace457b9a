//! The `eth_` namespace: chain, state, transactions
//! ([execution-apis](https://github.com/ethereum/execution-apis/tree/main/src/eth)).

mod chain;

use crate::Methods;

pub(crate) fn register(methods: &mut Methods) {
    chain::register(methods);
}
