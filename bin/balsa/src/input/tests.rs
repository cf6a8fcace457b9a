//! Chain files and list files, good and bad.

use super::{InputError, blocks, blocks::Blocks, chain_files::chain_files, lists::ListFeed};
use alloy_consensus::{Block, Header, TxEnvelope};
use alloy_rlp::Encodable;
use balsa_chainspec::{ChainSpec, Fork};
use flate2::{Compression, write::GzEncoder};
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

fn file(dir: &TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = dir.path().join(name);
    fs::write(&path, bytes).expect("a temporary file is written");
    path
}

fn block(number: u64, extra: usize) -> Vec<u8> {
    let header = Header { number, extra_data: vec![7; extra].into(), ..Header::default() };
    let mut bytes = Vec::new();
    Block::<TxEnvelope>::uncle(header).encode(&mut bytes);
    bytes
}

fn numbers(path: &Path) -> Result<Vec<u64>, InputError> {
    let mut blocks = Blocks::open(path)?;
    let mut numbers = Vec::new();
    while let Some(bytes) = blocks.next_bytes()? {
        numbers.push(blocks.decode(&bytes)?.header.number);
    }
    Ok(numbers)
}

#[test]
fn blocks_are_read_in_order() {
    let dir = TempDir::new().expect("a directory");
    let chain = [block(0, 0), block(1, 3), block(2, 70_000)].concat();
    let path = file(&dir, "chain.rlp", &chain);
    assert_eq!(numbers(&path).expect("a sound chain"), [0, 1, 2]);
    assert_eq!(numbers(&file(&dir, "empty.rlp", b"")).expect("an empty chain"), [0; 0]);

    let spec = ChainSpec::all_at_genesis(1, Fork::Amsterdam);
    let count = blocks::count(&spec, &[path]).expect("a sound chain");
    assert_eq!((count.blocks, count.with_list, count.bytes), (2, 2, chain.len() as u64));
}

#[test]
fn packed_chains_are_unpacked_as_they_are_read() {
    let dir = TempDir::new().expect("a directory");
    let chain = [block(0, 0), block(1, 3), block(2, 70_000)].concat();
    // Two streams, one after the other, as tools that append leave them.
    let packed: Vec<u8> = [&chain[..900], &chain[900..]]
        .map(|part| {
            let mut packer = GzEncoder::new(Vec::new(), Compression::default());
            packer.write_all(part).expect("memory is written");
            packer.finish().expect("memory is written")
        })
        .concat();
    let path = file(&dir, "chain.rlp.gz", &packed);
    assert_eq!(numbers(&path).expect("a sound chain"), [0, 1, 2]);
    assert_eq!(chain_files(&[dir.path().to_owned()]).expect("a folder of chains"), [path]);

    let cut = file(&dir, "cut.rlp.gz", &packed[..packed.len() - 60]);
    assert!(numbers(&cut).expect_err("half a chain").to_string().contains("cut.rlp.gz: cannot read: "));
    let not_packed = file(&dir, "plain.rlp.gz", &chain);
    assert!(numbers(&not_packed).expect_err("no gzip").to_string().contains("plain.rlp.gz: cannot read: invalid gzip"));
}

#[test]
fn bad_chains_are_refused_by_name() {
    let dir = TempDir::new().expect("a directory");
    let check = |name: &str, bytes: &[u8], message: &str| {
        let path = file(&dir, name, bytes);
        let error = numbers(&path).expect_err("a bad chain").to_string();
        assert_eq!(error, format!("{}: {message}", path.display()));
    };
    let sound = block(1, 0);
    let len = sound.len();
    check("text", b"hello", "item 0 at byte 0: not an RLP list");
    check("tail", &[&sound[..], b"\x80"].concat(), &format!("item 1 at byte {len}: not an RLP list"));
    check(
        "short",
        &sound[..len - 1],
        &format!("item 0 at byte 0 has {len} bytes, but the file ends after {}", len - 1),
    );
    check("zero", b"\xf9\x00\x01", "item 0 at byte 0: the length of an RLP list has a leading zero");
    check("long", b"\xf8\x01\x80", "item 0 at byte 0: a short RLP list in long form");
    check("head", b"\xfb\x01", "item 0 at byte 0: the file ends within an RLP header");
    check("huge", b"\xfb\x7f\xff\xff\xff\x00", "item 0 at byte 0 has 2147483652 bytes, more than 134217728");
    check("overflow", b"\xff\xff\xff\xff\xff\xff\xff\xff\xff", "item 0 at byte 0: its length overflows");
    check("list", b"\xc1\x80", "item 0 at byte 0: block RLP: unexpected string");
}

#[test]
fn lists_must_be_as_many_as_the_blocks_that_have_one() {
    let dir = TempDir::new().expect("a directory");
    let path = file(&dir, "lists.rlp", b"\xc0\xc2\xc0\xc0");
    let spec = ChainSpec::all_at_genesis(1, Fork::Amsterdam);
    let header = Header::default();
    let mut lists = ListFeed::open(Some(&path), 2).expect("two lists");
    for expected in [Some(b"\xc0".into()), Some(b"\xc2\xc0\xc0".into()), None] {
        assert_eq!(lists.for_block(&spec, &header).expect("a sound file"), expected);
    }
    let before = ChainSpec::all_at_genesis(1, Fork::Osaka);
    let mut lists = ListFeed::open(Some(&path), 2).expect("two lists");
    assert_eq!(lists.for_block(&before, &header).expect("no list is read"), None);
    assert_eq!(lists.for_block(&spec, &header).expect("the first list"), Some(b"\xc0".into()));
    for expected in [1, 3] {
        let error = ListFeed::open(Some(&path), expected).err().expect("another count").to_string();
        let message = format!("2 access lists for {expected} blocks that have one; the file must hold one for each");
        assert_eq!(error, format!("{}: {message}", path.display()));
    }
}

#[test]
fn a_directory_is_its_rlp_files_by_name() {
    let dir = TempDir::new().expect("a directory");
    let given = [dir.path().to_owned()];
    let error = chain_files(&given).expect_err("nothing to read").to_string();
    assert_eq!(error, format!("{}: no file in this directory ends in .rlp or .rlp.gz", dir.path().display()));
    let (second, first) = (file(&dir, "0002.rlp", b""), file(&dir, "0001.rlp", b""));
    file(&dir, "genesis.json", b"");
    assert_eq!(chain_files(&given).expect("two files"), [first, second]);
    let error = numbers(&dir.path().join("missing.rlp")).expect_err("no file").to_string();
    assert!(error.contains("missing.rlp: cannot open: No such file"), "{error}");
}
