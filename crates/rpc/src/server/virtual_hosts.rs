//! Under which names this node may be called.
//!
//! A page whose name was made to point at this machine (DNS rebinding) could otherwise use the node of whoever looks
//! at it: its requests carry the page's own name.

use std::net::IpAddr;

/// Names under which a node may be called.
#[derive(Clone, Debug)]
pub(crate) struct VirtualHosts(Vec<String>);

impl VirtualHosts {
    pub(crate) fn new(names: &[String]) -> Self {
        Self(names.iter().map(|name| name.to_ascii_lowercase()).collect())
    }

    /// Whether a request may come under this `Host`. One without any, or to an address, may.
    pub(crate) fn allow(&self, host: Option<&str>) -> bool {
        let Some(host) = host.filter(|host| !host.is_empty()) else { return true };
        let name = without_port(host);
        let is_address = name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
        is_address || self.0.iter().any(|allowed| allowed == "*" || name.eq_ignore_ascii_case(allowed))
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !name.ends_with(':') => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_listed_names_may() {
        let hosts = VirtualHosts::new(&["localhost".into(), "Node.Example".into()]);
        for host in ["localhost", "LOCALHOST:8545", "127.0.0.1:8545", "[::1]:8545", "::1", "node.example", ""] {
            assert!(hosts.allow(Some(host)), "{host}");
        }
        for host in ["evil.example", "localhost.evil.example:8545", "127.0.0.1.evil.example", "*"] {
            assert!(!hosts.allow(Some(host)), "{host}");
        }
        assert!(hosts.allow(None));
        assert!(VirtualHosts::new(&["*".into()]).allow(Some("evil.example")));
    }
}
