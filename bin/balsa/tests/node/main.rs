//! The node from outside: a process, its doors, and what it answers.

mod dev;
mod engine_replay;
mod floods;
mod kills;
mod process;
mod start;
