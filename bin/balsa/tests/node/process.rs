//! A node as a process, on ports that the system chooses.

use balsa_rpc::JwtSecret;
use serde_json::{Value, json};
use std::{
    env, fs,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Mutex, mpsc},
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// How long anything may take before the test has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A running node.
pub(crate) struct NodeProcess {
    child: Child,
    /// What the line `ready` said.
    ready: Value,
    datadir: PathBuf,
    /// What it logs after that.
    log: Mutex<mpsc::Receiver<String>>,
}

/// The program, in an environment without settings of its own.
pub(crate) fn balsa() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_balsa"));
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("BALSA_")) {
        command.env_remove(name);
    }
    command
}

impl NodeProcess {
    /// Starts a node and waits until its doors are open.
    pub(crate) fn start(datadir: &Path, arguments: &[&str]) -> Self {
        let mut child = balsa()
            .args(["--log.format", "json", "--http.port", "0", "--authrpc.port", "0", "--ipcdisable", "--datadir"])
            .arg(datadir)
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let (ready, log) = ready(&mut child);
        Self { child, ready, datadir: datadir.to_owned(), log: Mutex::new(log) }
    }

    /// A door's address.
    pub(crate) fn door(&self, name: &str) -> SocketAddr {
        let fields = &self.ready["fields"];
        fields[name].as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("no door {name}: {fields}"))
    }

    /// Calls a method of JSON-RPC.
    pub(crate) fn call(&self, method: &str, params: &Value) -> Value {
        call(self.door("http"), None, method, params)
    }

    /// Calls a method of the Engine API.
    pub(crate) fn engine(&self, method: &str, params: &Value) -> Value {
        call(self.door("engine"), Some(&self.token()), method, params)
    }

    /// Sends a call of the Engine API without waiting for the answer, for as long as the connection is held.
    pub(crate) fn send_engine(&self, method: &str, params: &Value) -> TcpStream {
        let mut stream = TcpStream::connect(self.door("engine")).expect("the door is open");
        stream.write_all(request(Some(&self.token()), method, params).as_bytes()).expect("the request is taken");
        stream
    }

    /// What opens the door of the Engine API now.
    fn token(&self) -> String {
        let secret = JwtSecret::read_or_make(&self.datadir.join("jwt.hex")).expect("the node made a secret");
        secret.token(SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs())
    }

    /// The fields of the next line with this message that is logged and so; waits for it.
    pub(crate) fn logged(&self, message: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let log = self.log.lock().expect("nobody panicked with it");
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let line = log.recv_timeout(left).unwrap_or_else(|_| panic!("waited in vain for {message:?} in the log"));
            let mut line: Value = serde_json::from_str(&line).unwrap_or_default();
            if line["fields"]["message"] == message && is_so(&line["fields"]) {
                return line["fields"].take();
            }
        }
    }

    /// What the process has open: names of files, also of those that have none any more.
    pub(crate) fn open_files(&self) -> Vec<String> {
        let open = fs::read_dir(format!("/proc/{}/fd", self.child.id())).expect("the process is there");
        // One that was closed meanwhile is not open.
        let names = open.flatten().filter_map(|file| fs::read_link(file.path()).ok());
        names.map(|name| name.to_string_lossy().into_owned()).collect()
    }

    /// The most memory that the process has held so far, in bytes.
    pub(crate) fn peak_bytes(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("the process is there");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a line of its memory");
        let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
        kilobytes << 10
    }

    /// Ends the node as `kill -9` does.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }

    /// Asks the node to end, and waits for it.
    pub(crate) fn terminate(mut self) -> ExitStatus {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().expect("kill is there").success());
        wait(&mut self.child)
    }
}

impl Drop for NodeProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits for a process to end.
pub(crate) fn wait(child: &mut Child) -> ExitStatus {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = child.try_wait().expect("it is ours") {
            return status;
        }
        assert!(Instant::now() < deadline, "the node does not end");
        thread::yield_now();
    }
}

/// Waits for the line `ready`; what is logged after it is read away, so that the process never waits for us.
fn ready(child: &mut Child) -> (Value, mpsc::Receiver<String>) {
    let log = BufReader::new(child.stderr.take().expect("it is piped"));
    let (lines, found) = mpsc::channel();
    thread::spawn(move || {
        for line in log.lines().map_while(Result::ok) {
            let _ = lines.send(line);
        }
    });
    let deadline = Instant::now() + PATIENCE;
    let mut log = String::new();
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let Ok(line) = found.recv_timeout(left) else { panic!("the node does not get ready:\n{log}") };
        match serde_json::from_str::<Value>(&line) {
            Ok(value) if value["fields"]["message"] == "ready" => return (value, found),
            _ => log.push_str(&line),
        }
        log.push('\n');
    }
}

fn call(address: SocketAddr, token: Option<&str>, method: &str, params: &Value) -> Value {
    let answer = exchange(address, &request(token, method, params));
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{method}: {answer}"));
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{method}: {error}: {head}\n{body}"))
}

fn request(token: Option<&str>, method: &str, params: &Value) -> String {
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
    let token = token.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
    let head = format!(
        "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n{token}content-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    head + &body
}

/// Sends a request and reads the answer to its end.
pub(crate) fn exchange(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("the door is open");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    stream.write_all(request.as_bytes()).expect("the request is taken");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

/// Where the official vectors are; `None`, and said so, if they are not.
#[expect(clippy::print_stderr, reason = "a test that tests nothing says so")]
pub(crate) fn vectors(name: &str) -> Option<PathBuf> {
    let workspace = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let named = env::var_os("BALSA_VECTORS").map(PathBuf::from);
    let places = [workspace.join("../shared/vectors"), workspace.join("fixtures/vectors")];
    let found = named.into_iter().chain(places).map(|place| place.join(name)).find(|place| place.exists());
    if found.is_none() {
        assert!(env::var_os("BALSA_VECTORS_REQUIRED").is_none(), "{name} is required and not there");
        eprintln!("{name} not found: set BALSA_VECTORS, or run scripts/vectors");
    }
    found
}
