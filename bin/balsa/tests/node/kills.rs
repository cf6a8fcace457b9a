//! `kill -9` at random moments of a devnet: the node comes back at a head that it had, and the consensus client goes on.

use crate::{
    engine_replay::{Recorded, recorded, replay, start},
    process::{NodeProcess, vectors},
};
use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use std::{ops::Range, thread, time::Duration};
use tempfile::TempDir;

/// How often the node is killed, and at least.
const KILLS: usize = 40;
const KILLS_MIN: usize = 20;

/// Calls between two kills, three a block: with [`KILLS`] of them the whole recording is sent.
const CALLS_BETWEEN: Range<usize> = 4..24;

/// How long a call may run before the kill, in microseconds: some calls are over by then, some are not.
const IN_FLIGHT_US: Range<u64> = 0..20_000;

#[test]
#[expect(clippy::print_stdout, reason = "the seed of a run that fails")]
fn a_node_that_is_killed_again_and_again_keeps_a_chain_that_can_be_extended() {
    let Some(folder) = vectors("amsterdam-devnet") else { return };
    let recorded = recorded(&folder);
    let seed = rand::rng().random::<u64>();
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let datadir = TempDir::new().expect("a directory");
    let (mut next, mut kills, mut redone) = (0, 0, 0);
    while next < recorded.len() {
        let node = start(datadir.path(), &folder);
        let resumed = position_after_head(&node, &recorded, next);
        redone += next - resumed;
        next = resumed;
        let pause = if kills < KILLS { next + random.random_range(CALLS_BETWEEN) } else { recorded.len() };
        while next < pause.min(recorded.len()) {
            replay(&node, &recorded[next], next);
            next += 1;
        }
        let Some(call) = recorded.get(next) else {
            // All is sent: this time the node may end as it likes to, and then nothing may be lost.
            assert!(node.terminate().success());
            break;
        };
        kill_within(node, call, Duration::from_micros(random.random_range(IN_FLIGHT_US)));
        kills += 1;
    }
    println!("{kills} kills, {redone} calls sent again");
    assert!(kills >= KILLS_MIN, "{kills} kills only: the test has lost its point");
    let node = start(datadir.path(), &folder);
    assert_eq!(head(&node).0, 140);
    assert!(node.terminate().success());
}

/// Where the consensus client goes on: behind the payload that is the head now, which must be one that was sent.
fn position_after_head(node: &NodeProcess, recorded: &[Recorded], sent: usize) -> usize {
    let (number, hash) = head(node);
    if number == 0 {
        return 0;
    }
    // The call in flight at the kill may have been carried out.
    let of_head = |call: &Recorded| call.payload_hash() == Some(&hash);
    let position = recorded[..(sent + 1).min(recorded.len())].iter().position(of_head);
    position.unwrap_or_else(|| panic!("the head {number} {hash} is no payload that was sent")) + 1
}

fn head(node: &NodeProcess) -> (u64, Value) {
    let answer = node.call("eth_getBlockByNumber", &json!(["latest", false]));
    let number = answer["result"]["number"].as_str().unwrap_or_else(|| panic!("{answer}"));
    let number = u64::from_str_radix(number.trim_start_matches("0x"), 16).expect("a number");
    (number, answer["result"]["hash"].clone())
}

/// Kills the node while it works at a call, or just before or after.
fn kill_within(node: NodeProcess, call: &Recorded, delay: Duration) {
    let connection = node.send_engine(&call.method, &call.params);
    // Not a wait for anything: the moment is what is tested.
    thread::sleep(delay);
    node.kill();
    drop(connection);
}
