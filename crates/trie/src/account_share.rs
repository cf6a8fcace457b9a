//! A share of a block's accounts: found, planned, their storage edited, and then they themselves, by one thread.

use crate::{
    AccountUpdate, TrieError, Updates,
    accounts_after::{Entry, ShareAccounts},
    arena::ask_ahead,
    change::AccountChange,
    division::{Subtree, Taken},
    edit::{Child, Part},
    error::TrieId,
    link::Link,
    load::ACCOUNTS,
    locate::{Located, Probe, Search},
    plan::Plan,
    rlp::AccountLeaf,
    slot_share::slot_changes,
    workshop::{Hashes, Progress, Share, Site, Task, Tools, Top},
};
use alloy_primitives::{B256, U256};
use balsa_state::Account;
use std::{collections::HashMap, ops::Range};

/// Neighbouring subtrees of the account trie.
pub(crate) struct AccountShare<'a> {
    subtrees: Vec<Subtree>,
    stage: Stage<'a>,
    /// As the caller finds them in the end.
    accounts: ShareAccounts<'a>,
    plans: Vec<Plan>,
    /// Whether its storage tries are for all threads to edit, while this is parked.
    is_heavy: bool,
    /// Those, as a whole.
    handed_over: Vec<Subtree>,
    /// Storage tries that were edited: of which of these accounts, and what becomes of them.
    edited: Vec<(usize, Top)>,
    /// How many slots these have.
    slots: usize,
    tops: Vec<Top>,
    cleared: Vec<usize>,
    storages: Vec<(usize, Link)>,
}

enum Stage<'a> {
    New,
    /// Looking for the accounts.
    Accounts(Search<'a>),
    /// What becomes of the accounts is known, but for their storage.
    Planned,
    /// Looking for slots.
    Slots(Search<'a>),
}

/// What an account share leaves.
pub(crate) struct AccountsDone {
    /// The first of its updates.
    pub(crate) start: usize,
    /// How many these are.
    pub(crate) accounts: usize,
    /// What of them does not fit their entries.
    pub(crate) others: Vec<Account>,
    /// What became of the subtrees.
    pub(crate) parts: Vec<Part>,
    /// Accounts that lost the storage which they had, by number of their update.
    pub(crate) cleared: Vec<usize>,
    /// The storage tries of accounts whose slots changed.
    pub(crate) storages: Vec<(usize, Link)>,
}

impl<'a> AccountShare<'a> {
    fn new(subtrees: Vec<Subtree>, entries: &'a mut [Entry]) -> Self {
        Self {
            subtrees,
            stage: Stage::New,
            accounts: ShareAccounts::new(entries),
            plans: Vec::new(),
            is_heavy: false,
            handed_over: Vec::new(),
            edited: Vec::new(),
            slots: 0,
            tops: Vec::new(),
            cleared: Vec::new(),
            storages: Vec::new(),
        }
    }

    /// Which of the updates.
    pub(crate) fn range(&self) -> Range<usize> {
        let end = self.subtrees.last().map_or(0, |last| last.changes.end);
        self.subtrees.first().map_or(end, |first| first.changes.start)..end
    }

    /// The storage tries that it is parked for, each as a whole.
    pub(crate) fn handed_over(&self) -> &[Subtree] {
        &self.handed_over
    }

    /// Takes what became of them, by number.
    pub(crate) fn take_back(&mut self, tops: &HashMap<usize, Option<Child>>) {
        for storage in std::mem::take(&mut self.handed_over) {
            self.take_storage(storage.trie - self.range().start, tops[&storage.trie]);
        }
    }

    fn take_storage(&mut self, n: usize, top: Option<Child>) {
        self.accounts.set_storage_root(n, self.plans[n].take_storage(top));
        self.storages.push((self.range().start + n, self.plans[n].storage));
    }

    /// Whether keys are in order, but for slots that others look for.
    fn check_order(&self, site: &Site<'_, 'a>) -> Result<(), TrieError> {
        let updates = site.updates;
        for i in self.range() {
            updates.check_account(i)?;
            if !self.is_heavy {
                updates.check_slots(i, 0..updates.accounts[i].slots.len())?;
            }
        }
        match self.subtrees.iter().find(|subtree| !subtree.holds(|i| &updates.accounts[i].address_hash)) {
            None => Ok(()),
            Some(subtree) => Err(TrieError::Unsorted { trie: TrieId::Accounts, index: subtree.changes.start }),
        }
    }

    fn account_probes(&self, updates: &'a Updates) -> Vec<Probe<'a>> {
        if self.subtrees.iter().all(|subtree| subtree.old.is_none()) {
            return Vec::new();
        }
        let mut probes = Vec::with_capacity(self.range().len());
        for subtree in &self.subtrees {
            let updates = &updates.accounts[subtree.changes.clone()];
            probes.extend(updates.iter().map(|update| Probe::below(subtree, &update.address_hash)));
        }
        probes
    }

    fn plan(&mut self, site: &Site<'_, 'a>, old: &[Located]) -> Result<(), TrieError> {
        let Site { arena, updates, .. } = *site;
        let range = self.range();
        self.plans.reserve_exact(range.len());
        for (n, trie) in range.enumerate() {
            ask_ahead(old, n, |old| arena.ask(old.leaf));
            let update = &updates.accounts[trie];
            let old = old.get(n).copied().unwrap_or(Located::NOWHERE);
            if let Some((fields, plan)) = Plan::plain(arena, update, old, updates.keep_empty) {
                if let Some(fields) = fields {
                    self.accounts.write_plain(n, fields);
                }
                self.plans.push(plan);
                continue;
            }
            let (account, plan) = Plan::new(arena, update, old, updates.keep_empty);
            if self.is_heavy && !update.slots.is_empty() {
                let changes = 0..update.slots.len();
                match &account {
                    Some(account) => {
                        let old = plan.storage_top(account.storage_root);
                        self.handed_over.push(Subtree { trie, depth: 0, old, changes });
                    }
                    None => updates.check_slots(trie, changes)?,
                }
            }
            self.accounts.write(n, account.as_ref(), !update.slots.is_empty());
            self.plans.push(plan);
        }
        Ok(())
    }

    /// The accounts whose slots are edited here: the place of each in this share and among the updates, with its slots and the
    /// root of its storage.
    fn with_slots<'s>(
        &'s self,
        site: &'s Site<'_, 'a>,
    ) -> impl Iterator<Item = (usize, usize, &'a [(B256, U256)], B256, &'s Plan)> {
        let updates = self.range().enumerate().map(|(n, trie)| (n, trie, site.updates.accounts[trie].slots.as_slice()));
        let own = updates.filter(|(.., slots)| !slots.is_empty() && !self.is_heavy);
        own.filter_map(|(n, trie, slots)| Some((n, trie, slots, self.accounts.get(n)?.storage_root(), &self.plans[n])))
    }

    fn slot_probes(&self, site: &Site<'_, 'a>) -> Vec<Probe<'a>> {
        let mut probes = Vec::new();
        for (_, trie, slots, root, plan) in self.with_slots(site) {
            if plan.storage != Link::NONE {
                probes.extend(slots.iter().map(|(slot, _)| Probe::new(trie, slot, plan.storage, root)));
            }
        }
        probes
    }

    fn edit_storage(
        &mut self,
        site: &Site<'_, 'a>,
        tools: &mut Tools<'a>,
        search: &Search<'a>,
    ) -> Result<(), TrieError> {
        let arena = site.arena;
        let mut located = search.located();
        let changes = |(n, trie, slots, root, plan): (usize, usize, &'a [(B256, U256)], B256, &Plan)| {
            let old = plan.storage_top(root);
            (n, trie, old, slot_changes(arena, slots, old.is_some().then_some(&mut located)))
        };
        let changes: Vec<_> = self.with_slots(site).map(changes).collect();
        let tasks: Vec<_> = changes
            .iter()
            .map(|(_, trie, old, changes)| Task {
                trie: *trie,
                depth: 0,
                old: old.map(|old| old.child(arena)),
                changes,
            })
            .collect();
        let tops = tools.edited::<U256, _>(site.tries, &tasks)?;
        let slots = changes.iter().map(|(.., changes)| changes.len()).sum();
        self.edited = changes.iter().map(|(n, ..)| *n).zip(tops).collect();
        self.slots = slots;
        Ok(())
    }
}

impl<'a> Share<'a> for AccountShare<'a> {
    type Done = AccountsDone;

    /// Several where there are many slots, for accounts are shared out without a look at these; heavy subtrees by themselves, since
    /// they must wait.
    fn of(taken: Taken<'a>, site: &Site<'_, 'a>) -> Vec<Self> {
        let Taken { subtrees, mut entries } = taken;
        let mut runs: Vec<(bool, Vec<Subtree>)> = Vec::new();
        let mut room = 0;
        for subtree in subtrees {
            let updates = &site.updates.accounts[subtree.changes.clone()];
            let slots = updates.iter().map(|update| update.slots.len()).sum();
            let (is_heavy, changes) = (site.division.is_heavy(updates.len(), slots), updates.len() + slots);
            match runs.last_mut().filter(|(last_is_heavy, _)| !last_is_heavy && !is_heavy && changes <= room) {
                Some((_, run)) => {
                    run.push(subtree);
                    room -= changes;
                }
                None => {
                    runs.push((is_heavy, vec![subtree]));
                    room = site.division.batch.saturating_sub(changes);
                }
            }
        }
        let share = |(is_heavy, run): (bool, Vec<Subtree>)| {
            let count = run.iter().map(|subtree| subtree.changes.len()).sum();
            let (own, others) = std::mem::take(&mut entries).split_at_mut(count);
            entries = others;
            Self { is_heavy, ..Self::new(run, own) }
        };
        runs.into_iter().map(share).collect()
    }

    fn changes(&self) -> usize {
        self.accounts.len() + self.slots
    }

    fn prepare(&mut self, site: &Site<'_, 'a>, tools: &mut Tools<'a>) -> Result<Progress, TrieError> {
        let mut wants = Vec::new();
        loop {
            match &mut self.stage {
                Stage::New => {
                    self.check_order(site)?;
                    self.stage = Stage::Accounts(Search::of(self.account_probes(site.updates)));
                }
                Stage::Accounts(search) => {
                    if !search.go_on(site.arena, site.tries, &mut wants) {
                        return Ok(Progress::Wants(wants));
                    }
                    let old: Vec<_> = search.located().collect();
                    self.plan(site, &old)?;
                    self.stage = Stage::Planned;
                    if !self.handed_over.is_empty() {
                        return Ok(Progress::Parked);
                    }
                }
                Stage::Planned => self.stage = Stage::Slots(Search::of(self.slot_probes(site))),
                Stage::Slots(search) => {
                    if !search.go_on(site.arena, site.tries, &mut wants) {
                        return Ok(Progress::Wants(wants));
                    }
                    let search = std::mem::take(search);
                    self.edit_storage(site, tools, &search)?;
                    return Ok(Progress::Ready);
                }
            }
        }
    }

    fn finish(&mut self, site: &Site<'_, 'a>, tools: &mut Tools<'a>, hashes: &Hashes) -> Result<(), TrieError> {
        for (n, top) in std::mem::take(&mut self.edited) {
            self.take_storage(n, hashes.top(top));
        }
        let range = self.range();
        self.cleared.extend(range.clone().zip(&self.plans).filter(|(_, plan)| plan.cleared).map(|(trie, _)| trie));
        let mut changes: Vec<AccountChange<'_>> = Vec::with_capacity(range.len());
        let mut ends = Vec::with_capacity(self.subtrees.len());
        let updates = &site.updates.accounts[range];
        let mut accounts = (0..).zip(updates).zip(&self.plans);
        for subtree in &self.subtrees {
            let own = accounts.by_ref().take(subtree.changes.len());
            let change = |((n, update), plan): ((usize, &'a AccountUpdate), &Plan)| {
                plan.change(site.arena, &update.address_hash, self.accounts.get(n))
            };
            changes.extend(own.filter_map(change));
            ends.push(changes.len());
        }
        let mut start = 0;
        let task = |(subtree, end): (&Subtree, usize)| {
            let changes = &changes[std::mem::replace(&mut start, end)..end];
            let old = subtree.old.map(|old| old.child(site.arena));
            Task { trie: ACCOUNTS, depth: subtree.depth, old, changes }
        };
        let tasks: Vec<_> = self.subtrees.iter().zip(ends).map(task).collect();
        self.tops = tools.edited::<AccountLeaf, _>(site.tries, &tasks)?;
        Ok(())
    }

    fn end(self, site: &Site<'_, 'a>, hashes: &Hashes) -> AccountsDone {
        let part = |(subtree, top): (&Subtree, &Top)| {
            let key = site.updates.accounts[subtree.changes.start].address_hash;
            Part::new(site.arena, key, subtree.depth, subtree.old, hashes.top(*top))
        };
        let (start, parts) = (self.range().start, self.subtrees.iter().zip(&self.tops).map(part).collect());
        let Self { accounts, cleared, storages, .. } = self;
        AccountsDone { start, accounts: accounts.len(), others: accounts.into_others(), parts, cleared, storages }
    }
}
