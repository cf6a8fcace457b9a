//! Engine tests: payloads given to the Engine API's methods one after another, each followed by a fork choice.

use super::block::{check_post_state, world_of};
use super::malformed;
use crate::chain::{genesis_header, test_chain};
use crate::engine_tree::EngineTree;
use crate::exception::{accepts, names_of_invalid_payload};
use crate::fixture::{EngineNewPayload, EngineTest, RawTest};
use crate::tree::Tree;
use crate::{Executors, Options, Outcome, Place};
use alloy_primitives::B256;
use balsa_engine::{
    EngineError, ForkchoiceState, ForkchoiceVersion, NewPayload, NewPayloadParams, NewPayloadVersion,
    PayloadStatusKind, forkchoice_updated, new_payload,
};
use std::sync::Arc;

pub(super) fn run(place: &Place, test: &RawTest<'_>, options: &Options) -> Vec<Outcome> {
    let test: EngineTest<'_> = match serde_json::from_str(test.json.get()) {
        Ok(test) => test,
        Err(error) => return super::judged(place, "", Err(malformed(error))),
    };
    if !options.selects_fork(&test.network) {
        return Vec::new();
    }
    vec![Outcome::new(place, test.network.clone(), judge(&test, options).map(Some))]
}

fn judge(test: &EngineTest<'_>, options: &Options) -> Result<B256, String> {
    if test.engine_new_payloads.is_empty() {
        return Err("the test has no payload".to_owned());
    }
    let spec = Arc::new(test_chain(&test.network, &test.config, options)?);
    let world = world_of(test.pre.get(), test.genesis_block_header.state_root)?;
    let genesis = genesis_header(&test.genesis_block_header)?;
    let executors = Executors::of_chain(spec.clone(), options)?;
    let mut client = EngineTree { tree: Tree::new(spec.clone(), genesis, world), spec, executors };
    choose(&mut client, test.genesis_block_header.hash)?;
    for (index, payload) in test.engine_new_payloads.iter().enumerate() {
        take(&mut client, payload).map_err(|error| format!("payload {index}: {error}"))?;
    }
    let head = client.tree.head();
    if head != test.lastblockhash {
        return Err(format!("head is {head}, expected {}", test.lastblockhash));
    }
    let root = check_post_state(client.tree.head_world(), test.post_state.as_ref(), test.post_state_hash)?;
    // What a client that synchronises is given at last: a valid child of the head.
    if let Some(payload) = &test.sync_payload {
        take(&mut client, payload).map_err(|error| format!("sync payload: {error}"))?;
    }
    Ok(root)
}

/// Gives a payload to the client, which must answer as the test says, and makes a valid one the head.
fn take(client: &mut EngineTree, payload: &EngineNewPayload<'_>) -> Result<(), String> {
    let expected_code = payload.error_code.map(|code| code.get().trim_matches('"').parse::<i64>());
    let expected_code = expected_code.transpose().map_err(|error| format!("malformed fixture: errorCode: {error}"))?;
    let answer = call(client, payload)?;
    match (expected_code, payload.validation_error.as_deref(), answer) {
        (Some(expected), _, Err(error)) if error.code() == expected => Ok(()),
        (Some(expected), _, Err(error)) => Err(format!("error {} ({error}), expected {expected}", error.code())),
        (Some(expected), _, Ok(answer)) => {
            Err(format!("answered {:?}, expected error {expected}", answer.status.status))
        }
        (None, _, Err(error)) => Err(format!("error {}: {error}", error.code())),
        (None, Some(expected), Ok(answer)) => check_invalid(client, &answer, expected),
        (None, None, Ok(answer)) => {
            let hash = check_valid(&answer)?;
            let version = payload.forkchoice_updated_version.0;
            ForkchoiceVersion::from_number(version).ok_or(format!("no engine_forkchoiceUpdatedV{version}"))?;
            choose(client, hash)
        }
    }
}

fn call(client: &mut EngineTree, payload: &EngineNewPayload<'_>) -> Result<Result<NewPayload, EngineError>, String> {
    let version = payload.new_payload_version.0;
    let version = NewPayloadVersion::from_number(version).ok_or(format!("no engine_newPayloadV{version}"))?;
    let answer = match NewPayloadParams::from_json(version, &payload.params) {
        Ok(params) => new_payload(client, version, params),
        Err(error) => Err(error),
    };
    match answer {
        // The judge's own complaint, as of executors that differ, is no answer of the client.
        Err(EngineError::Internal(error)) => Err(error),
        answer => Ok(answer),
    }
}

fn check_valid(answer: &NewPayload) -> Result<B256, String> {
    let status = &answer.status;
    match (status.status, status.latest_valid_hash) {
        (PayloadStatusKind::Valid, Some(hash)) => Ok(hash),
        _ => {
            let names = answer.reason.as_ref().map(names_of_invalid_payload).transpose()?.unwrap_or_default();
            let error = status.validation_error.as_deref().unwrap_or_default();
            Err(format!("{:?}: {} {error}", status.status, names.join(", ")))
        }
    }
}

/// The reason must be the expected one, and the last valid hash that of the parent; none for what is no block at all.
fn check_invalid(client: &EngineTree, answer: &NewPayload, expected: &str) -> Result<(), String> {
    let status = &answer.status;
    let (PayloadStatusKind::Invalid, Some(reason)) = (status.status, &answer.reason) else {
        return Err(format!("answered {:?}, expected {expected}", status.status));
    };
    let names = names_of_invalid_payload(reason)?;
    if !names.iter().any(|name| accepts(expected, name)) {
        return Err(format!("refused for {} ({reason}), expected {expected}", names.join(", ")));
    }
    match status.latest_valid_hash {
        Some(hash) if !client.tree.contains(&hash) => Err(format!("latestValidHash {hash} is of no valid block")),
        None if matches!(reason, balsa_engine::InvalidPayload::Block(_)) => Err("latestValidHash is null".to_owned()),
        _ => Ok(()),
    }
}

fn choose(client: &mut EngineTree, head: B256) -> Result<(), String> {
    let state = ForkchoiceState { head_block_hash: head, safe_block_hash: head, finalized_block_hash: head };
    let status = forkchoice_updated(client, &state).map_err(|error| error.to_string())?.status;
    if status.status == PayloadStatusKind::Valid && status.latest_valid_hash == Some(head) {
        Ok(())
    } else {
        Err(format!("fork choice of {head} is answered {:?}", status.status))
    }
}
