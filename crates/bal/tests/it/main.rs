//! Tests of the crate from outside.

mod inspect;
mod lists;
mod mutations;
mod recording;
mod round_trip;
mod rules;
mod vectors;
mod world;
