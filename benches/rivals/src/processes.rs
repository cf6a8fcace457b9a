//! Every contender in a process of its own.
//!
//! Memory that one contender frees in a million small pieces is put in order by the allocator at the next large request,
//! whoever makes it: in one process, that was most of what balsa was charged for. So each keeps house for itself, and the
//! processes have their turns as the ways of any contest have: one works while the others wait for a line.
//!
//! A line to a contender is a number of runs, and is answered by how many nanoseconds of processor time they took; `root`
//! is answered by the root.

use crate::{
    contenders::{self, Balsa, EthTrie, Ethrex, Trie},
    inputs::{self, Batch},
};
use alloy_primitives::B256;
use balsa_benches::processor_time;
use std::{
    env,
    hint::black_box,
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    str::FromStr,
    time::Duration,
};

/// Batches that a contender applies, over and over.
const BATCHES: u64 = 8;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// A trie of so many sorted leaves, from nothing.
    Build { leaves: usize },
    /// So many changes of a trie of so many leaves.
    Update { leaves: usize, changes: usize },
}

/// A contender in its process, which ends with it.
pub struct Contender {
    process: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Contender {
    /// Starts contender `name` and waits until it is ready.
    pub fn start(name: &str, task: Task) -> Self {
        let (leaves, changes) = match task {
            Task::Build { leaves } => (leaves, 0),
            Task::Update { leaves, changes } => (leaves, changes),
        };
        let mut process = Command::new(env::current_exe().expect("a program has a path"))
            .args(["contender", name, &leaves.to_string(), &changes.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts again");
        let to = process.stdin.take().expect("it is a pipe");
        let from = BufReader::new(process.stdout.take().expect("it is a pipe"));
        let mut contender = Self { process, to, from };
        contender.ask::<u64>("0");
        contender
    }

    /// Does the work so many times; how long it took.
    pub fn run(&mut self, runs: u32) -> Duration {
        Duration::from_nanos(self.ask(&runs.to_string()))
    }

    /// The root after all batches in their order, or of what was built.
    pub fn root(&mut self) -> B256 {
        self.ask("root")
    }

    fn ask<T: FromStr>(&mut self, line: &str) -> T {
        writeln!(self.to, "{line}").expect("the contender lives");
        let mut answer = String::new();
        self.from.read_line(&mut answer).expect("the contender lives");
        let Ok(answer) = answer.trim().parse() else { panic!("a contender answered {answer:?}") };
        answer
    }
}

impl Drop for Contender {
    fn drop(&mut self) {
        // It is measured no more; whether it ended before does not matter.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// If this process is a contender: answers until nobody asks any more.
pub fn serve_if_contender() -> bool {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [mode, name, leaves, changes] = arguments.as_slice() else { return false };
    if mode != "contender" {
        return false;
    }
    let (leaves, changes): (usize, usize) = (number(leaves), number(changes));
    match (name.as_str(), changes) {
        ("alloy-trie HashBuilder", 0) => build(leaves, |leaves| leaves, |leaves| contenders::hash_builder_root(leaves)),
        ("ethrex-trie sorted", 0) => build(leaves, |leaves| leaves, |leaves| contenders::ethrex_sorted_root(leaves)),
        ("balsa", 0) => {
            build(leaves, |leaves| contenders::updates(&leaves), |updates| contenders::balsa_root(updates).root())
        }
        ("balsa SortedRoot", 0) => build(leaves, |leaves| leaves, |leaves| contenders::balsa_sorted_root(leaves)),
        ("ethrex-trie", _) => update::<Ethrex>(leaves, changes),
        ("eth_trie", _) => update::<EthTrie>(leaves, changes),
        ("balsa", _) => update::<Balsa>(leaves, changes),
        (name, _) => panic!("no contender {name:?}"),
    }
    true
}

fn number(text: &str) -> usize {
    text.parse().expect("a number")
}

fn build<I>(count: usize, prepared: impl FnOnce(Vec<inputs::Leaf>) -> I, root: impl Fn(&I) -> B256) {
    let input = prepared(inputs::leaves(count));
    serve(|question| match question {
        Question::Runs(runs) => timed(runs, || {
            black_box(root(black_box(&input)));
        }),
        Question::Root => root(&input).to_string(),
    });
}

fn update<T: Trie>(leaves: usize, changes: usize) {
    let leaves = inputs::leaves(leaves);
    let mut trie = T::build(&leaves);
    let batches: Vec<Batch> = (0..BATCHES).map(|seed| inputs::batch(&leaves, changes, seed)).collect();
    drop(leaves);
    let mut next = batches.iter().cycle();
    serve(|question| match question {
        Question::Runs(runs) => timed(runs, || {
            black_box(trie.update(next.next().expect("there are batches")));
        }),
        Question::Root => {
            let roots = batches.iter().map(|batch| trie.update(batch));
            roots.last().expect("there are batches").to_string()
        }
    });
}

enum Question {
    Runs(u32),
    Root,
}

fn serve(mut answer: impl FnMut(Question) -> String) {
    for line in std::io::stdin().lines() {
        let line = line.expect("lines of text");
        let question = if line == "root" { Question::Root } else { Question::Runs(line.parse().expect("a number")) };
        let mut out = std::io::stdout().lock();
        writeln!(out, "{}", answer(question)).expect("somebody listens");
    }
}

fn timed(runs: u32, mut run: impl FnMut()) -> String {
    let start = processor_time();
    (0..runs).for_each(|_| run());
    (processor_time() - start).as_nanos().to_string()
}
