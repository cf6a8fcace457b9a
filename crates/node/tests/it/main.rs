//! A node on a chain of its own, driven as a consensus client drives it.

mod building;
mod events;
mod fork_choice_model;
mod fork_rules;
mod index;
mod kept_states;
mod support;
