//! A node with all doors open, on a chain in a folder of its own.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use balsa_chain::{Chain, ChainSettings, GenesisBlock};
use balsa_chainspec::genesis;
use balsa_engine::ClientVersion;
use balsa_executor::{ExecutionMode, Executor};
use balsa_node::{BuildSettings, NodeSettings, Running, pool_head};
use balsa_rpc::{
    AuthSettings, Context, HttpSettings, JwtSecret, Limits, Namespace, Server, ServerSettings, Settings, WsSettings,
};
use balsa_storage::{Durability, Settings as StorageSettings};
use balsa_txpool::Pool;
use tempfile::TempDir;

pub(crate) const SECRET: [u8; 32] = [9; 32];

/// A chain that is at its genesis, whose rules are those of Prague.
const GENESIS: &str = r#"{
    "config": {
        "chainId": 1337, "homesteadBlock": 0, "eip150Block": 0, "eip155Block": 0, "eip158Block": 0, "byzantiumBlock": 0,
        "constantinopleBlock": 0, "petersburgBlock": 0, "istanbulBlock": 0, "berlinBlock": 0, "londonBlock": 0,
        "terminalTotalDifficulty": 0, "shanghaiTime": 0, "cancunTime": 0, "pragueTime": 0,
        "depositContractAddress": "0x0000000000000000000000000000000000000000"
    },
    "gasLimit": "0x1c9c380", "difficulty": "0x0", "timestamp": "0x0", "baseFeePerGas": "0x3b9aca00",
    "alloc": {"0x00000000000000000000000000000000000000aa": {"balance": "0x64"}}
}"#;

/// A running node. Its folder goes with it.
pub(crate) struct TestNode {
    pub(crate) server: Server,
    pub(crate) running: Running,
    _folder: TempDir,
}

/// A chain at its genesis.
pub(crate) fn small_chain() -> (Chain, TempDir) {
    let genesis = genesis::parse(GENESIS.as_bytes()).unwrap();
    open_chain(&GenesisBlock::new(&genesis).unwrap())
}

pub(crate) fn open_chain(genesis: &GenesisBlock) -> (Chain, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let storage = StorageSettings { durability: Durability::Process, worker_threads: 1, ..Default::default() };
    let settings = ChainSettings { storage, ..ChainSettings::default() };
    let executor = Arc::new(Executor::new(genesis.spec.clone(), 1, ExecutionMode::Auto).unwrap());
    let chain = Chain::open(folder.path(), genesis, executor, settings).unwrap();
    (chain, folder)
}

/// Opens all doors of a node on a chain.
pub(crate) fn open_doors((chain, folder): (Chain, TempDir), limits: Limits) -> TestNode {
    let network_id = chain.view().spec().chain_id;
    let running = run(chain);
    let context = Context::new(running.node().clone(), Settings::of_network(network_id));
    let address = SocketAddr::from(([127, 0, 0, 1], 0));
    let settings = ServerSettings {
        http: Some(HttpSettings {
            address,
            api: Namespace::PUBLIC.to_vec(),
            cors_origins: vec!["http://wallet.example".into()],
            virtual_hosts: vec!["localhost".into()],
        }),
        ws: Some(WsSettings {
            address,
            api: Namespace::PUBLIC.to_vec(),
            origins: vec!["http://wallet.example".into()],
        }),
        ipc: Some(folder.path().join("rpc.ipc")),
        auth: Some(AuthSettings { address, secret: JwtSecret::new(SECRET), virtual_hosts: vec!["localhost".into()] }),
        limits,
        ..ServerSettings::default()
    };
    let server = Server::start(Arc::new(context), settings).unwrap();
    TestNode { server, running, _folder: folder }
}

fn run(chain: Chain) -> Running {
    let pool = Pool::new(Default::default(), pool_head(chain.view()).unwrap());
    let text = String::new;
    let client = ClientVersion { code: "XX".into(), name: text(), version: text(), commit: text() };
    let settings = NodeSettings { building: BuildSettings::default(), fee_recipient: None, client };
    Running::start(chain, Arc::new(pool), None, settings, Box::new(|_, _| {})).unwrap()
}

impl TestNode {
    pub(crate) fn http(&self) -> SocketAddr {
        self.server.addresses().http.unwrap()
    }

    pub(crate) fn ws(&self) -> SocketAddr {
        self.server.addresses().ws.unwrap()
    }

    pub(crate) fn auth(&self) -> SocketAddr {
        self.server.addresses().auth.unwrap()
    }

    pub(crate) fn ipc(&self) -> PathBuf {
        self.server.addresses().ipc.clone().unwrap()
    }
}
