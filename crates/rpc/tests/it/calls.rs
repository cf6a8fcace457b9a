//! Calls with all their parameters, beyond what the official files ask for.

use balsa_rpc::Limits;
use serde_json::{Value, json};

use crate::support::{TestNode, call, open_doors, small_chain};

const CONTRACT: &str = "0x00000000000000000000000000000000000c0de0";
/// It has 100 wei.
const ACCOUNT: &str = "0x00000000000000000000000000000000000000aa";

fn node() -> TestNode {
    open_doors(small_chain(), Limits::public())
}

#[test]
fn overrides_come_third_and_fourth() {
    let node = node();
    // NUMBER PUSH1 0 MSTORE PUSH1 32 PUSH1 0 RETURN.
    let state = json!({ CONTRACT: { "code": "0x4360005260206000f3" } });
    let block = json!({ "number": "0x1234" });
    let word = |number: u64| Ok(json!(format!("0x{number:064x}")));
    let transaction = json!({ "to": CONTRACT });
    let ask = |method: &str, params: Value| call(node.http(), method, params);
    assert_eq!(ask("eth_call", json!([transaction])), Ok(json!("0x")));
    assert_eq!(ask("eth_call", json!([transaction, "latest", state])), word(0));
    assert_eq!(ask("eth_call", json!([transaction, null, state, block])), word(0x1234));
    assert_eq!(ask("eth_call", json!([transaction, "0x7", state, block])), Err(-32000));
    assert_eq!(ask("eth_call", json!([transaction, "latest", { CONTRACT: 1 }])), Err(-32602));
    assert_eq!(ask("eth_call", json!([])), Err(-32602));
    // What runs costs more than what does not.
    assert_eq!(ask("eth_estimateGas", json!([transaction])), Ok(json!("0x5208")));
    let estimate = ask("eth_estimateGas", json!([transaction, "latest", state, block])).unwrap();
    assert!(u64::from_str_radix(&estimate.as_str().unwrap()[2..], 16).unwrap() > 21_000, "{estimate}");
    // SLOAD of slot 7.
    let state = json!({ CONTRACT: { "code": "0x600754" } });
    let made = ask("eth_createAccessList", json!([transaction, "latest", state])).unwrap();
    assert_eq!(made["accessList"], json!([{ "address": CONTRACT, "storageKeys": [format!("0x{:064x}", 7)] }]));
}

#[test]
fn simulated_blocks_have_transactions_in_full() {
    let node = node();
    let calls = json!([{ "from": ACCOUNT, "to": CONTRACT, "value": "0x1", "gasPrice": "0x0" }]);
    // The chain lacks the contracts that a block of Prague calls at its end: STOP stands in for them.
    let stop = json!({ "code": "0x00" });
    let [withdrawals, consolidations] =
        ["0x00000961ef480eb55e80d19ad83579a64c007002", "0x0000bbddc7ce488642fb579f8b00f3a590007251"];
    let block = json!({ "calls": calls, "stateOverrides": { withdrawals: stop, consolidations: stop } });
    let request = json!({ "blockStateCalls": [block], "returnFullTransactions": true, "traceTransfers": true });
    let blocks = call(node.http(), "eth_simulateV1", json!([request])).unwrap();
    let transaction = &blocks[0]["transactions"][0];
    // Nobody has signed it, and its hash says so.
    for (field, value) in [("type", "0x0"), ("v", "0x0"), ("r", "0x0"), ("s", "0x0"), ("from", ACCOUNT)] {
        assert_eq!(transaction[field], value, "{field}");
    }
    let log = &blocks[0]["calls"][0]["logs"][0];
    assert_eq!(log["transactionHash"], transaction["hash"]);
    assert_eq!(log["address"], "0xeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee");
    assert_eq!(call(node.http(), "eth_simulateV1", json!([{ "blockStateCalls": [] }])), Err(-32602));
}

#[test]
fn what_is_left_out_is_filled_in() {
    let node = node();
    let fill = |request: Value| call(node.http(), "eth_fillTransaction", json!([request]));
    let filled = fill(json!({ "from": ACCOUNT, "to": CONTRACT, "gas": "0x5208" })).unwrap();
    let (tip, base_fee) = (1_000_000_000, 875_000_000);
    assert_eq!(filled["tx"]["type"], "0x2");
    assert_eq!(filled["tx"]["nonce"], "0x0");
    assert_eq!(filled["tx"]["chainId"], "0x539");
    assert_eq!(filled["tx"]["maxPriorityFeePerGas"], format!("{tip:#x}"));
    assert_eq!(filled["tx"]["maxFeePerGas"], format!("{:#x}", tip + 2 * base_fee));
    assert!(filled["raw"].as_str().unwrap().starts_with("0x02"), "{filled}");
    let filled = fill(json!({ "to": CONTRACT, "gas": "0x5208", "gasPrice": "0x5", "nonce": "0x9" })).unwrap();
    let of = |field: &str| filled["tx"][field].clone();
    assert_eq!([of("type"), of("nonce"), of("gasPrice"), of("chainId")], ["0x0", "0x9", "0x5", "0x539"]);
    // Gas is estimated for a sender who can pay for it.
    assert_eq!(fill(json!({ "from": ACCOUNT, "to": CONTRACT })), Err(-32000));
    assert_eq!(fill(json!({ "to": CONTRACT, "gas": "0x5208", "chainId": "0x1" })), Err(-32000));
    assert_eq!(fill(json!({ "from": ACCOUNT })), Err(-32000));
}
