//! Whether an answer is the expected one.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// Compares whole answers; messages of errors are free.
pub(super) fn answers(expected: &Value, found: &Value) -> Result<(), String> {
    let (mut expected, mut found) = (expected.clone(), found.clone());
    if expected.get("error").is_some() && found.get("error").is_some() {
        for answer in [&mut expected, &mut found] {
            answer.get_mut("error").and_then(Value::as_object_mut).map(|error| error.remove("message"));
        }
    }
    same("answer", &expected, &found)
}

fn same(at: &str, expected: &Value, found: &Value) -> Result<(), String> {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => {
            if let Some(key) = found.keys().find(|key| !expected.contains_key(*key)) {
                return Err(format!("{at}.{key}: should not be there: {}", short(found)));
            }
            expected.iter().try_for_each(|(key, value)| {
                let there = found.get(key).ok_or_else(|| format!("{at}.{key}: missing in {}", short(found)))?;
                same(&format!("{at}.{key}"), value, there)
            })
        }
        (Value::Array(expected), Value::Array(found)) if expected.len() == found.len() => {
            let pairs = expected.iter().zip(found).enumerate();
            pairs
                .into_iter()
                .try_for_each(|(index, (expected, found))| same(&format!("{at}[{index}]"), expected, found))
        }
        (Value::Number(expected), Value::Number(found)) if expected.as_f64() == found.as_f64() => Ok(()),
        (expected, found) if expected == found => Ok(()),
        _ => Err(format!("{at}: expected {}, found {}", text(expected), text(found))),
    }
}

/// Compares the kinds of values: of all that both have, and of the answer's and the result's own keys.
pub(super) fn shapes(expected: &Value, found: &Value) -> Result<(), String> {
    let keys = |value: &Value| value.as_object().map(|object| object.keys().cloned().collect::<BTreeSet<_>>());
    for part in ["", "/result"] {
        let (expected, found) = (expected.pointer(part).and_then(keys), found.pointer(part).and_then(keys));
        if expected != found {
            return Err(format!("answer{part}: expected keys {expected:?}, found {found:?}"));
        }
    }
    alike("answer", expected, found)
}

fn alike(at: &str, expected: &Value, found: &Value) -> Result<(), String> {
    let is_hex = |text: &str| text.starts_with("0x");
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => {
            let shared = expected.iter().filter_map(|(key, value)| Some((key, value, found.get(key)?)));
            shared.into_iter().try_for_each(|(key, expected, found)| alike(&format!("{at}.{key}"), expected, found))
        }
        (Value::Array(expected), Value::Array(found)) => {
            let Some(expected) = expected.first() else { return Ok(()) };
            found.iter().try_for_each(|found| alike(&format!("{at}[]"), expected, found))
        }
        (Value::String(expected), Value::String(found)) if is_hex(expected) == is_hex(found) => Ok(()),
        (Value::Number(_), Value::Number(_)) | (Value::Bool(_), Value::Bool(_)) => Ok(()),
        (Value::Null, _) | (_, Value::Null) => Ok(()),
        _ => Err(format!("{at}: expected something like {}, found {}", text(expected), text(found))),
    }
}

fn short(object: &Map<String, Value>) -> String {
    object.keys().map(String::as_str).collect::<Vec<_>>().join(" ")
}

fn text(value: &Value) -> String {
    value.to_string().chars().take(300).collect()
}

#[test]
fn differences_are_seen() {
    use serde_json::json;
    let expected = json!({"id": 1, "result": {"a": [1, "0x2"], "b": null}});
    assert!(answers(&expected, &json!({"id": 1.0, "result": {"a": [1, "0x2"], "b": null}})).is_ok());
    for other in [
        json!({"id": 1, "result": {"a": [1, "0x2"]}}),
        json!({"id": 1, "result": {"a": [1, "0x2"], "b": null, "c": 1}}),
        json!({"id": 1, "result": {"a": [1, "0x02"], "b": null}}),
        json!({"id": 1, "result": {"a": [1], "b": null}}),
        json!({"id": 1, "error": {"code": 1}}),
    ] {
        assert!(answers(&expected, &other).is_err(), "{other}");
    }
    let error = |code: i32, message: &str| json!({"error": {"code": code, "message": message}});
    assert!(answers(&error(1, "a"), &error(1, "b")).is_ok());
    assert!(answers(&error(1, "a"), &error(2, "a")).is_err());

    assert!(shapes(&expected, &json!({"id": 2, "result": {"a": [7, 7], "b": "x"}})).is_ok());
    for other in [json!({"id": 1, "result": {"a": ["0x"], "b": null}}), json!({"id": 1, "result": {"a": []}})] {
        assert!(shapes(&expected, &other).is_err(), "{other}");
    }
}
