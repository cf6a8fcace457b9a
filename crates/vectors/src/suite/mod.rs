//! One runner for each kind of test.

pub mod basic;
mod block;
mod difficulty;
mod engine;
mod reference_trie;
mod rlp;
mod state;
mod transaction;
mod trie;
mod vm;

use crate::fixture::{Kind, RawTest};
use crate::{Options, Outcome, Place};

/// Runs one test. No outcome at all means that nothing in it was selected.
pub(crate) fn run(kind: Kind, place: &Place, test: &RawTest<'_>, options: &Options) -> Vec<Outcome> {
    match kind {
        Kind::State => state::run(place, test, options),
        Kind::Vm => vm::run(place, test),
        Kind::Blockchain => block::run(place, test, options),
        Kind::Engine => engine::run(place, test, options),
        Kind::Transaction => transaction::run(place, test, options),
        Kind::Trie => trie::run(place, test),
        Kind::Rlp => rlp::run(place, test),
        Kind::Difficulty => difficulty::run(place, test, options),
        Kind::Basic => super::suite::judged(place, "", Err("a file of this kind is run whole".to_owned())),
    }
}

/// The same for a test whose outcome is one.
fn judged(place: &Place, fork: &str, judged: Result<(), String>) -> Vec<Outcome> {
    vec![Outcome::new(place, fork, judged.map(|()| None))]
}

/// Why a fixture was not understood.
fn malformed(error: serde_json::Error) -> String {
    format!("malformed fixture: {error}")
}
