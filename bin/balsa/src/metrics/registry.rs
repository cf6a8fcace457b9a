//! All metrics, registered once.

use super::{blocks::BlockMetrics, levels::LevelMetrics};
use balsa_node::Node;
use prometheus_client::{encoding::text::encode, registry::Registry};
use std::sync::{Arc, Mutex, PoisonError};

/// What is counted. Shared by the writer, which fills it, and the server, which shows it.
#[derive(Clone)]
pub(crate) struct Metrics(Arc<Shared>);

struct Shared {
    registry: Mutex<Registry>,
    blocks: BlockMetrics,
    levels: LevelMetrics,
}

impl Metrics {
    /// Everything at zero.
    pub(crate) fn new() -> Self {
        let mut registry = Registry::default();
        let blocks = BlockMetrics::register(&mut registry);
        let levels = LevelMetrics::register(&mut registry);
        Self(Arc::new(Shared { registry: Mutex::new(registry), blocks, levels }))
    }

    /// What the writer does.
    pub(crate) fn blocks(&self) -> &BlockMetrics {
        &self.0.blocks
    }

    /// What the node holds.
    pub(crate) fn levels(&self) -> &LevelMetrics {
        &self.0.levels
    }

    /// The text that Prometheus reads, with what the node holds right now.
    pub(crate) fn text(&self, node: Option<&Node>) -> String {
        if let Some(node) = node {
            self.levels().look_at(node);
        }
        let mut text = String::new();
        let registry = self.0.registry.lock().unwrap_or_else(PoisonError::into_inner);
        // Writing into a string cannot fail.
        let _ = encode(&mut text, &registry);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const DASHBOARD: &str = include_str!("../../../../scripts/grafana/balsa.json");

    /// Names as they stand behind `# TYPE`.
    fn names() -> BTreeSet<String> {
        let text = Metrics::new().text(None);
        let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
        types.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
    }

    fn queries(value: &serde_json::Value, found: &mut Vec<String>) {
        match value {
            serde_json::Value::Object(map) => {
                for (key, value) in map {
                    match value.as_str() {
                        Some(text) if key == "expr" => found.push(text.to_owned()),
                        _ => queries(value, found),
                    }
                }
            }
            serde_json::Value::Array(items) => items.iter().for_each(|item| queries(item, found)),
            _ => {}
        }
    }

    #[test]
    fn every_query_of_the_dashboard_names_a_metric() {
        let names = names();
        assert!(names.len() > 20, "{names:?}");
        let mut found = Vec::new();
        queries(&serde_json::from_str(DASHBOARD).unwrap(), &mut found);
        assert!(found.len() > 10, "the dashboard was read wrongly");
        for query in &found {
            let words = query.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            let ours: Vec<&str> =
                words.filter(|word| word.starts_with("balsa_") || word.starts_with("execution_")).collect();
            assert!(!ours.is_empty(), "{query} asks for nothing of ours");
            for name in ours {
                let bare = ["_total", "_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
                assert!(names.contains(name) || bare.is_some_and(|bare| names.contains(bare)), "{query}: no {name}");
            }
        }
    }

    #[test]
    fn agreed_names_are_there() {
        let names = names();
        for agreed in [
            "size_bytes",
            "valid",
            "invalid",
            "validation_time_seconds",
            "account_changes",
            "storage_changes",
            "balance_changes",
            "nonce_changes",
            "code_changes",
        ] {
            let name = format!("execution_block_access_list_{agreed}");
            assert!(names.contains(&name), "{name} is not among {names:?}");
        }
    }
}
