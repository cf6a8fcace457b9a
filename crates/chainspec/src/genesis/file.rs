//! The file as a whole.

use super::{Fields, Genesis, GenesisError, alloc::Alloc, config, header};
use serde::Deserialize;
use serde_json::{Map, Value};

/// The largest genesis file that is read, in bytes: enough for a million accounts with storage. The state of a genesis
/// file is built in memory, at several times the file's size; larger ones go straight to a database when they are made.
pub const GENESIS_BYTES_MAX: usize = 512 << 20;

/// Reads a genesis file in geth's format.
///
/// # Errors
/// The first fault, naming the field. Unknown fields are no fault, as in geth.
pub fn parse(bytes: &[u8]) -> Result<Genesis, GenesisError> {
    if bytes.len() > GENESIS_BYTES_MAX {
        return Err(GenesisError::TooLarge { found: bytes.len(), max: GENESIS_BYTES_MAX });
    }
    let file: File = serde_json::from_slice(bytes).map_err(|error| GenesisError::Json(error.to_string()))?;
    let alloc = file.alloc.ok_or_else(|| GenesisError::Missing { field: "alloc".to_owned() })?;
    let config_value = file.config.ok_or_else(|| GenesisError::Missing { field: "config".to_owned() })?;
    let config = Fields::new("config", config_value);
    let header = header::read(&Fields::new("", file.header))?;
    Ok(Genesis { spec: config::spec(&config)?, header, alloc: alloc.0, unknown_forks: config::unknown_forks(&config) })
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct File {
    config: Option<Map<String, Value>>,
    alloc: Option<Alloc>,
    #[serde(flatten)]
    header: Map<String, Value>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Fork, Switch};
    use alloy_primitives::{B256, U256, address};
    use serde_json::json;

    fn sound() -> Value {
        json!({
            "config": {
                "chainId": 7, "homesteadBlock": 0, "eip150Block": 0, "eip155Block": 0,
                "eip158Block": 0, "byzantiumBlock": 0, "constantinopleBlock": 0,
                "istanbulBlock": 0, "berlinBlock": 0, "londonBlock": 0,
                "terminalTotalDifficulty": 0, "shanghaiTime": 0, "cancunTime": 0, "pragueTime": 0,
                "osakaTime": 0, "balTime": "0x64", "amsterdamTime": 200
            },
            "gasLimit": "30000000", "difficulty": 1, "timestamp": "0x5", "nonce": "0x42",
            "extraData": "0x1234", "baseFeePerGas": null,
            "alloc": {"f39Fd6e51aad88F6F4ce6aB8827279cffFb92266": {
                "balance": "1000", "nonce": "0x2", "code": "0x6000", "secretKey": "ignored",
                "storage": {"0x1": "0x02", "03": "0x00"}
            }}
        })
    }

    fn parse_value(value: &Value) -> Result<Genesis, GenesisError> {
        parse(value.to_string().as_bytes())
    }

    #[test]
    fn numbers_come_in_every_form() {
        let genesis = parse_value(&sound()).unwrap();
        assert_eq!(genesis.header.gas_limit, 30_000_000);
        assert_eq!(genesis.header.timestamp, 5);
        assert_eq!(genesis.spec.block_access_list_time, Some(100));
        assert_eq!(genesis.spec.schedule.at(Fork::Petersburg), Some(0));
        assert_eq!(genesis.spec.schedule.entries(Switch::Timestamp).count(), 5);
        let account = &genesis.alloc[&address!("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266")];
        assert_eq!((account.balance, account.nonce), (U256::from(1_000), 2));
        let slots: Vec<_> = account.storage.iter().collect();
        assert_eq!(slots, [(&B256::with_last_byte(1), &U256::from(2))]);
    }

    #[test]
    fn the_forks_shape_the_first_header() {
        #[track_caller]
        fn check(timestamp: u64, lists: bool, slot_number: Option<u64>) {
            let mut file = sound();
            file["timestamp"] = json!(timestamp);
            let header = parse_value(&file).unwrap().header(B256::ZERO);
            assert_eq!(header.base_fee_per_gas, Some(1_000_000_000));
            assert!(header.withdrawals_root.is_some() && header.requests_hash.is_some());
            assert_eq!(header.block_access_list_hash.is_some(), lists, "at {timestamp}");
            assert_eq!(header.slot_number, slot_number, "at {timestamp}");
        }
        check(5, false, None);
        check(100, true, None);
        check(200, true, Some(0));
    }

    #[test]
    fn the_difficulty_of_mainnet_is_read_from_a_number() {
        let mut file = sound().to_string();
        file = file.replace("\"terminalTotalDifficulty\":0", "\"terminalTotalDifficulty\":58750000000000000000000");
        let spec = parse(file.as_bytes()).unwrap().spec;
        let expected = U256::from_str_radix("58750000000000000000000", 10).unwrap();
        assert_eq!(spec.terminal_total_difficulty, Some(expected));
    }

    #[test]
    fn unknown_forks_are_told() {
        let mut file = sound();
        file["config"]["bogotaTime"] = json!(9);
        file["config"]["ubtTime"] = Value::Null;
        assert_eq!(parse_value(&file).unwrap().unknown_forks, ["bogotaTime"]);
    }

    #[track_caller]
    fn check(pointer: &str, value: Value, message: &str) {
        let mut file = sound();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        file.pointer_mut(parent).unwrap()[name] = value;
        assert_eq!(parse_value(&file).unwrap_err().to_string(), message);
    }

    #[test]
    fn errors_name_the_field() {
        let big = json!(1e30);
        let limits = json!({"prague": {"target": 9, "max": 6, "baseFeeUpdateFraction": 1}});
        let nobody = json!({"oslo": {"target": 9}});
        check("/gasLimit", Value::Null, "genesis field gasLimit is missing");
        check("/config/chainId", Value::Null, "genesis field config.chainId is missing");
        check(
            "/config/osakaTime",
            json!("soon"),
            "genesis field config.osakaTime: expected a number of at most 64 bits, found \"soon\"",
        );
        check("/timestamp", json!(-1), "genesis field timestamp: expected a number of at most 64 bits, found -1");
        check(
            "/config/terminalTotalDifficulty",
            big,
            "genesis field config.terminalTotalDifficulty: expected a number of at most 256 bits, as \
             a string where it exceeds 64 bits, found 1e+30",
        );
        check("/extraData", json!("1234"), "genesis field extraData: expected bytes in hex with 0x, found \"1234\"");
        check("/number", json!("0x1"), "genesis field number: a genesis block has number 0, found \"0x1\"");
        check(
            "/config/eip155Block",
            json!(3),
            "genesis fields config.eip155Block (Some(3)) and config.eip158Block (Some(0)) differ",
        );
        check("/config/londonBlock", Value::Null, "genesis field config: Shanghai is scheduled, but London is not");
        check(
            "/config/osakaTime",
            json!(300),
            "genesis field config: Amsterdam is scheduled at 200, before Osaka at 300",
        );
        check(
            "/config/terminalTotalDifficulty",
            Value::Null,
            "genesis field config.terminalTotalDifficulty is missing",
        );
        check(
            "/config/blobSchedule",
            limits,
            "genesis field config.blobSchedule.prague.target: the target lies above the maximum, found 9",
        );
        check(
            "/config/blobSchedule",
            nobody,
            "genesis field config.blobSchedule.oslo: not the name of a fork with blobs, found {\"target\":9}",
        );
        check(
            "/config/bpo3Time",
            json!(500),
            "genesis field config.blobSchedule has no entry for BPO3, which is scheduled",
        );
    }

    #[test]
    fn errors_name_the_account() {
        #[track_caller]
        fn check(text: &str, message: &str) {
            let error = parse(text.as_bytes()).unwrap_err().to_string();
            assert_eq!(error, format!("not a genesis file: {message}"));
        }
        check("", "EOF while parsing a value at line 1 column 0");
        check("[]", "invalid type: sequence, expected an object at line 1 column 0");
        check(r#"{"alloc":{"0x12":{}}}"#, "alloc.0x12: not an address in hex at line 1 column 16");
        let address = "0x0000000000000000000000000000000000000001";
        check(
            &format!(r#"{{"alloc":{{"{address}":{{}}}}}}"#),
            &format!("alloc.{address}: genesis field balance is missing at line 1 column 58"),
        );
        check(
            &format!(r#"{{"alloc":{{"{address}":{{"balance":"0","storage":{{"x":"0"}}}}}}}}"#),
            &format!("alloc.{address}: storage.x: not a slot in hex at line 1 column 91"),
        );
        check(
            &format!(r#"{{"alloc":{{"{address}":{{"balance":"0"}},"{}":{{"balance":"0"}}}}}}"#, &address[2..]),
            &format!("alloc.{address}: stands twice at line 1 column 130"),
        );
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_panic(edits in proptest::collection::vec((0..2_000_usize, proptest::num::u8::ANY), 1..6)) {
            let mut bytes = sound().to_string().into_bytes();
            for (at, byte) in edits {
                let at = at % bytes.len();
                bytes[at] = byte;
            }
            if let Ok(genesis) = parse(&bytes) {
                genesis.header(B256::ZERO).hash_slow();
            }
        }
    }
}
