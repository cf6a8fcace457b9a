//! Blocks that mean nothing but are the same each time: block `n` of seed `s` changes accounts, slots, code and branches
//! that depend on `n` and `s` alone. And a model of what a store must hold after them.

#![allow(dead_code, reason = "each test file uses another part")]

use std::{collections::BTreeMap, path::Path as FilePath, sync::Arc};

use alloy_consensus::Header;
use alloy_primitives::{B256, Bytes, U256, keccak256};
use balsa_state::{Account, FlatStore, Layer, StateDiff, StorageDiff};
use balsa_storage::{
    BlockPointer, BlockRecord, CanonicalBlock, Durability, FlushBatch, Head, OpenError, Pointers, Settings, Snapshot,
    StateChange, Store,
};
use balsa_trie::{Branch, EncodedNodes, EncodedStorage, NodeChanges, NodeSource, Path};

pub(crate) const CHAIN_ID: u64 = 1337;

/// A generator of numbers, the same for the same seed (splitmix64).
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub(crate) fn hash(&mut self) -> B256 {
        keccak256(self.next().to_be_bytes())
    }
}

/// Block `number` of a chain: everything one flush of it carries.
pub(crate) struct FakeBlock {
    pub(crate) record: Arc<BlockRecord>,
    pub(crate) canonical: CanonicalBlock,
    pub(crate) change: StateChange,
    pub(crate) head: Head,
}

impl FakeBlock {
    pub(crate) fn new(seed: u64, number: u64) -> Self {
        let mut numbers = Numbers(seed << 32 | number);
        let state_root = numbers.hash();
        let header = Header { number, state_root, gas_limit: seed, ..Header::default() };
        let hash = header.hash_slow();
        let bytes = |numbers: &mut Numbers, length: u64| {
            Bytes::from((0..length).map(|_| numbers.next() as u8).collect::<Vec<_>>())
        };
        // Around the size from which values are kept apart.
        let (body, receipts) = (900 + numbers.below(300), numbers.below(3000));
        let record = BlockRecord {
            hash,
            header,
            body: bytes(&mut numbers, body),
            receipts: bytes(&mut numbers, receipts),
            list: number.is_multiple_of(2).then(|| bytes(&mut numbers, 2000)),
        };
        let block = BlockPointer { number, hash };
        let transactions = (0..numbers.below(4)).map(|_| numbers.hash()).collect();
        let change =
            StateChange { layer: Arc::new(Layer::new(diff(&mut numbers))), nodes: Arc::new(nodes(&mut numbers)) };
        Self {
            record: Arc::new(record),
            canonical: CanonicalBlock { block, transactions },
            change,
            head: Head { number, hash, state_root, total_difficulty: U256::from(number * 2) },
        }
    }

    pub(crate) fn pointer(&self) -> BlockPointer {
        self.canonical.block
    }
}

/// A flush of `blocks`, which are consecutive.
pub(crate) fn batch(blocks: &[FakeBlock]) -> FlushBatch {
    let last = blocks.last().expect("at least one block");
    FlushBatch {
        blocks: blocks.iter().map(|block| block.record.clone()).collect(),
        canonical: blocks.iter().map(|block| block.canonical.clone()).collect(),
        changes: blocks.iter().map(|block| block.change.clone()).collect(),
        head: Some(last.head),
        pointers: Pointers { tip: Some(last.pointer()), safe: None, finalized: None },
    }
}

pub(crate) fn open(dir: &FilePath, settings: Settings) -> Result<Store, OpenError> {
    Store::open(dir, FakeBlock::new(SEED, 0).record.hash, CHAIN_ID, settings)
}

/// The seed of the chain that [`open`] opens.
pub(crate) const SEED: u64 = 1;

/// Small, so that write buffers are written out during a test.
pub(crate) fn settings() -> Settings {
    Settings {
        memory_bytes: Settings::MEMORY_BYTES_MIN,
        worker_threads: 1,
        durability: Durability::Process,
        ..Settings::default()
    }
}

const ADDRESSES: u64 = 6;
const SLOTS: u64 = 12;

fn address_hash(numbers: &mut Numbers) -> B256 {
    keccak256(numbers.below(ADDRESSES).to_be_bytes())
}

/// A map of distinct keys made by `key`, at most `count`.
fn distinct<T>(
    numbers: &mut Numbers,
    count: u64,
    mut item: impl FnMut(&mut Numbers) -> (B256, T),
) -> BTreeMap<B256, T> {
    (0..numbers.below(count + 1)).map(|_| item(numbers)).collect()
}

fn diff(numbers: &mut Numbers) -> StateDiff {
    let account = |numbers: &mut Numbers| {
        let account = (numbers.below(4) > 0).then(|| Account {
            nonce: numbers.below(300),
            balance: U256::from(numbers.next()),
            storage_root: numbers.hash(),
            code_hash: numbers.hash(),
        });
        (address_hash(numbers), account)
    };
    let storage = |numbers: &mut Numbers| {
        let address_hash = address_hash(numbers);
        let slot = |numbers: &mut Numbers| {
            let value = U256::from(numbers.below(3) * numbers.below(1000));
            (keccak256(numbers.below(SLOTS).to_be_bytes()), value)
        };
        let slots = distinct(numbers, 8, slot).into_iter().collect();
        (address_hash, StorageDiff { address_hash, cleared: numbers.below(4) == 0, slots })
    };
    let code = |numbers: &mut Numbers| {
        // Few different ones: code that is there already is not written again.
        let code = Bytes::from(vec![0x5b; 1 + 700 * numbers.below(4) as usize]);
        (keccak256(&code), code)
    };
    StateDiff {
        accounts: distinct(numbers, 5, account).into_iter().collect(),
        storage: distinct(numbers, 4, storage).into_values().collect(),
        codes: distinct(numbers, 2, code).into_iter().collect(),
    }
}

fn path(numbers: &mut Numbers) -> Path {
    let key = keccak256(numbers.below(4).to_be_bytes());
    Path::of_key(&key, numbers.below(4) as usize)
}

fn branches(numbers: &mut Numbers) -> Vec<(Path, Option<Branch>)> {
    let branches: BTreeMap<Path, Option<Branch>> =
        (0..numbers.below(6)).map(|_| (path(numbers), (numbers.below(3) > 0).then(|| branch(numbers)))).collect();
    branches.into_iter().collect()
}

/// A record of two children, one with a record of its own.
fn branch(numbers: &mut Numbers) -> Branch {
    let mut bytes = vec![0, 0, 0b11, 0, 0b01, 0, 0];
    bytes.extend_from_slice(numbers.hash().as_slice());
    bytes.push(1 + numbers.below(16) as u8);
    bytes.extend_from_slice(numbers.hash().as_slice());
    Branch::from_bytes(bytes.into()).expect("a well-formed record")
}

fn nodes(numbers: &mut Numbers) -> NodeChanges {
    let storage = |numbers: &mut Numbers| {
        let address_hash = address_hash(numbers);
        (address_hash, EncodedStorage { address_hash, cleared: numbers.below(4) == 0, branches: branches(numbers) })
    };
    EncodedNodes { accounts: branches(numbers), storages: distinct(numbers, 4, storage).into_values().collect() }.into()
}

/// What a store must hold.
#[derive(Clone, Default, Debug)]
pub(crate) struct Model {
    pub(crate) accounts: BTreeMap<B256, Account>,
    pub(crate) slots: BTreeMap<(B256, B256), U256>,
    pub(crate) codes: BTreeMap<B256, Bytes>,
    pub(crate) account_branches: BTreeMap<Path, Branch>,
    pub(crate) storage_branches: BTreeMap<(B256, Path), Branch>,
    pub(crate) blocks: Vec<(Head, Arc<BlockRecord>, Vec<B256>)>,
}

impl Model {
    /// The chain of [`SEED`] up to and with `number`.
    pub(crate) fn at(number: u64) -> Self {
        let mut model = Self::default();
        (0..=number).for_each(|number| model.apply(&FakeBlock::new(SEED, number)));
        model
    }

    pub(crate) fn apply(&mut self, block: &FakeBlock) {
        let diff = block.change.layer.diff();
        for (hash, account) in &diff.accounts {
            set(&mut self.accounts, *hash, *account);
        }
        for storage in &diff.storage {
            self.slots.retain(|(address_hash, _), _| !storage.cleared || *address_hash != storage.address_hash);
            for (slot_hash, value) in &storage.slots {
                set(&mut self.slots, (storage.address_hash, *slot_hash), Some(*value).filter(|value| !value.is_zero()));
            }
        }
        self.codes.extend(diff.codes.iter().cloned());
        let nodes = block.change.nodes.encoded();
        for (path, branch) in &nodes.accounts {
            set(&mut self.account_branches, *path, branch.clone());
        }
        for storage in &nodes.storages {
            let address_hash = storage.address_hash;
            self.storage_branches.retain(|(owner, _), _| !storage.cleared || *owner != address_hash);
            for (path, branch) in &storage.branches {
                set(&mut self.storage_branches, (address_hash, *path), branch.clone());
            }
        }
        self.blocks.push((block.head, block.record.clone(), block.canonical.transactions.clone()));
    }

    /// Compares every row: each one of the model is in the snapshot, and the snapshot has no other.
    pub(crate) fn check(&self, snapshot: &Snapshot) {
        assert_eq!(snapshot.head(), self.blocks.last().map(|(head, ..)| *head));
        self.check_state(snapshot);
        self.check_branches(snapshot);
        self.check_blocks(snapshot);
    }

    fn check_state(&self, snapshot: &Snapshot) {
        let accounts: Vec<_> = self.accounts.iter().map(|(hash, account)| (*hash, *account)).collect();
        assert_eq!(snapshot.accounts_under(&Path::ROOT, usize::MAX).unwrap(), accounts);
        for address in 0..ADDRESSES {
            let address_hash = keccak256(address.to_be_bytes());
            assert_eq!(snapshot.account(&address_hash).unwrap(), self.accounts.get(&address_hash).copied());
            let slots = self.slots.range((address_hash, B256::ZERO)..=(address_hash, B256::repeat_byte(255)));
            let slots: Vec<_> = slots.map(|((_, slot), value)| (*slot, *value)).collect();
            assert_eq!(snapshot.slots_under(&address_hash, &Path::ROOT, usize::MAX).unwrap(), slots);
            for slot in 0..SLOTS {
                let slot_hash = keccak256(slot.to_be_bytes());
                let value = self.slots.get(&(address_hash, slot_hash)).copied().unwrap_or_default();
                assert_eq!(snapshot.slot(&address_hash, &slot_hash).unwrap(), value);
            }
        }
        for (hash, code) in &self.codes {
            assert_eq!(snapshot.code(hash).unwrap().as_ref(), Some(code));
        }
        assert_eq!(snapshot.code(&B256::ZERO).unwrap(), None);
    }

    fn check_branches(&self, snapshot: &Snapshot) {
        for key in 0..4u64 {
            for length in 0..4 {
                let path = Path::of_key(&keccak256(key.to_be_bytes()), length);
                assert_eq!(
                    snapshot.account_branch(&path).unwrap().as_ref(),
                    self.account_branches.get(&path),
                    "{path}"
                );
                for address in 0..ADDRESSES {
                    let owner = keccak256(address.to_be_bytes());
                    let found = snapshot.storage_branch(&owner, &path).unwrap();
                    assert_eq!(found.as_ref(), self.storage_branches.get(&(owner, path)), "{owner} {path}");
                }
            }
        }
    }

    fn check_blocks(&self, snapshot: &Snapshot) {
        for (number, (head, record, transactions)) in self.blocks.iter().enumerate() {
            let block = head.pointer();
            assert_eq!(snapshot.canonical_hash(number as u64).unwrap(), Some(block.hash));
            assert_eq!(snapshot.number(&block.hash).unwrap(), Some(number as u64));
            assert_eq!(snapshot.header(&block).unwrap().as_ref(), Some(&record.header));
            assert_eq!(snapshot.body(&block).unwrap().as_ref(), Some(&record.body));
            assert_eq!(snapshot.receipts(&block).unwrap().as_ref(), Some(&record.receipts));
            assert_eq!(snapshot.list(&block).unwrap(), record.list);
            for (index, hash) in transactions.iter().enumerate() {
                let position = snapshot.transaction(hash).unwrap().expect("an indexed transaction");
                assert_eq!((position.block_number, position.index as usize), (number as u64, index));
            }
        }
        assert_eq!(snapshot.canonical_hash(self.blocks.len() as u64).unwrap(), None);
    }
}

fn set<K: Ord, V>(map: &mut BTreeMap<K, V>, key: K, value: Option<V>) {
    match value {
        Some(value) => map.insert(key, value),
        None => map.remove(&key),
    };
}
