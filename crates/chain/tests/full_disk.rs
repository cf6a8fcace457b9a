//! The trie's nodes in files of a disk that fills up: a real file system of one megabyte, mounted for a process of its own.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "one process tells the other, and a person, what was shown"
)]

mod real_chains;

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use balsa_chain::{ChainError, ChainSettings, ImportOutcome, TrieMemory};
use real_chains::{import_next, small, to_prague};

/// Where the small disk is mounted; set for the inner process only.
const DISK: &str = "BALSA_TEST_SMALL_DISK";

/// A command that runs `script` where mounts are its own, or nothing if the system does not allow that.
fn mounting(disk: &Path, script: &str) -> Option<Command> {
    let spaces = [&["--user", "--map-root-user", "--mount"][..], &["--mount"]];
    spaces.into_iter().find_map(|arguments| {
        let command = |script: &str| {
            let mut command = Command::new("unshare");
            command.args(arguments).args(["sh", "-c", script]).env(DISK, disk);
            command
        };
        let mount = format!("mount -t tmpfs -o size=1m tmpfs \"${DISK}\"");
        let can_mount = command(&mount).output().is_ok_and(|output| output.status.success());
        can_mount.then(|| command(&format!("{mount} && {script}")))
    })
}

#[test]
fn a_full_disk_stops_the_chain_and_says_nothing_about_a_block() {
    if let Some(disk) = env::var_os(DISK) {
        return on_a_small_disk(&PathBuf::from(disk));
    }
    let disk = tempfile::tempdir().unwrap();
    let name = "a_full_disk_stops_the_chain_and_says_nothing_about_a_block";
    let Some(mut command) = mounting(disk.path(), &format!("exec \"$0\" --exact {name} --nocapture")) else {
        eprintln!("this system lets nobody mount a disk: not shown that a full one does no harm");
        return;
    };
    let output = command.arg(env::current_exe().unwrap()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("the disk was full at block "), "{text}");
}

fn on_a_small_disk(disk: &Path) {
    let real = to_prague();
    let dir = tempfile::tempdir().unwrap();
    let settings = ChainSettings { trie_memory: TrieMemory::FilesIn(disk.to_owned()), ..small() };
    let mut chain = real.open(dir.path(), settings.clone()).unwrap();
    let mut blocks = real.blocks.iter();
    let (refused, error) = loop {
        let block = blocks.next().expect("the disk is too small for the chain");
        match chain.import_and_choose(block.clone(), None) {
            Ok((outcome, _)) => assert!(matches!(outcome, ImportOutcome::Imported(_)), "{outcome:?}"),
            Err(error) => break (block, error),
        }
    };
    let number = refused.header.number;
    println!("the disk was full at block {number}: {error}");
    assert!(matches!(error, ChainError::Execution { .. }), "{error:?}");
    assert!(error.to_string().contains("No space left"), "{error}");
    // Asked again it says the same, and remembers nothing bad of the block. The head is where it was.
    let again = chain.import(refused.clone(), None);
    assert!(matches!(again, Err(ChainError::Execution { .. })), "{again:?}");
    assert!(chain.rejection(&refused.hash).is_none() && chain.bad_blocks().is_empty());
    assert_eq!(chain.view().head().number(), number - 1);
    chain.close().unwrap();
    let (room, filler) = (disk.join("room"), disk.join("filler"));
    std::fs::write(&room, vec![1; 900 << 10]).expect("a closed chain leaves the disk's room");
    std::fs::remove_file(room).unwrap();

    // On a disk that has no room from the start, opening says so.
    std::fs::write(filler, vec![1; 2 << 20]).unwrap_err();
    let refused = real.open(dir.path(), settings);
    assert!(matches!(refused, Err(ChainError::TriePages(_))), "{:?}", refused.err());
    // With room, the chain goes on from where it stopped.
    let mut chain = real.open(dir.path(), small()).unwrap();
    for block in &real.blocks[chain.view().head().number() as usize..] {
        import_next(&mut chain, block);
    }
    assert_eq!(chain.view().head().hash(), real.head);
}
