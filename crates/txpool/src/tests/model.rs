//! The pool against a model that keeps one flat list and computes everything anew each time.

use std::collections::BTreeMap;

use alloy_consensus::Transaction as _;
use alloy_primitives::{Address, B256, U256};
use balsa_chainspec::Fork;
use balsa_evm::Transaction;

use super::fixtures::{GWEI, Numbers, Signer, account, encoded, head};
use crate::{BlockChange, Limits, Pool};

const LIMITS: Limits = Limits { transactions_max: 40, sender_transactions_max: 8, sender_queued_max: 3, ..DEFAULT };
const DEFAULT: Limits = Limits {
    transactions_max: 0,
    bytes_max: 256 << 20,
    blob_transactions_max: 16,
    blob_bytes_max: 16 << 20,
    sender_transactions_max: 0,
    sender_queued_max: 0,
    sender_blob_transactions_max: 16,
    delegated_transactions_max: 1,
    transaction_bytes_max: 128 << 10,
    priority_fee_min: 1,
    replacement_percent: 10,
    blob_replacement_percent: 100,
    included_sidecar_bytes_max: 1 << 20,
    journal_bytes_max: 1 << 20,
};

#[derive(Clone)]
struct Entry {
    sender: Address,
    transaction: Transaction,
    arrival: u64,
}

impl Entry {
    fn cost(&self) -> U256 {
        U256::from(self.transaction.gas_limit()) * U256::from(self.transaction.max_fee_per_gas())
            + self.transaction.value()
    }

    fn fees(&self) -> (u128, u128) {
        (self.transaction.max_fee_per_gas(), self.transaction.max_priority_fee_per_gas().unwrap())
    }
}

#[derive(Clone, Copy)]
struct ModelAccount {
    nonce: u64,
    balance: u128,
}

struct Model {
    accounts: BTreeMap<Address, ModelAccount>,
    base_fee: u128,
    entries: Vec<Entry>,
    arrivals: u64,
}

impl Model {
    fn of(&self, sender: &Address) -> Vec<&Entry> {
        let mut entries: Vec<_> = self.entries.iter().filter(|entry| entry.sender == *sender).collect();
        entries.sort_by_key(|entry| entry.transaction.nonce());
        entries
    }

    fn tip(&self, entry: &Entry) -> i128 {
        let (max_fee, priority_fee) = entry.fees();
        (priority_fee as i128).min(max_fee as i128 - self.base_fee as i128)
    }

    fn pending(&self, sender: &Address) -> Vec<&Entry> {
        let ModelAccount { nonce, balance } = self.accounts[sender];
        let (mut nonce, mut left) = (nonce, U256::from(balance));
        let mut pending = Vec::new();
        for entry in self.of(sender) {
            if entry.transaction.nonce() != nonce || entry.cost() > left {
                break;
            }
            left -= entry.cost();
            nonce += 1;
            pending.push(entry);
        }
        pending
    }

    /// Whether the pool should take it, and takes it.
    fn add(&mut self, sender: Address, transaction: &Transaction) -> bool {
        let arrival = self.arrivals;
        self.arrivals += 1;
        let new = Entry { sender, transaction: transaction.clone(), arrival };
        let ModelAccount { nonce: next, balance } = self.accounts[&sender];
        let nonce = transaction.nonce();
        let of_sender = self.of(&sender);
        let old = of_sender.iter().find(|entry| entry.transaction.nonce() == nonce).copied();
        let before = of_sender.iter().filter(|entry| entry.transaction.nonce() < nonce);
        let cost = before.fold(new.cost(), |sum, entry| sum + entry.cost());
        if nonce < next || cost > U256::from(balance) {
            return false;
        }
        if let Some(old) = old {
            let enough = |new: u128, old: u128| new >= old + (old / 10).max(1);
            let ((max_fee, priority_fee), (old_max_fee, old_priority_fee)) = (new.fees(), old.fees());
            if !enough(max_fee, old_max_fee) || !enough(priority_fee, old_priority_fee) {
                return false;
            }
        } else {
            let gap = (next..).find(|nonce| of_sender.iter().all(|entry| entry.transaction.nonce() != *nonce)).unwrap();
            let queued = of_sender.len() - self.pending(&sender).len();
            if of_sender.len() >= LIMITS.sender_transactions_max || nonce > gap && queued >= LIMITS.sender_queued_max {
                return false;
            }
        }
        self.entries.retain(|entry| (entry.sender, entry.transaction.nonce()) != (sender, nonce));
        self.entries.push(new);
        self.evict();
        self.entries.iter().any(|entry| entry.arrival == arrival)
    }

    fn evict(&mut self) {
        while self.entries.len() > LIMITS.transactions_max {
            let worth = |sender: &Address| {
                let entries = self.of(sender);
                let last = entries.last()?.arrival;
                let tip = entries.iter().map(|entry| self.tip(entry)).min()?;
                Some((self.pending(sender).len() == entries.len(), tip, std::cmp::Reverse(last), last))
            };
            let (.., victim) = self.accounts.keys().filter_map(worth).min().unwrap();
            self.entries.retain(|entry| entry.arrival != victim);
        }
    }

    fn set_head(&mut self, accounts: BTreeMap<Address, ModelAccount>, base_fee: u128) {
        self.accounts = accounts;
        self.base_fee = base_fee;
        let accounts = &self.accounts;
        self.entries.retain(|entry| {
            let account = accounts[&entry.sender];
            entry.transaction.nonce() >= account.nonce && entry.cost() <= U256::from(account.balance)
        });
    }

    fn best(&self) -> Vec<B256> {
        let pays = |entry: &&Entry| self.tip(entry) >= 0;
        let runs = self.accounts.keys().map(|sender| self.pending(sender).into_iter().take_while(pays));
        let mut runs: Vec<Vec<&Entry>> = runs.map(Iterator::collect).collect();
        let mut best = Vec::new();
        loop {
            runs.retain(|run| !run.is_empty());
            let next = runs.iter_mut().max_by_key(|run| (self.tip(run[0]), std::cmp::Reverse(run[0].arrival)));
            let Some(run) = next else { return best };
            best.push(*run.remove(0).transaction.tx_hash());
        }
    }

    fn check(&self, pool: &Pool) {
        pool.check();
        for sender in self.accounts.keys() {
            let content = pool.content_from(sender);
            let of_pool: Vec<_> = content.pending.iter().chain(&content.queued).map(|tx| *tx.hash()).collect();
            let of_model: Vec<_> = self.of(sender).iter().map(|entry| *entry.transaction.tx_hash()).collect();
            assert_eq!(of_pool, of_model);
            assert_eq!(content.pending.len(), self.pending(sender).len());
        }
        let best: Vec<_> = pool.best().map(|transaction| *transaction.hash()).collect();
        assert_eq!(best, self.best());
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "the seed of a run that fails")]
fn the_pool_is_its_model() {
    let seed = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64;
    println!("seed {seed}");
    let mut numbers = Numbers(seed);
    let signers: Vec<_> = (0..10).map(Signer::new).collect();
    for _ in 0..12 {
        let draw = |numbers: &mut Numbers| -> BTreeMap<Address, ModelAccount> {
            // Around the cost of a few payments.
            let account = |numbers: &mut Numbers| ModelAccount {
                nonce: numbers.below(4),
                balance: u128::from(numbers.below(8)) * 21_000 * 25 * GWEI,
            };
            signers.iter().map(|signer| (signer.address, account(numbers))).collect()
        };
        let as_head = |accounts: &BTreeMap<Address, ModelAccount>, base_fee: u128| {
            let accounts = signers.iter().map(|signer| {
                let ModelAccount { nonce, balance } = accounts[&signer.address];
                account(signer, nonce, balance)
            });
            let mut head = head(Fork::Osaka, &accounts.collect::<Vec<_>>());
            head.base_fee = base_fee as u64;
            head
        };
        let accounts = draw(&mut numbers);
        let pool = Pool::new(LIMITS, as_head(&accounts, GWEI));
        let mut model = Model { accounts, base_fee: GWEI, entries: Vec::new(), arrivals: 0 };
        for _ in 0..250 {
            if numbers.below(20) == 0 {
                let (accounts, base_fee) = (draw(&mut numbers), u128::from(1 + numbers.below(20)) * GWEI);
                pool.set_head(as_head(&accounts, base_fee), &BlockChange::default()).unwrap();
                model.set_head(accounts, base_fee);
            } else {
                let signer = &signers[numbers.below(10) as usize];
                let max_fee = 1 + u128::from(numbers.below(30));
                let priority_fee = 1 + u128::from(numbers.next()) % max_fee;
                let transaction = signer.payment(numbers.below(10), max_fee, priority_fee);
                let known = pool.get(transaction.tx_hash()).is_some();
                let taken = pool.add(&encoded(&transaction));
                if !known {
                    assert_eq!(taken.is_ok(), model.add(signer.address, &transaction), "{taken:?}");
                }
            }
            model.check(&pool);
        }
    }
}
