//! Bringing nodes into the cache together.
//!
//! A trie is walked in no order that a processor can foresee, and each node costs a wait for memory that is as long as some
//! hundred instructions. But a processor waits for a dozen cache lines at a time if it meets the loads soon enough: so
//! walks look up where a handful of nodes lie, then load a word of each of their lines, and only then begin to read.

use super::View;
use crate::sync::AtomicU64;
use smallvec::SmallVec;
use std::{hint::black_box, sync::atomic::Ordering::Relaxed};

/// Nodes that are touched together.
pub(crate) const TOUCHED: usize = 16;
/// Words of 8 bytes in a cache line.
const LINE_WORDS: usize = 8;

/// Nodes that were touched.
pub(crate) type Touched<'a> = SmallVec<[View<'a>; TOUCHED]>;

/// Nodes, all of whose lines are on their way.
#[inline]
pub(crate) fn touched<'a>(nodes: impl Iterator<Item = View<'a>>) -> Touched<'a> {
    let nodes: Touched<'a> = nodes.collect();
    black_box(nodes.iter().fold(0, |sum, node| sum ^ first_words(node.words)));
    nodes
}

/// Nodes, of whose lines the first two are on their way: those up to the links of a branch without extension.
#[inline]
pub(crate) fn touched_links<'a>(nodes: impl Iterator<Item = View<'a>>) -> Touched<'a> {
    let nodes: Touched<'a> = nodes.collect();
    // Without a loop: this is a good part of what a walk does.
    let links = |node: &View<'a>| {
        let words = node.words;
        words[0].load(Relaxed) ^ words[LINE_WORDS.min(words.len() - 1)].load(Relaxed)
    };
    black_box(nodes.iter().fold(0, |sum, node| sum ^ links(node)));
    nodes
}

fn first_words(words: &[AtomicU64]) -> u64 {
    words.iter().step_by(LINE_WORDS).fold(0, |sum, word| sum ^ word.load(Relaxed))
}
