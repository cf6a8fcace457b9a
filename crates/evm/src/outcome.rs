//! What a run left behind of an account.

use alloy_primitives::{Address, U256};
use balsa_state::{AccountInfo, EMPTY_CODE_HASH, Written};
use revm::state::{Account, EvmStorage};

/// One account that a transaction, or a phase, reached; reverted calls included. In no order.
#[derive(Clone, Copy, Debug)]
pub struct AccountOutcome<'a> {
    /// The account.
    pub address: Address,
    /// Its ordinal in the access list, where the view came from one.
    pub ordinal: Option<u32>,
    /// Before the run; `None` if it did not exist.
    pub before: Option<AccountInfo>,
    /// After the run; `None` if it does not exist any more.
    pub after: Option<AccountInfo>,
    /// The account was destroyed: what storage it had is gone.
    pub storage_cleared: bool,
    /// The code that the run set, if it set other code than there was, and not none.
    pub code: Option<&'a [u8]>,
    /// Every slot that was read or written.
    pub slots: SlotOutcomes<'a>,
}

/// One slot that was read or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotOutcome {
    /// The slot.
    pub slot: U256,
    /// Before the run.
    pub before: U256,
    /// After it.
    pub after: U256,
}

/// Slots of an account, in no order.
#[derive(Clone, Copy, Debug)]
pub enum SlotOutcomes<'a> {
    /// In the interpreter's journal; the flag says that the account was destroyed, which zeroes what is there.
    Journal(&'a EvmStorage, bool),
    /// Merged over the calls of a phase.
    Merged(&'a [SlotOutcome]),
}

impl<'a> SlotOutcomes<'a> {
    /// The slots.
    pub fn iter(self) -> impl Iterator<Item = SlotOutcome> + 'a {
        let (journal, merged, destroyed) = match self {
            Self::Journal(storage, destroyed) => (Some(storage), None, destroyed),
            Self::Merged(slots) => (None, Some(slots), false),
        };
        let journal = journal.into_iter().flatten().map(move |(slot, value)| SlotOutcome {
            slot: *slot,
            before: value.original_value,
            after: if destroyed { U256::ZERO } else { value.present_value },
        });
        journal.chain(merged.into_iter().flatten().copied())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Journal(storage, _) => storage.len(),
            Self::Merged(slots) => slots.len(),
        }
    }

    /// Whether no slot was reached.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<'a> AccountOutcome<'a> {
    /// Reads an account out of the interpreter's journal.
    ///
    /// An account that was touched and is empty does not exist afterwards (EIP-161); before that EIP `keep_empty` is
    /// set, and a touch brings an empty account into being.
    pub(crate) fn from_journal(address: Address, account: &'a Account, keep_empty: bool) -> Self {
        let original = account.original_info();
        let info = |info: &revm::state::AccountInfo| AccountInfo {
            nonce: info.nonce,
            balance: info.balance,
            code_hash: if info.code_hash.is_zero() { EMPTY_CODE_HASH } else { info.code_hash },
        };
        let before = (!account.is_loaded_as_not_existing()).then(|| info(&original));
        let destroyed = account.is_selfdestructed();
        let after = if destroyed {
            None
        } else if !account.is_touched() {
            before
        } else if account.is_empty() && !account.is_created() && !keep_empty {
            None
        } else {
            Some(info(&account.info))
        };
        let code_hash = |info: Option<AccountInfo>| info.map_or(EMPTY_CODE_HASH, |info| info.code_hash);
        let new_code = code_hash(after) != code_hash(before) && code_hash(after) != EMPTY_CODE_HASH;
        let code = account.info.code.as_ref().filter(|_| new_code).map(|code| code.original_byte_slice());
        Self {
            address,
            ordinal: account.info.account_id.or(original.account_id).map(|id| id.get() as u32),
            before,
            after,
            storage_cleared: destroyed,
            code,
            slots: SlotOutcomes::Journal(&account.storage, destroyed),
        }
    }

    /// The account before the run, empty if it did not exist.
    pub fn info_before(&self) -> AccountInfo {
        self.before.unwrap_or_default()
    }

    /// The account after the run, empty if it does not exist.
    pub fn info_after(&self) -> AccountInfo {
        self.after.unwrap_or_default()
    }

    /// Whether anything but an access came of it.
    pub fn is_changed(&self) -> bool {
        self.before != self.after || self.storage_cleared || self.slots.iter().any(|slot| slot.before != slot.after)
    }

    /// What a state in progress takes over of it.
    pub fn written(&self) -> Written<'a> {
        let slots = self.slots.iter().filter(|slot| slot.before != slot.after).map(|slot| (slot.slot, slot.after));
        let code_hash = self.after.map(|after| after.code_hash);
        Written {
            info: self.after,
            storage_cleared: self.storage_cleared,
            slots: if self.storage_cleared { Vec::new() } else { slots.collect() },
            code: code_hash.zip(self.code),
        }
    }
}
