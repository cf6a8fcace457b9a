//! The states that choices are measured on, and blocks of changes of them: made up, or those of a genesis file.

use std::{path::Path, sync::Arc};

use alloy_primitives::{B256, Bytes, U256, hex, keccak256};
use balsa_bal::{AccountChanges, FlatList, Limits, SlotChanges};
use balsa_trie::{AccountUpdate, GenesisAccount, NoNodes, PageMemory, RootAfter, StateTrie, Updates, root_after};

/// A whole state, and where the changes of it come from.
pub(crate) struct State {
    /// What makes it from nothing.
    pub(crate) all: Updates,
    changes: Changes,
}

enum Changes {
    /// Of so many accounts that are made up: changes of accounts, with all their slots.
    MadeUp(u64),
    /// Of leaves, each as likely as any other. The number of the first leaf of each account, and of all.
    Drawn(Vec<u64>, u64),
}

impl State {
    pub(crate) fn made_up(accounts: u64) -> Self {
        Self { all: updates((0..accounts).map(|n| account(n, 0)).collect()), changes: Changes::MadeUp(accounts) }
    }

    pub(crate) fn of_genesis(path: &Path) -> Self {
        let text = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let all = Updates::of_genesis(alloc(&serde_json::from_slice(&text).expect("JSON")));
        let mut leaves = 0;
        let count = |account: &AccountUpdate| {
            leaves += 1 + account.slots.len() as u64;
            leaves - 1 - account.slots.len() as u64
        };
        let first = all.accounts.iter().map(count).collect();
        Self { all, changes: Changes::Drawn(first, leaves) }
    }

    pub(crate) fn built(&self, memory: Arc<dyn PageMemory>) -> RootAfter {
        let empty = StateTrie::persisted_in(StateTrie::empty().root(), memory);
        root_after(&empty, &NoNodes, &self.all).expect("memory enough")
    }

    /// Random changes, the same for the same round.
    pub(crate) fn block(&self, changes: u64, round: u64) -> Updates {
        let pick = |i: u64| {
            u64::from_be_bytes(keccak256((round << 32 | i).to_be_bytes())[..8].try_into().expect("eight bytes"))
        };
        match &self.changes {
            Changes::MadeUp(accounts) => {
                updates((0..changes).map(|i| account(pick(i) % accounts, round + 1)).collect())
            }
            Changes::Drawn(first, leaves) => self.drawn((0..changes).map(|i| pick(i) % leaves).collect(), first, round),
        }
    }

    /// New values of leaves: a nonce of an account, or what stands in a slot.
    fn drawn(&self, mut leaves: Vec<u64>, first: &[u64], round: u64) -> Updates {
        leaves.sort_unstable();
        leaves.dedup();
        let mut accounts: Vec<AccountUpdate> = Vec::new();
        for leaf in leaves {
            let at = first.partition_point(|first| *first <= leaf) - 1;
            let old = &self.all.accounts[at];
            if accounts.last().is_none_or(|last| last.address_hash != old.address_hash) {
                accounts.push(AccountUpdate { address_hash: old.address_hash, ..AccountUpdate::default() });
            }
            let new = accounts.last_mut().expect("one was put there");
            match leaf - first[at] {
                0 => new.nonce = Some(old.nonce.unwrap_or_default() + round + 1),
                slot => new.slots.push((old.slots[slot as usize - 1].0, U256::from((leaf << 32) | (round + 1)))),
            }
        }
        Updates { accounts, keep_empty: false }
    }
}

/// What the blocks of a file of block access lists change.
pub(crate) fn blocks_of_lists(path: &Path) -> Vec<Updates> {
    let bytes = Bytes::from(std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())));
    // Ours, so whatever a full block may have.
    let limits = Limits { index_max: 1 << 16, gas_limit: u64::MAX, code_size_max: usize::MAX };
    let (mut start, mut blocks) = (0, Vec::new());
    while start < bytes.len() {
        let mut rest = &bytes[start..];
        let header = alloy_rlp::Header::decode(&mut rest).expect("RLP");
        let end = bytes.len() - rest.len() + header.payload_length;
        let list = FlatList::decode(bytes.slice(start..end), &limits).expect("a block access list");
        blocks.push(updates(list.to_accounts().iter().map(changed).collect()));
        start = end;
    }
    blocks
}

fn changed(account: &AccountChanges) -> AccountUpdate {
    let slot = |slot: &SlotChanges| Some((keccak256(B256::from(slot.slot)), slot.changes.last()?.post));
    let mut slots: Vec<_> = account.storage_changes.iter().filter_map(slot).collect();
    slots.sort_unstable();
    AccountUpdate {
        address_hash: keccak256(account.address),
        nonce: account.nonce_changes.last().map(|change| change.post),
        balance: account.balance_changes.last().map(|change| change.post),
        code_hash: account.code_changes.last().map(|change| keccak256(&change.post)),
        slots,
        ..AccountUpdate::default()
    }
}

/// Every eighth account has sixteen slots.
fn account(n: u64, nonce: u64) -> AccountUpdate {
    let slot = |slot: u64| (keccak256((n ^ slot << 32).to_be_bytes()), U256::from(nonce + slot + 1));
    let mut slots: Vec<_> = if n.is_multiple_of(8) { (1..17).map(slot).collect() } else { Vec::new() };
    slots.sort();
    AccountUpdate {
        address_hash: keccak256(n.to_be_bytes()),
        nonce: Some(nonce + 1),
        balance: Some(U256::from(n)),
        slots,
        ..AccountUpdate::default()
    }
}

fn updates(mut accounts: Vec<AccountUpdate>) -> Updates {
    accounts.sort_by_key(|account| account.address_hash);
    accounts.dedup_by_key(|account| account.address_hash);
    Updates { accounts, keep_empty: false }
}

fn alloc(genesis: &serde_json::Value) -> Vec<GenesisAccount> {
    let number = |value: &serde_json::Value| -> U256 {
        let text = value.as_str().unwrap_or("0x0");
        text.parse().unwrap_or_else(|_| panic!("{text} is no number"))
    };
    let accounts = genesis["alloc"].as_object().expect("accounts");
    let account = |(address, account): (&String, &serde_json::Value)| GenesisAccount {
        address: address.parse().expect("an address"),
        nonce: number(&account["nonce"]).to(),
        balance: number(&account["balance"]),
        code_hash: account["code"].as_str().map(|code| keccak256(hex::decode(code).expect("code"))),
        slots: account["storage"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(k, v)| (k.parse().expect("a slot"), number(v)))
            .collect(),
    };
    accounts.iter().map(account).collect()
}
