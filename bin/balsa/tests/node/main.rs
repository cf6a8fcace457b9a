//! The node from outside: a process, its doors, and what it answers.

mod blobs;
mod building;
mod dev;
mod engine_replay;
mod floods;
mod kills;
mod metrics;
mod process;
mod proposer;
mod start;
