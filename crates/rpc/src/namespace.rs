//! Groups of methods, as `--http.api` names them.

use std::str::FromStr;

/// A group of methods: what stands before the underscore of their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Namespace {
    /// What concerns this node and its peers.
    Admin,
    /// Raw data and traces.
    Debug,
    /// What a consensus client asks for. Never offered without authentication.
    Engine,
    /// Chain, state, transactions.
    Eth,
    /// The network.
    Net,
    /// Blocks made on demand, for tests. Only offered if it is asked for.
    Testing,
    /// The transactions that wait.
    Txpool,
    /// The client itself.
    Web3,
}

/// A namespace that cannot be offered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NamespaceError {
    /// There is none of this name.
    #[error("there is no API {0:?}; there are admin, debug, eth, net, testing, txpool, web3")]
    Unknown(String),
    /// Whoever reaches it decides what the chain is.
    #[error("the engine API is offered on the authenticated port only")]
    Engine,
}

impl Namespace {
    /// All that may be offered without authentication.
    pub const PUBLIC: [Self; 7] =
        [Self::Admin, Self::Debug, Self::Eth, Self::Net, Self::Testing, Self::Txpool, Self::Web3];

    /// What is offered if nothing else is asked for.
    pub const DEFAULT: [Self; 3] = [Self::Eth, Self::Net, Self::Web3];

    /// What stands before the underscore.
    pub fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Debug => "debug",
            Self::Engine => "engine",
            Self::Eth => "eth",
            Self::Net => "net",
            Self::Testing => "testing",
            Self::Txpool => "txpool",
            Self::Web3 => "web3",
        }
    }
}

impl FromStr for Namespace {
    type Err = NamespaceError;

    /// Reads a name of a public namespace.
    fn from_str(name: &str) -> Result<Self, NamespaceError> {
        if name == Self::Engine.name() {
            return Err(NamespaceError::Engine);
        }
        let found = Self::PUBLIC.into_iter().find(|namespace| namespace.name() == name);
        found.ok_or_else(|| NamespaceError::Unknown(name.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engine_is_never_public() {
        assert_eq!("engine".parse::<Namespace>(), Err(NamespaceError::Engine));
        assert!(matches!("personal".parse::<Namespace>(), Err(NamespaceError::Unknown(_))));
        for namespace in Namespace::PUBLIC {
            assert_eq!(namespace.name().parse(), Ok(namespace));
        }
    }
}
