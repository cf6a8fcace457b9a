//! Records in any order to a list in canonical order.

use crate::{AccountChanges, Change, encode};
use alloy_primitives::Bytes;

/// Collects records and puts them into canonical order.
///
/// It sorts, and no more: what stands twice stays there twice, so that a wrong list can be built for tests.
#[derive(Clone, Debug, Default)]
pub struct ListBuilder {
    accounts: Vec<AccountChanges>,
}

impl ListBuilder {
    /// An empty list.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an account, its parts in any order.
    pub fn account(&mut self, account: AccountChanges) -> &mut Self {
        self.accounts.push(account);
        self
    }

    /// The records in canonical order.
    pub fn build(self) -> Vec<AccountChanges> {
        let mut accounts = self.accounts;
        accounts.sort_by_key(|account| account.address);
        for account in &mut accounts {
            account.storage_changes.sort_by_key(|changes| changes.slot);
            for slot in &mut account.storage_changes {
                sort_changes(&mut slot.changes);
            }
            account.storage_reads.sort_unstable();
            sort_changes(&mut account.balance_changes);
            sort_changes(&mut account.nonce_changes);
            sort_changes(&mut account.code_changes);
        }
        accounts
    }

    /// The RLP of the list.
    pub fn encode(self) -> Bytes {
        encode(&self.build())
    }
}

impl Extend<AccountChanges> for ListBuilder {
    fn extend<I: IntoIterator<Item = AccountChanges>>(&mut self, accounts: I) {
        self.accounts.extend(accounts);
    }
}

fn sort_changes<T>(changes: &mut [Change<T>]) {
    changes.sort_by_key(|change| change.block_access_index);
}
