//! One flush: everything a batch says, as one atomic step. FORMAT.md, "The atomic point".
//!
//! The first flush, which brings a genesis of any size, is written in parts with the head row in the last one: without
//! that row the rest counts for nothing, and is written over by the next attempt.
//!
//! No key is written twice in one engine batch: the engine gives all writes of a batch one sequence number, so which
//! of two would win is not for us to rely on. That is why changes are merged before anything is written, and why what
//! is about to be written is left out of what is deleted.

use std::{borrow::Cow, collections::BTreeMap};

use alloy_primitives::B256;
use balsa_state::{StateDiff, StorageDiff};
use balsa_trie::{BranchChange, Path, StorageChange};

use crate::{
    BlockRecord, CanonicalBlock, CrashPoint, FlushBatch, FlushError, Head, Pointers, Settings, Snapshot, StateChange,
    StoreError, Table,
    engine::{Batch, Engine, View},
    prune,
    schema::{self, HeadRow, PointerRow, TransactionRow, meta},
};

/// Writes `batch` and returns when it is as safe as the settings ask.
pub(crate) fn flush(engine: &Engine, batch: &FlushBatch, settings: &Settings) -> Result<(), FlushError> {
    if batch.is_empty() {
        return Ok(());
    }
    let before = Snapshot::new(engine.view())?;
    check_continues(before.head(), batch)?;

    let mut writes = if before.head().is_some() { engine.batch() } else { engine.batch_in_parts() };
    let side_blocks = side_blocks(batch);
    for block in batch.blocks.iter().filter(|block| !side_blocks(block)) {
        put_block(&mut writes, block);
    }
    if let Some(head) = batch.head {
        put_canonical(&mut writes, &batch.canonical, settings.transaction_index);
        put_state(&mut writes, &before.view, &batch.changes, settings)?;
        prune::delete_lists(&mut writes, &before, head.number)?;
        prune::delete_side_blocks(&mut writes, &before, &batch.canonical)?;
        put_head(&mut writes, &head);
    }
    put_pointers(&mut writes, &batch.pointers);

    settings.pass(CrashPoint::BatchBuilt);
    tracing::debug!(writes = writes.len(), head = batch.head.map(|head| head.number), "flush");
    writes.commit().map_err(FlushError::Commit)?;
    settings.pass(CrashPoint::BatchCommitted);
    Ok(())
}

/// Writes a part of the first state, ahead of the first flush.
pub(crate) fn preload(engine: &Engine, part: &StateChange, settings: &Settings) -> Result<(), FlushError> {
    let before = Snapshot::new(engine.view())?;
    if let Some(head) = before.head() {
        return Err(FlushError::NotLater { number: 0, head: head.number });
    }
    let mut writes = engine.batch_in_parts();
    put_state(&mut writes, &before.view, std::slice::from_ref(part), settings)?;
    writes.commit().map_err(FlushError::Commit)
}

/// The canonical blocks of a batch join the stored head to the new one, without a gap.
fn check_continues(stored: Option<Head>, batch: &FlushBatch) -> Result<(), FlushError> {
    let Some(new) = batch.head else {
        assert!(batch.canonical.is_empty() && batch.changes.is_empty(), "state without a head to name it");
        return Ok(());
    };
    let stored_number = stored.map_or(0, |head| head.number);
    if stored.is_some() && new.number <= stored_number {
        return Err(FlushError::NotLater { number: new.number, head: stored_number });
    }
    let next = stored.map_or(0, |head| head.number + 1);
    let joined = batch.canonical.iter().zip(next..).all(|(canonical, number)| canonical.block.number == number);
    match (batch.canonical.first(), batch.canonical.last()) {
        (Some(first), Some(last)) if joined && last.block == new.pointer() && first.block.number == next => Ok(()),
        (first, last) => Err(FlushError::Gap {
            number: new.number,
            first: first.map_or(0, |canonical| canonical.block.number),
            last: last.map_or(0, |canonical| canonical.block.number),
            head: stored_number,
        }),
    }
}

/// Whether a block of the batch lies at or below the new head without being canonical: such a block is not kept.
fn side_blocks(batch: &FlushBatch) -> impl Fn(&BlockRecord) -> bool {
    let first = batch.canonical.first().map_or(0, |canonical| canonical.block.number);
    move |block| {
        let Some(head) = batch.head else { return false };
        let number = block.header.number;
        let position = number.checked_sub(first).map_or(usize::MAX, |position| position as usize);
        number <= head.number
            && batch.canonical.get(position).is_none_or(|canonical| canonical.block.hash != block.hash)
    }
}

fn put_block(writes: &mut Batch<'_>, block: &BlockRecord) {
    let number = block.header.number;
    let key = schema::block_key(number, &block.hash);
    writes.put(Table::Headers, &key, &alloy_rlp::encode(&block.header));
    writes.put(Table::Bodies, &key, &block.body);
    writes.put(Table::Receipts, &key, &block.receipts);
    if let Some(list) = &block.list {
        writes.put(Table::Lists, &key, list);
    }
    writes.put(Table::Numbers, block.hash.as_slice(), &schema::number_key(number));
}

fn put_canonical(writes: &mut Batch<'_>, canonical: &[CanonicalBlock], transaction_index: bool) {
    for CanonicalBlock { block, transactions } in canonical {
        writes.put(Table::Canonical, &schema::number_key(block.number), block.hash.as_slice());
        for (hash, index) in transactions.iter().zip(0..).filter(|_| transaction_index) {
            let row = TransactionRow { number: block.number, index };
            writes.put(Table::Transactions, hash.as_slice(), &row.encode());
        }
    }
}

fn put_head(writes: &mut Batch<'_>, head: &Head) {
    let &Head { number, hash, state_root, total_difficulty } = head;
    let row = HeadRow { number, hash, state_root, total_difficulty };
    writes.put(Table::Meta, meta::HEAD, &row.encode());
}

fn put_pointers(writes: &mut Batch<'_>, pointers: &Pointers) {
    let &Pointers { tip, safe, finalized } = pointers;
    for (name, pointer) in [(meta::TIP, tip), (meta::SAFE, safe), (meta::FINALIZED, finalized)] {
        if let Some(block) = pointer {
            let row = PointerRow { number: block.number, hash: block.hash };
            writes.put(Table::Meta, name, &row.encode());
        }
    }
}

fn put_state(
    writes: &mut Batch<'_>,
    before: &View,
    changes: &[StateChange],
    settings: &Settings,
) -> Result<(), FlushError> {
    let spill = |writes: &mut Batch<'_>| {
        if writes.spill().map_err(FlushError::Commit)? {
            settings.pass(CrashPoint::PartCommitted);
        }
        Ok::<_, FlushError>(())
    };
    let diff = merged_diff(changes);
    for (address_hash, account) in &diff.accounts {
        spill(writes)?;
        match account {
            Some(account) => writes.put(Table::Accounts, address_hash.as_slice(), &schema::encode_account(account)),
            None => writes.delete(Table::Accounts, address_hash.as_slice()),
        }
    }
    for storage in &diff.storage {
        put_slots(writes, before, storage, spill)?;
    }
    for (hash, code) in &diff.codes {
        // Many contracts share code; writing it again would only make garbage of the first copy.
        if !before.contains(Table::Codes, hash.as_slice())? {
            writes.put(Table::Codes, hash.as_slice(), code);
        }
        spill(writes)?;
    }
    put_nodes(writes, before, &MergedNodes::new(changes), spill)
}

fn put_slots(
    writes: &mut Batch<'_>,
    before: &View,
    storage: &StorageDiff,
    spill: impl Fn(&mut Batch<'_>) -> Result<(), FlushError>,
) -> Result<(), FlushError> {
    let address_hash = &storage.address_hash;
    if storage.cleared {
        delete_rows(writes, before, Table::Slots, address_hash, |key| {
            key.get(32..).is_some_and(|slot| storage.slots.binary_search_by(|(hash, _)| hash[..].cmp(slot)).is_ok())
        })?;
    }
    for (slot_hash, value) in &storage.slots {
        spill(writes)?;
        let key = schema::slot_key(address_hash, slot_hash);
        if value.is_zero() {
            writes.delete(Table::Slots, &key);
        } else {
            let value = value.to_be_bytes_trimmed_vec();
            writes.put(Table::Slots, &key, &value);
        }
    }
    Ok(())
}

fn put_nodes(
    writes: &mut Batch<'_>,
    before: &View,
    nodes: &MergedNodes<'_>,
    spill: impl Fn(&mut Batch<'_>) -> Result<(), FlushError>,
) -> Result<(), FlushError> {
    for (path, branch) in &nodes.accounts {
        spill(writes)?;
        put_branch(writes, Table::AccountBranches, &path.to_bytes(), *branch);
    }
    for (address_hash, storage) in &nodes.storages {
        if storage.cleared {
            delete_rows(writes, before, Table::StorageBranches, address_hash, |key| {
                key.get(32..).and_then(Path::from_bytes).is_some_and(|path| storage.branches.contains_key(&path))
            })?;
        }
        for (path, branch) in &storage.branches {
            spill(writes)?;
            put_branch(writes, Table::StorageBranches, &schema::storage_path_key(address_hash, path), *branch);
        }
    }
    Ok(())
}

fn put_branch(writes: &mut Batch<'_>, table: Table, key: &[u8], branch: BranchChange<'_>) {
    match branch.record() {
        Some(branch) => writes.put(table, key, branch.as_bytes()),
        None => writes.delete(table, key),
    }
}

/// Deletes what the store holds of an account in `slots` or `storage_branches`, but for keys that are written anyway.
fn delete_rows(
    writes: &mut Batch<'_>,
    before: &View,
    table: Table,
    address_hash: &B256,
    written: impl Fn(&[u8]) -> bool,
) -> Result<(), StoreError> {
    let (first, last) = schema::account_bounds(address_hash);
    for key in before.keys(table, &first[..]..=&last[..]) {
        let key = key?;
        if !written(&key) {
            writes.delete(table, &key);
        }
    }
    Ok(())
}

/// The changes of several blocks as one: a slot that all of them wrote is written once.
fn merged_diff(changes: &[StateChange]) -> Cow<'_, StateDiff> {
    match changes {
        [one] => Cow::Borrowed(one.layer.diff()),
        several => {
            let mut merged = StateDiff::default();
            for change in several {
                merged.merge(change.layer.diff());
            }
            Cow::Owned(merged)
        }
    }
}

/// The branches of several blocks as one.
#[derive(Default)]
struct MergedNodes<'a> {
    accounts: BTreeMap<Path, BranchChange<'a>>,
    storages: BTreeMap<B256, MergedStorage<'a>>,
}

#[derive(Default)]
struct MergedStorage<'a> {
    /// The trie was emptied by one of the blocks: what is stored of it is gone.
    cleared: bool,
    branches: BTreeMap<Path, BranchChange<'a>>,
}

impl<'a> MergedNodes<'a> {
    fn new(changes: &'a [StateChange]) -> Self {
        let mut merged = Self::default();
        for StateChange { nodes, .. } in changes {
            merged.accounts.extend(nodes.account_branches());
            for change in nodes.storages() {
                let StorageChange { address_hash, cleared, .. } = change;
                let storage = merged.storages.entry(address_hash).or_default();
                if cleared {
                    *storage = MergedStorage { cleared: true, branches: BTreeMap::new() };
                }
                storage.branches.extend(change.branches());
            }
        }
        merged
    }
}
