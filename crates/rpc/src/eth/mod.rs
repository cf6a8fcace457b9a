//! The `eth_` namespace: chain, state, transactions
//! ([execution-apis](https://github.com/ethereum/execution-apis/tree/main/src/eth)).

pub(crate) mod access_list;
pub(crate) mod block;
pub(crate) mod block_id;
mod call;
pub(crate) mod chain;
mod config;
mod fee_history;
mod fees;
mod fill;
pub(crate) mod filters;
pub(crate) mod logs;
mod proof;
pub(crate) mod receipt;
mod send;
mod send_sync;
mod simulate;
pub(crate) mod state;
mod storage_key;
pub(crate) mod transaction;

use crate::Methods;

pub(crate) fn register(methods: &mut Methods) {
    access_list::register(methods);
    block::register(methods);
    call::register(methods);
    chain::register(methods);
    config::register(methods);
    fee_history::register(methods);
    fees::register(methods);
    fill::register(methods);
    filters::register(methods);
    logs::register(methods);
    proof::register(methods);
    receipt::register(methods);
    send::register(methods);
    send_sync::register(methods);
    simulate::register(methods);
    state::register(methods);
    transaction::register(methods);
}
