//! Tests of the crate from outside.

mod lists;
mod mutations;
mod recording;
mod round_trip;
mod rules;
mod vectors;
mod world;
