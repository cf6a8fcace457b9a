//! The `debug_` namespace
//! ([execution-apis](https://github.com/ethereum/execution-apis/tree/main/src/debug)).

mod bad_blocks;
mod go_duration;
mod raw;
mod trace;

use crate::Methods;

pub(crate) fn register(methods: &mut Methods) {
    bad_blocks::register(methods);
    raw::register(methods);
    trace::register(methods);
}
