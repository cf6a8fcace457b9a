//! balsa's own deterministic load: chains of real transactions, built from a seed.
//!
//! A load is a parameter file. From it follow, one from the other:
//!
//! - [`params`], [`profile`]: what is asked for, and the loads that come with the program.
//! - [`world`], [`genesis`]: who and what is there before the first block.
//! - [`prestate`]: the state that this makes, of any size.
//! - [`plan`], [`intent`], [`kind`]: the endless stream of transactions.
//! - [`sign`]: the same, signed, ahead of execution.
//! - [`generate`]: the chain, block by block through the payload builder.
//! - [`fixture`]: the same on disk; [`prepare`]: a database that stands at the genesis block; [`command`]: `balsa workload`.
//!
//! Below them: [`assembler`] and [`contracts`] (bytecode from readable source), [`abi`], [`accounts`], [`random`].
//!
//! Equal parameters give an equal chain on every machine: nothing here depends on time, on the number of cores, on the
//! order of a hash map, or on a floating-point number.

pub mod abi;
pub mod accounts;
pub mod assembler;
pub mod command;
pub mod contracts;
pub mod fixture;
pub mod generate;
pub mod genesis;
pub mod intent;
pub mod kind;
pub mod params;
pub mod plan;
pub mod prepare;
pub mod prestate;
pub mod profile;
pub mod random;
pub mod sign;
mod tip;
pub mod world;
