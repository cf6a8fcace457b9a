//! The arena and the versions under every order in which threads may meet (with up to `PREEMPTIONS` changes of the
//! running thread that nobody asked for). Nodes are relaxed atomics, so a handle that reached a reader before its node's words did would show
//! zeros here, and a place that was freed too early another node's words.

use crate::{
    arena::{Arena, HeapMemory, Pen},
    link::Link,
    path::Path,
    sync::{AtomicU32, Mutex},
    versions::{Forest, Version},
};
use alloy_primitives::{B256, U256};
use loom::thread;
use std::sync::{Arc, atomic::Ordering::Relaxed};

const PREEMPTIONS: usize = 4;

fn check(test: impl Fn() + Sync + Send + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(PREEMPTIONS);
    model.max_branches = 100_000;
    model.check(test);
}

fn key(byte: u8) -> B256 {
    B256::repeat_byte(byte)
}

fn leaf(pen: &mut Pen<'_>, byte: u8) -> Link {
    pen.leaf(1, &key(byte), &U256::from(byte)).expect("memory enough").0
}

fn assert_leaf(arena: &Arena, node: Link, byte: u8) {
    let view = arena.view(node);
    assert_eq!((view.key(), view.number(4)), (key(byte), U256::from(byte)));
}

#[test]
fn pages_are_added_beside_readers() {
    check(|| {
        let arena = Arc::new(Arena::new(Arc::new(HeapMemory)));
        let handed_over = Arc::new(Mutex::new(None));
        let writer = thread::spawn({
            let (arena, handed_over) = (arena.clone(), handed_over.clone());
            move || {
                let mut pen = Pen::new(&arena, 1);
                let node = leaf(&mut pen, 7);
                *handed_over.lock().unwrap() = Some(node);
                pen.keep();
            }
        });
        // A page of another depth, and with it another segment of the directory.
        let mut pen = Pen::new(&arena, 1);
        let mine = pen.leaf(2, &key(9), &U256::from(9)).expect("memory enough").0;
        let theirs = *handed_over.lock().unwrap();
        if let Some(theirs) = theirs {
            assert!(theirs != mine);
            assert_leaf(&arena, theirs, 7);
        }
        assert_leaf(&arena, mine, 9);
        pen.keep();
        writer.join().unwrap();
        assert_leaf(&arena, handed_over.lock().unwrap().expect("handed over"), 7);
        assert_leaf(&arena, mine, 9);
        assert_eq!(arena.live_bytes(), 2 * 64);
    });
}

/// What the other tests would show if a handle could reach a reader before the words of its node: the checker does see it.
#[test]
#[should_panic(expected = "assertion `left == right` failed")]
fn a_handle_that_nothing_orders_shows_an_empty_node() {
    check(|| {
        let arena = Arc::new(Arena::new(Arc::new(HeapMemory)));
        let handed_over = Arc::new(AtomicU32::new(Link::NONE.bits()));
        let mut pen = Pen::new(&arena, 1);
        // The page is there already: only the node is new.
        leaf(&mut pen, 1);
        pen.keep();
        let reader = thread::spawn({
            let (arena, handed_over) = (arena.clone(), handed_over.clone());
            move || {
                let node = Link::from_bits(handed_over.load(Relaxed));
                if node != Link::NONE {
                    assert_leaf(&arena, node, 7);
                }
            }
        });
        let mut pen = Pen::new(&arena, 1);
        handed_over.store(leaf(&mut pen, 7).bits(), Relaxed);
        pen.keep();
        reader.join().unwrap();
    });
}

#[test]
fn one_pool_gives_a_place_once() {
    check(|| {
        let arena = Arc::new(Arena::new(Arc::new(HeapMemory)));
        let make = |byte| {
            let arena = arena.clone();
            move || {
                let mut pen = Pen::new(&arena, 1);
                let node = leaf(&mut pen, byte);
                pen.keep();
                node
            }
        };
        let other = thread::spawn(make(1));
        let mine = make(2)();
        let other = other.join().unwrap();
        assert!(mine != other);
        assert_leaf(&arena, mine, 2);
        assert_leaf(&arena, other, 1);
    });
}

/// A branch over leaves with these keys, of which those in `shared` are there.
fn version(forest: &Arc<Forest>, parent: Option<&Version>, epoch: u32, leaves: [(u8, Option<Link>); 2]) -> Version {
    let mut pen = Pen::new(&forest.arena, epoch);
    let mask = leaves.iter().fold(0, |mask, (byte, _)| mask | 1 << (byte >> 4));
    let (root, branch) = pen.branch(0, mask, &Path::ROOT, 2).expect("memory enough");
    for (rank, (byte, shared)) in leaves.into_iter().enumerate() {
        let node = shared.unwrap_or_else(|| leaf(&mut pen, byte));
        branch.set_link(rank, node, true);
    }
    let bytes = pen.keep();
    match parent {
        None => forest.first(root, epoch),
        Some(parent) => forest.derived(root, epoch, parent, bytes),
    }
}

fn assert_version(version: &Version, leaves: [u8; 2]) {
    let branch = version.forest.arena.view(version.root).branch();
    for (rank, byte) in leaves.into_iter().enumerate() {
        assert_leaf(&version.forest.arena, branch.link(rank), byte);
    }
}

fn child_of(version: &Version, rank: usize) -> Link {
    version.forest.arena.view(version.root).branch().link(rank)
}

#[test]
fn a_version_is_released_beside_a_reader_of_its_child() {
    check(|| {
        let forest = Forest::new(Arc::new(HeapMemory));
        let parent = version(&forest, None, 1, [(0x10, None), (0x20, None)]);
        let shared = child_of(&parent, 0);
        let child = version(&forest, Some(&parent), 2, [(0x10, Some(shared)), (0x21, None)]);
        let reader = thread::spawn(move || {
            assert_version(&child, [0x10, 0x21]);
            child
        });
        // What only the parent had is freed and written again.
        drop(parent);
        let mut pen = Pen::new(&forest.arena, 3);
        let new = leaf(&mut pen, 0x33);
        pen.keep();
        let child = reader.join().unwrap();
        assert_version(&child, [0x10, 0x21]);
        assert_leaf(&forest.arena, new, 0x33);
    });
}

#[test]
fn relatives_are_released_by_two_threads() {
    check(|| {
        let forest = Forest::new(Arc::new(HeapMemory));
        let parent = version(&forest, None, 1, [(0x10, None), (0x20, None)]);
        let alone = forest.arena.live_bytes();
        let shared = child_of(&parent, 0);
        let children = [(2, 0x21), (3, 0x22)]
            .map(|(epoch, byte)| version(&forest, Some(&parent), epoch, [(0x10, Some(shared)), (byte, None)]));
        let [first, second] = children;
        let other = thread::spawn(move || drop(first));
        drop(second);
        other.join().unwrap();
        assert_eq!(forest.arena.live_bytes(), alone);
        assert_version(&parent, [0x10, 0x20]);
    });
}
