//! `kill -9` in the middle of an import: the chain opens again at a head that it had, and goes on to the end.
//!
//! The child of this test is this very binary, asked to run [`child_imports`] with a directory in its environment.

mod real_chains;

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
    time::SystemTime,
};

use real_chains::{import_next, small, to_prague};

const DIR: &str = "BALSA_CHAIN_CRASH_TEST_DIR";

/// Not a test by itself: imports from where the chain stands, and names blocks that are on disk.
#[test]
fn child_imports() {
    let Ok(dir) = std::env::var(DIR) else { return };
    let real = to_prague();
    let mut chain = real.open(Path::new(&dir), small()).unwrap();
    let head = chain.view().head().number() as usize;
    for block in &real.blocks[head..] {
        import_next(&mut chain, block);
        if block.header.number % 7 == 0 {
            chain.ping().unwrap();
            let mut out = std::io::stdout();
            writeln!(out, "\nsafe {}", block.header.number).and_then(|()| out.flush()).unwrap();
        }
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "the seed of a run that fails")]
fn a_killed_import_goes_on() {
    let mut seed = SystemTime::UNIX_EPOCH.elapsed().unwrap().subsec_nanos();
    println!("seed {seed}");
    let real = to_prague();
    let dir = tempfile::tempdir().unwrap();
    let mut safe = 0;
    for _ in 0..6 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_imports", "--nocapture"])
            .env(DIR, dir.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let stop = safe + 10 + u64::from(seed >> 16) % 80;
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut blocks =
            lines.filter_map(|line| line.strip_prefix("safe ").map(|number| number.parse::<u64>().unwrap()));
        safe = blocks.by_ref().find(|number| *number >= stop).expect("the chain is longer");
        for spin in 0..seed % 3_000_000 {
            std::hint::black_box(spin);
        }
        child.kill().unwrap();
        safe = blocks.last().unwrap_or(safe);
        child.wait().unwrap();

        let chain = real.open(dir.path(), small()).unwrap();
        let head = chain.view().head().pointer();
        assert!(head.number >= safe, "block {safe} was on disk, but the head is {}", head.number);
        for block in &real.blocks[..head.number as usize] {
            assert_eq!(chain.view().canonical_hash(block.header.number).unwrap(), Some(block.hash));
            assert!(chain.view().receipts(&block.hash).unwrap().is_some());
        }
        chain.close().unwrap();
    }
    let mut chain = real.open(dir.path(), small()).unwrap();
    let head = chain.view().head().number() as usize;
    real.blocks[head..].iter().for_each(|block| import_next(&mut chain, block));
    assert_eq!(chain.view().head().hash(), real.head);
}
