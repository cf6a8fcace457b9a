//! Several calls that count as one block access index.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, U256};
use balsa_state::{AccountInfo, StateError, StateView, ViewAccount};

use crate::{AccountOutcome, SlotOutcome, SlotOutcomes};

/// A view that keeps what was done on it.
///
/// The calls before the transactions all have index 0, those after them n + 1 (EIP-7928), and what counts is the
/// difference between before the first and after the last. A phase lies over the view of its index, shows each call
/// what earlier ones did, and merges their outcomes, account by account.
pub struct Phase<V> {
    view: V,
    accounts: BTreeMap<Address, PhaseAccount>,
}

struct PhaseAccount {
    ordinal: Option<u32>,
    before: Option<AccountInfo>,
    after: Option<AccountInfo>,
    slots: Vec<SlotOutcome>,
    code: Option<(B256, Bytes)>,
}

impl<V: StateView> Phase<V> {
    /// A phase on `view`, nothing done yet.
    pub fn new(view: V) -> Self {
        Self { view, accounts: BTreeMap::new() }
    }

    /// Takes over what a call left behind.
    pub(crate) fn absorb(&mut self, outcome: &AccountOutcome<'_>) {
        debug_assert!(!outcome.storage_cleared, "no call around the transactions can destroy a contract of before");
        let account = self.accounts.entry(outcome.address).or_insert_with(|| PhaseAccount {
            ordinal: outcome.ordinal,
            before: outcome.before,
            after: outcome.before,
            slots: Vec::new(),
            code: None,
        });
        account.after = outcome.after;
        if let Some((hash, code)) = outcome.after.map(|after| after.code_hash).zip(outcome.code) {
            account.code = Some((hash, Bytes::copy_from_slice(code)));
        }
        for slot in outcome.slots.iter() {
            match account.slots.iter_mut().find(|known| known.slot == slot.slot) {
                Some(known) => known.after = slot.after,
                None => account.slots.push(slot),
            }
        }
    }

    /// Adds wei to an account outside any call, as withdrawals and rewards do. An account that is empty afterwards
    /// does not exist (EIP-161), unless `keep_empty` says that the fork is older.
    ///
    /// # Errors
    /// The inner `None` means that the balance would overflow.
    pub(crate) fn credit(&mut self, address: Address, wei: U256, keep_empty: bool) -> Result<Option<()>, StateError> {
        let found = self.account(&address)?;
        let before = found.map(|account| account.info);
        let mut info = before.unwrap_or_default();
        let Some(balance) = info.balance.checked_add(wei) else { return Ok(None) };
        info.balance = balance;
        let after = (keep_empty || !info.is_empty()).then_some(info);
        self.absorb(&AccountOutcome {
            address,
            ordinal: found.and_then(|account| account.ordinal),
            before,
            after,
            storage_cleared: false,
            code: None,
            slots: SlotOutcomes::Merged(&[]),
        });
        Ok(Some(()))
    }

    /// Takes all wei from an account, and says how much that was.
    pub(crate) fn drain(&mut self, address: Address) -> Result<U256, StateError> {
        let Some(account) = self.account(&address)? else { return Ok(U256::ZERO) };
        let before = Some(account.info);
        let after = Some(AccountInfo { balance: U256::ZERO, ..account.info });
        let slots = SlotOutcomes::Merged(&[]);
        let ordinal = account.ordinal;
        self.absorb(&AccountOutcome { address, ordinal, before, after, storage_cleared: false, code: None, slots });
        Ok(account.info.balance)
    }

    /// The view below, and what was done on it.
    pub fn finish(self) -> (V, PhaseOutcomes) {
        (self.view, PhaseOutcomes { accounts: self.accounts })
    }
}

/// What a phase left behind.
pub struct PhaseOutcomes {
    accounts: BTreeMap<Address, PhaseAccount>,
}

impl PhaseOutcomes {
    /// The merged outcome of each account that was reached, ascending by address.
    pub fn iter(&self) -> impl Iterator<Item = AccountOutcome<'_>> {
        self.accounts.iter().map(|(address, account)| AccountOutcome {
            address: *address,
            ordinal: account.ordinal,
            before: account.before,
            after: account.after,
            storage_cleared: false,
            code: account.code.as_ref().map(|(_, code)| code.as_ref()),
            slots: SlotOutcomes::Merged(&account.slots),
        })
    }
}

impl<V: StateView> StateView for Phase<V> {
    fn account(&mut self, address: &Address) -> Result<Option<ViewAccount>, StateError> {
        let below = self.view.account(address)?;
        let Some(known) = self.accounts.get(address) else { return Ok(below) };
        let has_storage = below.is_some_and(|account| account.has_storage);
        Ok(known.after.map(|info| ViewAccount { info, has_storage, ordinal: known.ordinal }))
    }

    fn storage(&mut self, address: &Address, ordinal: Option<u32>, slot: &U256) -> Result<U256, StateError> {
        let known =
            self.accounts.get(address).and_then(|account| account.slots.iter().find(|known| known.slot == *slot));
        match known {
            Some(known) => Ok(known.after),
            None => self.view.storage(address, ordinal, slot),
        }
    }

    fn code(&mut self, code_hash: &B256) -> Result<Bytes, StateError> {
        let mut known = self.accounts.values().filter_map(|account| account.code.as_ref());
        match known.find(|(hash, _)| hash == code_hash) {
            Some((_, code)) => Ok(code.clone()),
            None => self.view.code(code_hash),
        }
    }
}
