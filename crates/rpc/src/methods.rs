//! Which methods there are.

use std::{collections::HashMap, io, pin::Pin, sync::Arc};

use serde::Serialize;
use serde_json::value::RawValue;

use crate::{Context, Dispatcher, Namespace, Params, RpcError};

/// What a call came to, as JSON text.
pub(crate) type Answer = Result<Box<RawValue>, RpcError>;

/// A plain function, which runs on a thread of the workers.
pub(crate) type Plain = Box<dyn Fn(&Context, Params, usize) -> Answer + Send + Sync>;

/// A method that waits for something to happen, and has a turn of the workers only when there is something to do.
pub(crate) type Waiting = fn(Arc<Dispatcher>, Params, usize) -> Pin<Box<dyn Future<Output = Answer> + Send>>;

/// How a method runs. The answer takes at most so many bytes.
pub(crate) enum Run {
    Plain(Plain),
    Waiting(Waiting),
}

/// A table of methods: from names to functions.
#[derive(Default)]
pub struct Methods {
    table: HashMap<&'static str, Method>,
}

/// A method, and how many parameters it takes at most.
pub(crate) struct Method {
    pub(crate) params_max: usize,
    pub(crate) run: Run,
}

/// What the engine's port offers beside the Engine API
/// ([common.md](https://github.com/ethereum/execution-apis/blob/main/src/engine/common.md)).
const BESIDE_ENGINE: [&str; 9] = [
    "eth_blockNumber",
    "eth_call",
    "eth_chainId",
    "eth_getBlockByHash",
    "eth_getBlockByNumber",
    "eth_getCode",
    "eth_getLogs",
    "eth_sendRawTransaction",
    "eth_syncing",
];

impl Methods {
    /// The methods of these namespaces.
    pub fn of(namespaces: &[Namespace]) -> Self {
        let mut methods = Self::default();
        for namespace in namespaces {
            methods.register(*namespace);
        }
        methods
    }

    /// What the authenticated port offers: the Engine API and the few others that its specification names.
    pub fn authenticated() -> Self {
        let mut methods = Self::of(&[Namespace::Eth]);
        methods.table.retain(|name, _| BESIDE_ENGINE.contains(name));
        methods.register(Namespace::Engine);
        methods
    }

    /// Adds a method: a plain function, which runs on a thread of the workers and may take its time there.
    ///
    /// `params_max` is how many parameters it takes at most.
    pub fn add<R: Serialize>(
        &mut self,
        name: &'static str,
        params_max: usize,
        method: impl Fn(&Context, Params) -> Result<R, RpcError> + Send + Sync + 'static,
    ) {
        let run =
            move |context: &Context, params: Params, bytes_max: usize| to_json(&method(context, params)?, bytes_max);
        let before = self.table.insert(name, Method { params_max, run: Run::Plain(Box::new(run)) });
        debug_assert!(before.is_none(), "{name} is there twice");
    }

    /// Adds a method that waits.
    pub(crate) fn add_waiting(&mut self, name: &'static str, params_max: usize, method: Waiting) {
        let before = self.table.insert(name, Method { params_max, run: Run::Waiting(method) });
        debug_assert!(before.is_none(), "{name} is there twice");
    }

    /// The names, sorted.
    pub fn names(&self) -> Vec<&'static str> {
        let mut names: Vec<_> = self.table.keys().copied().collect();
        names.sort_unstable();
        names
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Method> {
        self.table.get(name)
    }

    fn register(&mut self, namespace: Namespace) {
        match namespace {
            Namespace::Admin => crate::admin::register(self),
            Namespace::Debug => crate::debug::register(self),
            Namespace::Engine => crate::engine::register(self),
            Namespace::Eth => crate::eth::register(self),
            Namespace::Net => crate::net::register(self),
            Namespace::Testing => crate::testing::register(self),
            Namespace::Txpool => crate::txpool::register(self),
            Namespace::Web3 => crate::web3::register(self),
        }
    }
}

/// JSON text of a value, as long as it is not longer than it may be.
pub(crate) fn to_json(value: &impl Serialize, bytes_max: usize) -> Answer {
    let mut text = Bounded { bytes: Vec::new(), bytes_max };
    if let Err(error) = serde_json::to_writer(&mut text, value) {
        return Err(match error.is_io() {
            true => RpcError::new(RpcError::RESPONSE_TOO_LARGE, "response too large"),
            false => RpcError::internal(error),
        });
    }
    let text = String::from_utf8(text.bytes).map_err(RpcError::internal)?;
    RawValue::from_string(text).map_err(RpcError::internal)
}

/// Bytes up to a limit; a write beyond it fails.
struct Bounded {
    bytes: Vec<u8>,
    bytes_max: usize,
}

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > self.bytes_max {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_bounded() {
        assert_eq!(to_json(&"abc", 5).unwrap().get(), "\"abc\"");
        assert_eq!(to_json(&"abcd", 5).unwrap_err().code, RpcError::RESPONSE_TOO_LARGE);
    }

    #[test]
    fn the_engine_port_offers_what_its_specification_names() {
        let names = Methods::authenticated().names();
        assert!(names.iter().all(|name| name.starts_with("engine_") || BESIDE_ENGINE.contains(name)), "{names:?}");
        assert!(Methods::of(&Namespace::PUBLIC).names().iter().all(|name| !name.starts_with("engine_")));
    }
}
