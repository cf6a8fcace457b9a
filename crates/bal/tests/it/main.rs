//! Tests of the crate from outside.

mod lists;
mod mutations;
mod round_trip;
