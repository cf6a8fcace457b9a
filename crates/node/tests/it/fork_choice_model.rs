//! Random trees of payloads and fork choices, against a model that knows parents and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{B256, U64};
use balsa_engine::{BuiltPayload, PayloadStatusKind};
use balsa_executor::SealedBlock;
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};

use crate::support::TestNode;

/// Blocks of a tree, valid and invalid.
const BLOCKS: usize = 24;
/// Things that happen to a node, per tree.
const STEPS: usize = 120;

/// What is known of a block without executing anything.
struct Fact {
    parent: B256,
    number: u64,
    built: BuiltPayload,
    /// The block that breaks a rule, among this one and its ancestors.
    culprit: Option<B256>,
}

/// What the node should have come to.
struct Model {
    facts: BTreeMap<B256, Fact>,
    /// Valid blocks that were brought after their parents.
    kept: BTreeSet<B256>,
    /// Invalid blocks that were executed, or refused because of a parent that was.
    refused: BTreeSet<B256>,
    genesis: B256,
    head: B256,
    finalized: Option<B256>,
}

impl Model {
    fn number(&self, hash: &B256) -> u64 {
        self.facts.get(hash).map_or(0, |fact| fact.number)
    }

    /// A block and what it descends from, newest first.
    fn ancestry(&self, hash: B256) -> Vec<B256> {
        let mut chain = vec![hash];
        while let Some(fact) = self.facts.get(chain.last().unwrap()) {
            chain.push(fact.parent);
        }
        chain
    }

    fn last_valid(&self, hash: B256) -> B256 {
        let mut chain = self.ancestry(hash).into_iter();
        chain.find(|block| self.facts.get(block).is_none_or(|fact| fact.culprit.is_none())).unwrap()
    }

    /// The status of a payload, and its last valid hash.
    fn bring(&mut self, hash: B256) -> (PayloadStatusKind, Option<B256>) {
        let fact = &self.facts[&hash];
        if self.refused.contains(&hash) || self.refused.contains(&fact.parent) {
            self.refused.insert(hash);
            return (PayloadStatusKind::Invalid, Some(self.last_valid(hash)));
        }
        if self.kept.contains(&hash) {
            return (PayloadStatusKind::Valid, Some(hash));
        }
        if fact.parent != self.genesis && !self.kept.contains(&fact.parent) {
            return (PayloadStatusKind::Syncing, None);
        }
        if fact.culprit.is_some() {
            self.refused.insert(hash);
            return (PayloadStatusKind::Invalid, Some(self.last_valid(hash)));
        }
        self.kept.insert(hash);
        (PayloadStatusKind::Valid, Some(hash))
    }

    /// The status of a fork choice, or the error's code.
    fn choose(&mut self, head: B256, finalized: Option<B256>) -> Result<PayloadStatusKind, i64> {
        if self.refused.contains(&head) {
            return Ok(PayloadStatusKind::Invalid);
        }
        if head != self.genesis && !self.kept.contains(&head) {
            return Ok(PayloadStatusKind::Syncing);
        }
        let canonical = self.ancestry(self.head);
        if self.finalized.is_some_and(|old| self.number(&head) < self.number(&old)) && canonical.contains(&head) {
            return Ok(PayloadStatusKind::Valid);
        }
        if finalized.is_some_and(|finalized| !self.ancestry(head).contains(&finalized)) {
            return Err(-38002);
        }
        self.head = head;
        self.finalized = finalized.or(self.finalized);
        Ok(PayloadStatusKind::Valid)
    }
}

/// A tree on the genesis block. The workshop executes the valid ones, so that there are states to build on.
fn tree(random: &mut StdRng, workshop: &TestNode) -> Model {
    let genesis = workshop.node().view().head().hash();
    let mut model = Model {
        facts: BTreeMap::new(),
        kept: BTreeSet::new(),
        refused: BTreeSet::new(),
        genesis,
        head: genesis,
        finalized: None,
    };
    let mut valid = vec![genesis];
    let mut invalid: Vec<B256> = Vec::new();
    for variant in 0..BLOCKS as u64 {
        let below_invalid = !invalid.is_empty() && random.random_bool(0.15);
        let (fact, is_valid) = if below_invalid {
            let parent = *invalid.choose(random).unwrap();
            (orphan(&model, parent, variant), false)
        } else {
            let parent = *valid.choose(random).unwrap();
            let mut built = workshop.child(parent, variant);
            let is_valid = random.random_bool(0.75);
            if !is_valid {
                built.block = spoiled(&built.block);
            }
            let culprit = (!is_valid).then_some(built.block.hash);
            (Fact { parent, number: built.block.header.number, built, culprit }, is_valid)
        };
        let hash = fact.built.block.hash;
        if is_valid {
            assert_eq!(workshop.import(&fact.built).status.status, PayloadStatusKind::Valid);
            valid.push(hash);
        } else {
            invalid.push(hash);
        }
        model.facts.insert(hash, fact);
    }
    model
}

/// The same block with another state root.
fn spoiled(block: &SealedBlock) -> SealedBlock {
    let mut header = block.header.clone();
    header.state_root.0[0] ^= 1;
    SealedBlock::from_parts(header, block.transactions.clone(), Vec::new(), block.withdrawals.clone())
}

/// A block on one that is invalid: its own fields do not matter.
fn orphan(model: &Model, parent: B256, variant: u64) -> Fact {
    let of_parent = &model.facts[&parent];
    let mut header = of_parent.built.block.header.clone();
    header.parent_hash = parent;
    header.number += 1;
    header.timestamp += 1 + variant;
    let block = SealedBlock::from_parts(header, Vec::new(), Vec::new(), of_parent.built.block.withdrawals.clone());
    let built = BuiltPayload { block, ..of_parent.built.clone() };
    Fact { parent, number: of_parent.number + 1, built, culprit: of_parent.culprit }
}

fn run(seed: u64) {
    let mut random = StdRng::seed_from_u64(seed);
    let workshop = TestNode::start();
    let node = TestNode::start();
    let mut model = tree(&mut random, &workshop);
    let hashes: Vec<B256> = model.facts.keys().copied().chain([model.genesis]).collect();
    for step in 0..STEPS {
        let place = format!("seed {seed}, step {step}");
        let hash = *hashes.choose(&mut random).unwrap();
        if random.random_bool(0.6) && hash != model.genesis {
            let answer = node.import(&model.facts[&hash].built).status;
            let (status, last_valid) = model.bring(hash);
            assert_eq!((answer.status, answer.latest_valid_hash), (status, last_valid), "{place}: payload {hash}");
        } else {
            let finalized = random.random_bool(0.3).then(|| {
                let ancestry = model.ancestry(hash);
                if random.random_bool(0.8) { *ancestry.choose(&mut random).unwrap() } else { hashes[0] }
            });
            let answer = node.choose_with(hash, B256::ZERO, finalized.unwrap_or_default(), None);
            let expected = model.choose(hash, finalized);
            assert_eq!(answer.map(|answer| answer.payload_status.status), expected, "{place}: head {hash}");
        }
        check(&node, &model, &place);
    }
}

/// The node's canonical chain is the model's.
#[track_caller]
fn check(node: &TestNode, model: &Model, place: &str) {
    let view = node.node().view();
    assert_eq!(view.head().hash(), model.head, "{place}");
    for hash in model.ancestry(model.head) {
        assert_eq!(view.canonical_hash(model.number(&hash)).unwrap(), Some(hash), "{place}");
    }
    assert_eq!(view.canonical_hash(model.number(&model.head) + 1).unwrap(), None, "{place}");
    assert_eq!(view.finalized().map(|block| block.hash), model.finalized, "{place}");
}

#[test]
fn the_node_follows_any_order_of_payloads_and_choices() {
    // A seed that fails stands in the message; to try others: BALSA_SEED.
    let first = std::env::var("BALSA_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    (first..first + 4).for_each(run);
}

#[test]
fn a_side_chain_can_become_the_chain_and_back() {
    let node = TestNode::start();
    let genesis = node.node().view().head().hash();
    let mut branches = Vec::new();
    for variant in [1, 2] {
        let mut branch = vec![genesis];
        for _ in 0..4 {
            let child = node.child(*branch.last().unwrap(), variant);
            assert_eq!(node.import(&child).status.status, PayloadStatusKind::Valid);
            branch.push(child.block.hash);
        }
        branches.push(branch);
    }
    for branch in [&branches[0], &branches[1], &branches[0]] {
        for head in [branch[4], branch[2], branch[4]] {
            assert_eq!(node.choose(head).unwrap().payload_status.status, PayloadStatusKind::Valid);
            assert_eq!(node.node().view().head().hash(), head);
        }
        let numbers: Vec<_> = (0..=4).map(|n| node.node().view().canonical_hash(n).unwrap()).collect();
        assert_eq!(numbers, branch.iter().copied().map(Some).collect::<Vec<_>>());
    }
    assert_eq!(U64::from(node.node().view().head().number()), U64::from(4));
}
