//! Opening the doors, and shutting them.

use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::{
    net::TcpListener,
    runtime::{Builder, Runtime},
};

use super::{
    AuthSettings, HttpSettings, ServerSettings, WsSettings,
    cors::Origins,
    ipc, listener,
    router::{Door, router},
    virtual_hosts::VirtualHosts,
};
use crate::{Context, Dispatcher, Limits, Methods, Namespace};

/// Threads that serve the sockets; calls run on others.
const SOCKET_THREADS: usize = 2;

/// Threads beyond those of the calls, for what the runtime itself does.
const SPARE_THREADS: usize = 4;

/// Stack of a thread that runs calls, in bytes.
const STACK_BYTES: usize = 8 << 20;

/// How long calls that are running may go on after the doors are shut.
const STOP_TIME_MAX: Duration = Duration::from_secs(5);

/// Open doors. Dropping it, or [`Server::stop`], shuts them.
pub struct Server {
    addresses: Addresses,
    runtime: Option<Runtime>,
}

/// Where the doors are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Addresses {
    /// JSON-RPC over HTTP.
    pub http: Option<SocketAddr>,
    /// JSON-RPC over WebSocket.
    pub ws: Option<SocketAddr>,
    /// JSON-RPC over a Unix socket.
    pub ipc: Option<PathBuf>,
    /// The Engine API.
    pub auth: Option<SocketAddr>,
}

/// A door cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The system gave no threads.
    #[error("starting the RPC server's threads: {0}")]
    Threads(io::Error),
    /// An address is taken, or not ours.
    #[error("listening on {address}: {source}")]
    Tcp {
        /// The address.
        address: SocketAddr,
        /// The system's words.
        source: io::Error,
    },
    /// The socket's path cannot be used.
    #[error("listening on {path}: {source}", path = path.display())]
    Ipc {
        /// The path.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
}

impl Server {
    /// Opens the doors that the settings name.
    ///
    /// # Errors
    /// [`StartError`]; none is open then.
    pub fn start(context: Arc<Context>, settings: ServerSettings) -> Result<Self, StartError> {
        let ServerSettings { http, ws, ipc, auth, limits, auth_limits } = settings;
        let dispatcher = |methods: Methods, limits: Limits| Arc::new(Dispatcher::new(context.clone(), methods, limits));
        let doors = Doors {
            public: PublicDoor::of(http, ws, |api| dispatcher(Methods::of(api), limits)),
            ipc: ipc.map(|path| (path, dispatcher(Methods::of(&Namespace::PUBLIC), limits))),
            auth: auth.map(|auth| auth_door(auth, dispatcher(Methods::authenticated(), auth_limits))),
        };
        let runtime = runtime(&limits, &auth_limits).map_err(StartError::Threads)?;
        let addresses = runtime.block_on(doors.open(limits.connections_max, auth_limits.connections_max))?;
        Ok(Self { addresses, runtime: Some(runtime) })
    }

    /// Where the doors are: ports that were chosen by the system are filled in.
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// Shuts the doors and ends the connections. Calls that are running get a few seconds.
    pub fn stop(mut self) {
        self.shut();
    }

    fn shut(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(STOP_TIME_MAX);
            if let Some(path) = &self.addresses.ipc {
                let _ = std::fs::remove_file(path);
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shut();
    }
}

fn runtime(limits: &Limits, auth_limits: &Limits) -> io::Result<Runtime> {
    // HTTP, WebSocket, IPC and the engine's door may each fill all their turns.
    let calls = 3 * limits.running_calls_max + auth_limits.running_calls_max;
    Builder::new_multi_thread()
        .worker_threads(SOCKET_THREADS)
        .max_blocking_threads(calls + SPARE_THREADS)
        .thread_stack_size(STACK_BYTES)
        .thread_name("rpc")
        .enable_all()
        .build()
}

/// Doors that are not open yet.
struct Doors {
    public: Vec<PublicDoor>,
    ipc: Option<(PathBuf, Arc<Dispatcher>)>,
    auth: Option<(SocketAddr, Door)>,
}

/// A TCP door without authentication.
struct PublicDoor {
    address: SocketAddr,
    door: Door,
}

impl PublicDoor {
    /// HTTP and WebSocket, behind one door if they are to have one address.
    fn of(
        http: Option<HttpSettings>,
        ws: Option<WsSettings>,
        dispatcher: impl Fn(&[Namespace]) -> Arc<Dispatcher>,
    ) -> Vec<Self> {
        let mut doors: Vec<Self> = Vec::new();
        if let Some(HttpSettings { address, api, cors_origins, virtual_hosts }) = http {
            let door = Door {
                http: Some(dispatcher(&api)),
                hosts: VirtualHosts::new(&virtual_hosts),
                http_origins: Origins::new(&cors_origins),
                ..Door::shut()
            };
            doors.push(Self { address, door });
        }
        if let Some(WsSettings { address, api, origins }) = ws {
            let (websocket, websocket_origins) = (Some(dispatcher(&api)), Origins::new(&origins));
            match doors.first_mut().filter(|http| http.address == address && address.port() != 0) {
                Some(http) => {
                    http.door.websocket = websocket;
                    http.door.websocket_origins = websocket_origins;
                }
                None => {
                    // Pages are known by their origin; a name of this machine tells nothing more.
                    let hosts = VirtualHosts::new(&["*".into()]);
                    let door = Door { websocket, websocket_origins, hosts, ..Door::shut() };
                    doors.push(Self { address, door });
                }
            }
        }
        doors
    }
}

fn auth_door(settings: AuthSettings, dispatcher: Arc<Dispatcher>) -> (SocketAddr, Door) {
    let AuthSettings { address, secret, virtual_hosts } = settings;
    let door = Door {
        http: Some(dispatcher.clone()),
        websocket: Some(dispatcher),
        secret: Some(secret),
        hosts: VirtualHosts::new(&virtual_hosts),
        ..Door::shut()
    };
    (address, door)
}

impl Door {
    /// A door that leads nowhere.
    fn shut() -> Self {
        let origins = Origins::new(&[]);
        Self {
            http: None,
            websocket: None,
            secret: None,
            hosts: VirtualHosts::new(&[]),
            http_origins: origins.clone(),
            websocket_origins: origins,
        }
    }
}

impl Doors {
    /// Binds all of them first, so that either all are open or none.
    async fn open(self, connections_max: usize, auth_connections_max: usize) -> Result<Addresses, StartError> {
        let mut addresses = Addresses::default();
        let mut tcp = Vec::new();
        for PublicDoor { address, door } in self.public {
            let (listener, address) = bind(address).await?;
            addresses.http = addresses.http.or(door.http.is_some().then_some(address));
            addresses.ws = addresses.ws.or(door.websocket.is_some().then_some(address));
            tcp.push((listener, door, connections_max));
        }
        if let Some((address, door)) = self.auth {
            let (listener, address) = bind(address).await?;
            addresses.auth = Some(address);
            tcp.push((listener, door, auth_connections_max));
        }
        if let Some((path, dispatcher)) = self.ipc {
            tokio::spawn(ipc::listen(bind_ipc(&path)?, dispatcher));
            addresses.ipc = Some(path);
        }
        for (listener, door, connections_max) in tcp {
            tokio::spawn(listener::listen(listener, router(Arc::new(door)), connections_max));
        }
        Ok(addresses)
    }
}

async fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |source| StartError::Tcp { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

fn bind_ipc(path: &Path) -> Result<tokio::net::UnixListener, StartError> {
    ipc::bind(path).map_err(|source| StartError::Ipc { path: path.into(), source })
}
