//! What a running node shows to Prometheus.

use crate::{
    dev::transfer,
    process::{NodeProcess, exchange},
};
use serde_json::json;
use std::collections::BTreeMap;
use tempfile::TempDir;

/// Every line of the answer, by name and labels; each name has said before what it is.
fn metrics(node: &NodeProcess) -> BTreeMap<String, f64> {
    let request = "GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let answer = exchange(node.door("metrics"), request);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
    let mut explained = Vec::new();
    let mut found = BTreeMap::new();
    for line in body.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, text) = help.split_once(' ').unwrap_or_else(|| panic!("{line} says nothing"));
            assert!(!text.is_empty(), "{line}");
            explained.push(name);
        } else if !line.starts_with('#') && line.starts_with("balsa_") {
            let (name, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line}"));
            let bare = name.split('{').next().expect("a name");
            assert!(explained.iter().any(|name| bare.starts_with(name)), "{line} is not explained");
            found.insert(name.to_owned(), value.parse().unwrap_or_else(|_| panic!("{line}")));
        }
    }
    found
}

#[test]
fn a_node_shows_what_its_states_take_and_own() {
    const BYTES_MAX: f64 = 100_000_000.0;
    let datadir = TempDir::new().expect("a directory");
    let flags = ["--dev", "--state.cache-bytes", "100000000", "--metrics", "--metrics.port", "0"];
    let node = NodeProcess::start(datadir.path(), &flags);
    for nonce in 0..10 {
        let receipt = node.call("eth_sendRawTransactionSync", &json!([transfer(nonce)]));
        assert_eq!(receipt["result"]["status"], "0x1", "{receipt}");
        // The writer counts a block before it makes it the head, so all stands still once the receipt is there.
        let metrics = metrics(&node);
        let of = |name: &str| *metrics.get(name).unwrap_or_else(|| panic!("no {name} in {metrics:?}"));
        let sum = |prefix: &str| -> f64 {
            metrics.iter().filter(|(name, _)| name.starts_with(prefix)).map(|(_, value)| value).sum()
        };
        let head = of("balsa_block_number{block=\"head\"}");
        assert!(head > 0.0);
        // Each block changes a sender, a recipient and who is paid: some branches and leaves, and no more.
        let own = |state: &str| of(&format!("balsa_state_own_bytes{{state=\"{state}\"}}"));
        assert!(own("head") > 0.0 && own("head") < 20_000.0, "{metrics:?}");
        for below in 1..8u64 {
            assert_eq!(own(&format!("head-{below}")) > 0.0, head > below as f64, "block {head}: {metrics:?}");
        }
        assert_eq!(own("older") > 0.0, head > 8.0, "block {head}: {metrics:?}");
        assert_eq!(own("beside"), 0.0);
        assert_eq!(of("balsa_states_max_bytes"), BYTES_MAX);
        assert_eq!(of("balsa_trie_renewals"), 0.0);
        let total = of("balsa_states_total_bytes");
        assert_eq!(total, sum("balsa_states_memory_bytes{"), "{metrics:?}");
        assert!(total <= of("balsa_states_peak_bytes") && of("balsa_states_peak_bytes") < BYTES_MAX, "{metrics:?}");
        for component in ["blocks", "trie_pages", "read_cache"] {
            let bytes = of(&format!("balsa_states_memory_bytes{{component=\"{component}\"}}"));
            assert!(nonce == 0 || bytes > 0.0, "{component}: {metrics:?}");
        }
        assert!(of("balsa_memory_bytes{component=\"trie_nodes\"}") > 0.0, "{metrics:?}");
    }
}
