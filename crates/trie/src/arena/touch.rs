//! Bringing nodes into the cache together.
//!
//! A trie is walked in no order that a processor can foresee, and each node costs a wait for memory that is as long as some
//! hundred instructions. But a processor waits for a dozen cache lines at a time if it meets the loads soon enough: so
//! walks look up where a handful of nodes lie, then load a word of each of their lines, and only then begin to read.

use super::View;
use smallvec::SmallVec;
use std::{
    hint::black_box,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

/// Nodes that are touched together.
pub(crate) const TOUCHED: usize = 16;
/// Words of 8 bytes in a cache line.
const LINE_WORDS: usize = 8;
/// Words of a branch without extension up to the end of its links: two lines.
const LINKS_WORDS: usize = 10;

/// Nodes that were touched.
pub(crate) type Touched<'a> = SmallVec<[View<'a>; TOUCHED]>;

/// Nodes, all of whose lines are on their way.
#[inline]
pub(crate) fn touched<'a>(nodes: impl Iterator<Item = View<'a>>) -> Touched<'a> {
    let nodes: Touched<'a> = nodes.collect();
    black_box(nodes.iter().fold(0, |sum, node| sum ^ first_words(node.words)));
    nodes
}

/// Nodes, of whose lines those up to a branch's links are on their way.
#[inline]
pub(crate) fn touched_links<'a>(nodes: impl Iterator<Item = View<'a>>) -> Touched<'a> {
    let nodes: Touched<'a> = nodes.collect();
    let links = |node: &View<'a>| first_words(&node.words[..node.words.len().min(LINKS_WORDS)]);
    black_box(nodes.iter().fold(0, |sum, node| sum ^ links(node)));
    nodes
}

fn first_words(words: &[AtomicU64]) -> u64 {
    words.iter().step_by(LINE_WORDS).fold(0, |sum, word| sum ^ word.load(Relaxed))
}
