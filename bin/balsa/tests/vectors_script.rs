//! `scripts/vectors` against a mirror: what it fetches can be run, and what it cannot fetch whole leaves nothing behind.

use flate2::{Compression, write::GzEncoder};
use std::{
    fmt::Write as _,
    fs,
    io::{BufRead, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::mpsc::{self, Receiver},
    thread,
};
use tempfile::TempDir;

/// A state test and a block test that pass, from the suites of other tests.
const VECTORS: [(&str, &str); 2] = [
    ("fixtures/state_tests/transfer.json", include_str!("vectors_script/state_test.json")),
    ("fixtures/blockchain_tests/transfer.json", include_str!("vectors_script/blockchain_test.json")),
];

/// A release as it is published, with an index of its own, and forms that are left out.
fn release() -> Vec<u8> {
    let index =
        r#"{"test_cases": [{"id": "transfer", "json_path": "state_tests/transfer.json", "format": "state_test"}]}"#;
    let others =
        [("fixtures/.meta/index.json", index), ("fixtures/blockchain_tests_engine_x/pre_alloc/0x1.json", "{}")];
    let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (name, content) in VECTORS.into_iter().chain(others) {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, content.as_bytes()).expect("memory");
    }
    builder.into_inner().and_then(GzEncoder::finish).expect("memory")
}

/// A folder for the packs, and a list with one release called `small`.
struct Setting {
    dir: TempDir,
}

impl Setting {
    fn new(checksum: &str) -> Self {
        let dir = TempDir::new().expect("a directory");
        fs::create_dir(dir.path().join("packs")).expect("a folder");
        fs::write(dir.path().join("releases.txt"), format!("# one\nsmall  a/b%40v1/small.tar.gz  {checksum}\n"))
            .expect("a file");
        Self { dir }
    }

    fn packs(&self) -> PathBuf {
        self.dir.path().join("packs")
    }

    fn fetch(&self, from: &str, more: &[&str]) -> Output {
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../scripts/vectors");
        let mut command = Command::new(script);
        command.arg("--to").arg(self.packs()).arg("--releases").arg(self.dir.path().join("releases.txt"));
        command.args(["--from", from]).args(more).output().expect("bash is there")
    }

    #[track_caller]
    fn check_fails(&self, from: &str, more: &[&str], code: i32, message: &str) {
        let output = self.fetch(from, more);
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{errors}");
        assert!(errors.contains(message), "{errors}");
        let left: Vec<_> = fs::read_dir(self.packs()).expect("the folder").collect();
        assert!(left.is_empty(), "left behind: {left:?}");
    }

    /// Runs the pack that was fetched.
    #[track_caller]
    fn check_pack(&self) {
        let pack = self.packs().join("small.tar.zst");
        for (suite, passed) in [("statetest", "1 tests, 1 passed"), ("blocktest", "1 tests, 1 passed")] {
            let output =
                Command::new(env!("CARGO_BIN_EXE_balsa")).arg(suite).arg(&pack).output().expect("the program starts");
            let errors = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success() && errors.contains(passed), "{suite}: {errors}");
        }
    }
}

fn checksum(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A mirror that is a folder.
fn folder_with(release: &[u8], folder: &Path) -> String {
    fs::create_dir_all(folder.join("a/b@v1")).expect("a folder");
    fs::write(folder.join("a/b@v1/small.tar.gz"), release).expect("a file");
    format!("file://{}", folder.display())
}

/// A mirror over HTTP that ends each answer after `bytes_max`, and tells the offset that each request asked for.
fn server_with(release: Vec<u8>, bytes_max: usize) -> (String, Receiver<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let (asked, offsets) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let offset = answer(stream.expect("a connection"), &release, bytes_max);
            if asked.send(offset).is_err() {
                return;
            }
        }
    });
    (address, offsets)
}

fn answer(stream: TcpStream, release: &[u8], bytes_max: usize) -> usize {
    let head = BufReader::new(&stream).lines().map_while(Result::ok).take_while(|line| !line.is_empty());
    let range = head.filter_map(|line| line.to_lowercase().strip_prefix("range: bytes=").map(str::to_owned)).last();
    let offset = range.map_or(0, |range| range.trim_end_matches('-').parse().expect("an offset"));
    let (rest, last) = (&release[offset..], release.len() - 1);
    let status = if offset == 0 { "200 OK" } else { "206 Partial Content" };
    let length = rest.len();
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-length: {length}\r\ncontent-range: bytes {offset}-{last}/{}\r\nconnection: close\r\n\r\n",
        release.len()
    );
    let mut stream = &stream;
    // The client may have gone: its own errors are what is tested.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&rest[..length.min(bytes_max)]));
    offset
}

#[test]
fn what_is_fetched_can_be_run() {
    let release = release();
    let setting = Setting::new(&checksum(&release));
    let mirror = folder_with(&release, &setting.dir.path().join("mirror"));
    let listed = setting.fetch(&mirror, &["--list"]);
    assert_eq!(
        String::from_utf8_lossy(&listed.stdout).split_whitespace().collect::<Vec<_>>(),
        ["small", &format!("{mirror}/a/b%40v1/small.tar.gz")]
    );
    let output = setting.fetch(&mirror, &["small"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    setting.check_pack();
    let again = setting.fetch("file:///nowhere", &[]);
    assert!(again.status.success(), "what is there is not fetched again");
    assert_eq!(fs::read_dir(setting.packs()).expect("the folder").count(), 1);
}

#[test]
fn a_download_that_breaks_off_is_taken_up_where_it_ended() {
    let release = release();
    let setting = Setting::new(&checksum(&release));
    let half = release.len() / 2 + 1;
    let (mirror, offsets) = server_with(release, half);
    let output = setting.fetch(&mirror, &[]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(offsets.try_iter().collect::<Vec<_>>(), [0, half]);
    setting.check_pack();
}

#[test]
fn what_cannot_be_fetched_whole_leaves_nothing() {
    let release = release();
    let (mirror, offsets) = server_with(release.clone(), 100);
    Setting::new("-").check_fails(&mirror, &[], 1, "small: cannot be fetched from http://127.0.0.1");
    assert_eq!(offsets.try_iter().collect::<Vec<_>>(), [0, 100, 200, 300]);

    // A host that says the cut file is the whole.
    let setting = Setting::new("-");
    let cut = folder_with(&release[..release.len() - 10], &setting.dir.path().join("mirror"));
    setting.check_fails(&cut, &[], 1, "small: not a whole .tar.gz");
    let setting = Setting::new(&checksum(b"another"));
    let mirror = folder_with(&release, &setting.dir.path().join("mirror"));
    let message = format!("its SHA-256 is {}, expected {}", checksum(&release), checksum(b"another"));
    setting.check_fails(&mirror, &[], 1, &message);
    setting.check_fails("file:///nowhere", &[], 1, "small: cannot be fetched from file:///nowhere/a/b%40v1");
    setting.check_fails(&mirror, &["large"], 2, "no release is called large; there are: small");
    setting.check_fails(&mirror, &["--lsit"], 2, "unknown option --lsit");
}
