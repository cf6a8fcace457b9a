//! Roots of lists: transactions, receipts, withdrawals (Yellow Paper, section 4.3.2).
//!
//! Such a root is that of a trie from rlp(index) to the item, and its shape follows from the number of items alone. The
//! order of the keys is that of the indices but for the first: rlp(0) is `80` and lies between rlp(127), `7f`, and
//! rlp(128), `8180`. So nothing is sorted and no trie is built. Where a leaf hangs follows from its two neighbours;
//! its node is encoded at once and hashed with many others; and of each item no more is kept than how its parent names
//! it. From these the branches are made level by level, all of a level hashed together.
//!
//! An item that is last so far waits for its successor, which may share more of its key. The first waits for number
//! 128. Beside these two, one batch of encodings and 40 bytes an item are held.

mod key;
mod nodes;

use alloy_primitives::B256;
use alloy_rlp::Encodable;
use balsa_state::EMPTY_ROOT;
use key::Key;
use nodes::{Name, Nodes};

/// The root of the trie that maps rlp(index) to each item, given encoded.
pub fn ordered_root<T: AsRef<[u8]>>(items: &[T]) -> B256 {
    let mut leaves = Leaves::default();
    for (index, item) in items.iter().enumerate() {
        leaves.add(index, items.len(), item.as_ref());
    }
    leaves.root(items.len())
}

/// The same, from items that come one after another.
#[derive(Debug)]
pub struct OrderedRoot {
    count: usize,
    /// Item 0, until item 128 or the end.
    first: Vec<u8>,
    /// The item before the next, unless that is item 0.
    last: Vec<u8>,
    leaves: Leaves,
}

impl OrderedRoot {
    /// For about `count` items; it may become more or fewer.
    pub fn new(count: usize) -> Self {
        let leaves = Leaves { named: Vec::with_capacity(count), ..Leaves::default() };
        Self { count: 0, first: Vec::new(), last: Vec::new(), leaves }
    }

    /// The next item, encoded.
    pub fn push(&mut self, item: &[u8]) {
        let index = self.count;
        self.count += 1;
        if index == 0 {
            self.first.extend_from_slice(item);
            return;
        }
        if index == ONE_BYTE_KEYS {
            self.leaves.add(0, self.count, &std::mem::take(&mut self.first));
        }
        if index > 1 {
            self.leaves.add(index - 1, self.count, &self.last);
        }
        self.last.clear();
        self.last.extend_from_slice(item);
    }

    /// The root of all items.
    pub fn finish(mut self) -> B256 {
        if (1..=ONE_BYTE_KEYS).contains(&self.count) {
            self.leaves.add(0, self.count, &self.first);
        }
        if self.count > 1 {
            self.leaves.add(self.count - 1, self.count, &self.last);
        }
        self.leaves.root(self.count)
    }
}

/// Items whose key is a single byte: index 0 as `80`, the others as themselves.
const ONE_BYTE_KEYS: usize = 128;

/// Leaves hashed together. A multiple of the lanes, and enough that longer and shorter ones fill them.
const BATCH_LEAVES: usize = 64;

/// Bytes after which fewer leaves are hashed together.
const BATCH_BYTES: usize = 64 * 1024;

/// The leaves of the trie.
#[derive(Debug, Default)]
struct Leaves {
    /// How the parent names each leaf, by index, as far as they were hashed.
    named: Vec<Name>,
    /// The indices of the leaves that were not.
    pending: Vec<usize>,
    /// Their nodes.
    nodes: Nodes,
}

impl Leaves {
    /// Adds item `index` of `count`. If `count` is not final, the item's successor must be in it.
    fn add(&mut self, index: usize, count: usize, item: &[u8]) {
        let path = Key::of(index).path(depth(index, count), None);
        self.nodes.push(|payload| {
            path.as_slice().encode(payload);
            item.encode(payload);
        });
        self.pending.push(index);
        if self.pending.len() == BATCH_LEAVES || self.nodes.bytes.len() > BATCH_BYTES {
            self.hash_pending();
        }
    }

    fn hash_pending(&mut self) {
        for (index, name) in self.pending.drain(..).zip(self.nodes.names()) {
            if self.named.len() <= index {
                self.named.resize(index + 1, Name::NONE);
            }
            self.named[index] = name;
        }
    }

    fn root(mut self, count: usize) -> B256 {
        if count == 0 {
            return EMPTY_ROOT;
        }
        self.hash_pending();
        let in_key_order = (1..count.min(ONE_BYTE_KEYS)).chain([0]).chain(ONE_BYTE_KEYS..count);
        let mut level: Vec<Subtree> = in_key_order
            .map(|index| Subtree { key: Key::of(index), depth: depth(index, count), name: self.named[index] })
            .collect();
        let deepest = level.iter().map(|leaf| leaf.depth).max().unwrap_or(0);
        for depth in (0..deepest).rev() {
            level = join(&level, depth);
        }
        level[0].name.to_root()
    }
}

/// The depth at which the leaf of item `index` hangs: one below where its key parts from those beside it.
fn depth(index: usize, count: usize) -> usize {
    let one_byte = count.min(ONE_BYTE_KEYS);
    let (before, after) = match index {
        0 => ((count > 1).then(|| one_byte - 1), (count > ONE_BYTE_KEYS).then_some(ONE_BYTE_KEYS)),
        1.. if index + 1 < one_byte => (Some(index - 1).filter(|before| *before != 0), Some(index + 1)),
        1.. if index < one_byte => (Some(index - 1).filter(|before| *before != 0), Some(0)),
        ONE_BYTE_KEYS => (Some(0), (index + 1 < count).then_some(index + 1)),
        _ => (Some(index - 1), (index + 1 < count).then_some(index + 1)),
    };
    let key = Key::of(index);
    key.depth_between(before.map(Key::of), after.map(Key::of))
}

/// A node with all below it, and where its parent has it.
#[derive(Clone, Copy, Debug)]
struct Subtree {
    /// One of its keys.
    key: Key,
    /// Nibbles above it.
    depth: usize,
    name: Name,
}

/// Makes the branches at `depth` out of the subtrees that hang below them, where all deeper ones have been made.
fn join(level: &[Subtree], depth: usize) -> Vec<Subtree> {
    let siblings =
        |a: &Subtree, b: &Subtree| a.depth == depth + 1 && b.depth == depth + 1 && a.key.nibbles_shared(b.key) == depth;
    let mut joined: Vec<Subtree> = Vec::with_capacity(level.len());
    let (mut made, mut nodes) = (Vec::new(), Nodes::default());
    for run in level.chunk_by(siblings) {
        joined.push(run[0]);
        if run.len() > 1 {
            made.push(joined.len() - 1);
            nodes.push(|payload| branch(run, depth, payload));
        }
    }
    for (at, name) in made.into_iter().zip(nodes.names()) {
        let Subtree { key, .. } = joined[at];
        let before = at.checked_sub(1).map(|before| joined[before].key);
        let after = joined.get(at + 1).map(|after| after.key);
        let hangs_at = key.depth_between(before, after);
        let name = if hangs_at < depth { extension(key, hangs_at, depth, name) } else { name };
        joined[at] = Subtree { key, depth: hangs_at, name };
    }
    joined
}

/// The payload of the branch at `depth` over `children`.
fn branch(children: &[Subtree], depth: usize, payload: &mut Vec<u8>) {
    let mut children = children.iter().peekable();
    for nibble in 0..16 {
        match children.next_if(|child| child.key.nibble(depth) == nibble) {
            Some(child) => payload.extend_from_slice(child.name.as_slice()),
            None => payload.push(0x80),
        }
    }
    payload.push(0x80);
}

/// The extension over nibbles `from..to` of `key`.
fn extension(key: Key, from: usize, to: usize, child: Name) -> Name {
    let mut nodes = Nodes::default();
    nodes.push(|payload| {
        key.path(from, Some(to)).as_slice().encode(payload);
        payload.extend_from_slice(child.as_slice());
    });
    nodes.names()[0]
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_trie::root::ordered_trie_root_with_encoder;
    use proptest::prelude::*;

    /// Both forms against alloy-trie's.
    fn check(items: &[Vec<u8>]) {
        let expected = ordered_trie_root_with_encoder(items, |item, out| out.extend_from_slice(item));
        assert_eq!(ordered_root(items), expected, "{} items at once", items.len());
        let mut stream = OrderedRoot::new(items.len() / 2);
        items.iter().for_each(|item| stream.push(item));
        assert_eq!(stream.finish(), expected, "{} items in a stream", items.len());
    }

    fn items(count: usize, len: impl Fn(usize) -> usize) -> Vec<Vec<u8>> {
        (0..count).map(|i| (0..len(i)).map(|j| (i * 31 + j * 7 + 1) as u8).collect()).collect()
    }

    #[test]
    fn every_count_of_long_items() {
        (0..=400).for_each(|count| check(&items(count, |_| 40)));
    }

    /// Leaves, and even branches, that are under 32 bytes and stand in their parents.
    #[test]
    fn every_count_of_short_items() {
        (0..=400).for_each(|count| check(&items(count, |i| i % 3 + 1)));
    }

    #[test]
    fn counts_where_keys_grow() {
        for count in [4095, 4096, 4097, 65_535, 65_536, 65_537, 65_538, 70_000] {
            check(&items(count, |i| i % 40 + 1));
        }
    }

    /// More than a batch at once, and items that are larger than one.
    #[test]
    fn long_items() {
        check(&items(200, |i| i * 50));
        check(&items(5, |i| i * BATCH_BYTES / 2));
    }

    /// What is held does not grow with the items' bytes.
    #[test]
    fn stream_holds_little() {
        let mut stream = OrderedRoot::new(0);
        for i in 0..10_000usize {
            stream.push(&vec![i as u8; 1000]);
            let Leaves { named, pending, nodes } = &stream.leaves;
            assert!(nodes.bytes.capacity() <= 4 * BATCH_BYTES && pending.len() < BATCH_LEAVES, "one batch");
            assert!(named.len() <= i, "a name an item");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn any_items(lens in prop::collection::vec(1usize..=5000, 0..1000), seed in any::<u8>()) {
            check(&lens.iter().map(|len| (0..*len).map(|j| (j * 17 + len) as u8 ^ seed).collect()).collect::<Vec<_>>());
        }

        #[test]
        fn any_small_items(lens in prop::collection::vec(1usize..=60, 0..1000), seed in any::<u8>()) {
            check(&lens.iter().map(|len| (0..*len).map(|j| (j * 17 + len) as u8 ^ seed).collect()).collect::<Vec<_>>());
        }
    }
}
