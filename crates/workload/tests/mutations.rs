//! Every single mutation of a valid list is refused on both paths, with the same rule.
//!
//! The attacker makes the list and the block: the header of each block commits to the mutated list, so that no hash gives
//! it away and only execution, or the list's own form, can.

mod common;

use std::collections::BTreeMap;

use balsa_bal::mutate::{Mutation, MutationKind, mutations};
use balsa_bal::{FlatList, Limits};
use balsa_executor::{ExecuteError, ExecutionMode, InvalidBlock, SealedBlock};
use balsa_workload::params::Range;
use common::{Importer, blocks_of, small};

/// How many places each kind of mutation is tried at in one block, spread evenly over the list.
const PLACES: usize = 5;

#[test]
fn every_mutation_is_refused_on_both_paths_with_the_same_rule() {
    let mut params = small(700, "Amsterdam", 2);
    params.block.transactions = Range { min: 30, max: 30 };
    params.block.empty_permille = 0;
    let (blocks, _) = blocks_of(&params);
    let mut importer = Importer::new(&params, 2);
    let mut tried: BTreeMap<MutationKind, usize> = BTreeMap::new();
    for built in blocks {
        for mutation in sampled(&built.block, built.list.clone().unwrap()) {
            check(&importer, &built.block, &mutation);
            *tried.entry(mutation.kind).or_default() += 1;
        }
        // The generator's own trie reads from the generator's prestate: the next parent is what the importer makes of it.
        let executed = importer.execute(ExecutionMode::Sequential, &built.block, None).unwrap();
        importer.chain.advance(&built.block, &executed.diff, executed.trie);
    }
    // Drop, add, alter, reorder, move between fields, re-index, re-encode: and each of several things.
    let tried_of = |wanted: fn(&MutationKind) -> bool| tried.keys().filter(|kind| wanted(kind)).count();
    assert!(tried_of(|kind| matches!(kind, MutationKind::Drop(_))) >= 5, "{tried:?}");
    assert!(tried_of(|kind| matches!(kind, MutationKind::Add(_))) >= 5, "{tried:?}");
    assert!(tried_of(|kind| matches!(kind, MutationKind::Alter(_))) >= 4, "{tried:?}");
    assert!(tried_of(|kind| matches!(kind, MutationKind::Reorder(_))) >= 3, "{tried:?}");
    assert!(tried_of(|kind| matches!(kind, MutationKind::Move(_))) >= 2, "{tried:?}");
    assert!(tried_of(|kind| matches!(kind, MutationKind::Reindex(_))) >= 3, "{tried:?}");
    assert!(tried_of(|kind| matches!(kind, MutationKind::Reencode(_))) >= 3, "{tried:?}");
    assert!(tried.contains_key(&MutationKind::WriteToRead), "{tried:?}");
    assert!(tried.contains_key(&MutationKind::ReadToWrite), "{tried:?}");
}

/// Holds one mutated list against both executors.
#[track_caller]
fn check(importer: &Importer, block: &SealedBlock, mutation: &Mutation) {
    let mut header = block.header.clone();
    header.block_access_list_hash = Some(balsa_keccak::keccak256(&mutation.bytes));
    let forged = SealedBlock::from_parts(header, block.transactions.clone(), Vec::new(), block.withdrawals.clone());
    let refusal = |mode| match importer.execute(mode, &forged, Some(mutation.bytes.clone())) {
        Err(ExecuteError::Invalid(refusal)) => refusal.rule,
        Err(ExecuteError::Internal(error)) => panic!("{mutation}: a fault in a list reported as ours: {error}"),
        Ok(_) => panic!("{mutation}: accepted"),
    };
    let sequential = refusal(ExecutionMode::Sequential);
    let parallel = refusal(ExecutionMode::Parallel);
    assert_eq!(sequential, parallel, "{mutation}");
    let of_list =
        matches!(sequential, InvalidBlock::List(_) | InvalidBlock::ListMismatch(_) | InvalidBlock::ListItems { .. });
    assert!(of_list, "{mutation}: refused for something else: {sequential}");
    if mutation.kind.is_structural() {
        assert!(matches!(sequential, InvalidBlock::List(_)), "{mutation}: {sequential}");
    }
}

/// Of each kind of mutation, the first, the last, and some between.
fn sampled(block: &SealedBlock, list: alloy_primitives::Bytes) -> Vec<Mutation> {
    let index_max = block.transactions.len() as u32 + 1;
    let limits = Limits { index_max, gas_limit: block.header.gas_limit, code_size_max: usize::MAX };
    let accounts = FlatList::decode(list, &limits).unwrap().to_accounts();
    let mut of_kind: BTreeMap<MutationKind, usize> = BTreeMap::new();
    mutations(&accounts, index_max).for_each(|mutation| *of_kind.entry(mutation.kind).or_default() += 1);
    let mut seen: BTreeMap<MutationKind, usize> = BTreeMap::new();
    mutations(&accounts, index_max)
        .filter(|mutation| {
            let seen = seen.entry(mutation.kind).or_default();
            *seen += 1;
            let step = of_kind[&mutation.kind].div_ceil(PLACES);
            *seen % step == 1 % step || *seen == of_kind[&mutation.kind]
        })
        .collect()
}
