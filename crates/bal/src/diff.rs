//! Where two lists differ, for a person: every account, slot and change that is not the same in both.

use crate::{FlatList, Item, Value};
use alloy_primitives::{Address, U256};
use std::{cmp::Ordering, fmt, iter::Peekable};

/// One difference between a left and a right list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Divergence {
    /// An account stands in only one of the lists. Its slots and changes follow as divergences of their own.
    Account {
        /// The account.
        address: Address,
        /// The list that has it.
        only_in: Side,
    },
    /// A slot is changed, read or absent in one list and another of these in the other. Its changes follow as
    /// divergences of their own.
    Slot {
        /// The account.
        address: Address,
        /// The slot.
        slot: U256,
        /// What the left list has of it.
        left: SlotUse,
        /// What the right list has of it.
        right: SlotUse,
    },
    /// A change stands in only one of the lists, or with another value.
    Change {
        /// The account.
        address: Address,
        /// What changes.
        item: Item,
        /// The block access index.
        index: u32,
        /// The value after it in the left list.
        left: Option<Value>,
        /// The value after it in the right list.
        right: Option<Value>,
    },
}

/// One of the two lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Side {
    Left,
    Right,
}

/// What a list has of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotUse {
    /// Nothing.
    Absent,
    /// An entry in `storage_reads`.
    Read,
    /// An entry in `storage_changes`.
    Changed,
}

/// Every difference between two lists, by account; empty if and only if they are equal.
pub fn diff(left: &FlatList, right: &FlatList) -> Vec<Divergence> {
    let mut divergences = Vec::new();
    let ordinals = |list: &FlatList| (0..list.len() as u32).collect::<Vec<_>>();
    let accounts = merge(
        ordinals(left).into_iter().map(|ordinal| (left.address(ordinal), ordinal)),
        ordinals(right).into_iter().map(|ordinal| (right.address(ordinal), ordinal)),
    );
    for (address, ordinals) in accounts {
        let sides = [ordinals.left.map(|ordinal| (left, ordinal)), ordinals.right.map(|ordinal| (right, ordinal))];
        AccountDiff { address, left: sides[0], right: sides[1], divergences: &mut divergences }.account();
    }
    divergences
}

struct AccountDiff<'a> {
    address: Address,
    left: Option<(&'a FlatList, u32)>,
    right: Option<(&'a FlatList, u32)>,
    divergences: &'a mut Vec<Divergence>,
}

impl AccountDiff<'_> {
    fn account(&mut self) {
        let address = self.address;
        match (self.left, self.right) {
            (Some(_), None) => self.divergences.push(Divergence::Account { address, only_in: Side::Left }),
            (None, Some(_)) => self.divergences.push(Divergence::Account { address, only_in: Side::Right }),
            _ => {}
        }
        self.slots();
        self.changes(Item::Balance, |list, ordinal| {
            list.balance_changes(ordinal).map(|(index, balance)| (index, Value::Balance(balance))).collect()
        });
        self.changes(Item::Nonce, |list, ordinal| {
            list.nonce_changes(ordinal).map(|(index, nonce)| (index, Value::Nonce(nonce))).collect()
        });
        self.changes(Item::Code, |list, ordinal| {
            list.code_changes(ordinal).map(|(index, code)| (index, Value::Code(list.code(code)))).collect()
        });
    }

    fn slots(&mut self) {
        let address = self.address;
        let slots = |side: Option<(&FlatList, u32)>| {
            let Some((list, ordinal)) = side else { return Vec::new() };
            let mut slots: Vec<_> = list.account_slots(ordinal).map(|at| (list.slot(at), at)).collect();
            slots.sort_unstable();
            slots
        };
        for (slot, ordinals) in merge(slots(self.left).into_iter(), slots(self.right).into_iter()) {
            let (left, right) = (slot_use(self.left, ordinals.left), slot_use(self.right, ordinals.right));
            if left != right {
                self.divergences.push(Divergence::Slot { address, slot, left, right });
            }
            let changes = |side: Option<(&FlatList, u32)>, slot: Option<u32>| match (side, slot) {
                (Some((list, _)), Some(slot)) => list.slot_changes(slot).map(word).collect(),
                _ => Vec::new(),
            };
            let (left, right) = (changes(self.left, ordinals.left), changes(self.right, ordinals.right));
            self.compare(Item::Slot(slot), left, right);
        }
    }

    fn changes(&mut self, item: Item, of: impl Fn(&FlatList, u32) -> Vec<(u32, Value)>) {
        let changes =
            |side: Option<(&FlatList, u32)>| side.map(|(list, ordinal)| of(list, ordinal)).unwrap_or_default();
        let (left, right) = (changes(self.left), changes(self.right));
        self.compare(item, left, right);
    }

    fn compare(&mut self, item: Item, left: Vec<(u32, Value)>, right: Vec<(u32, Value)>) {
        let address = self.address;
        for (index, Pair { left, right }) in merge(left.into_iter(), right.into_iter()) {
            if left != right {
                self.divergences.push(Divergence::Change { address, item, index, left, right });
            }
        }
    }
}

fn slot_use(side: Option<(&FlatList, u32)>, slot: Option<u32>) -> SlotUse {
    match (side, slot) {
        (Some((list, ordinal)), Some(slot)) if list.changed_slots(ordinal).contains(&slot) => SlotUse::Changed,
        (Some(_), Some(_)) => SlotUse::Read,
        _ => SlotUse::Absent,
    }
}

fn word((index, word): (u32, U256)) -> (u32, Value) {
    (index, Value::Word(word))
}

/// What each side has under a key.
struct Pair<T> {
    left: Option<T>,
    right: Option<T>,
}

/// Two ascending sequences side by side, by key.
fn merge<K: Ord, T>(
    left: impl Iterator<Item = (K, T)>,
    right: impl Iterator<Item = (K, T)>,
) -> impl Iterator<Item = (K, Pair<T>)> {
    let (mut left, mut right) = (left.peekable(), right.peekable());
    std::iter::from_fn(move || {
        let order = match (left.peek(), right.peek()) {
            (Some((left, _)), Some((right, _))) => left.cmp(right),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return None,
        };
        let (left, right) = (take(&mut left, order.is_le()), take(&mut right, order.is_ge()));
        let (left_key, left) = left.unzip();
        let (right_key, right) = right.unzip();
        left_key.or(right_key).map(|key| (key, Pair { left, right }))
    })
}

fn take<I: Iterator>(items: &mut Peekable<I>, wanted: bool) -> Option<I::Item> {
    if wanted { items.next() } else { None }
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account { address, only_in } => write!(f, "account {address}: only in the {only_in} list"),
            Self::Slot { address, slot, left, right } => {
                write!(f, "account {address}: slot {slot:#x}: left {left}, right {right}")
            }
            Self::Change { address, item, index, left, right } => {
                write!(f, "account {address}: {item} at index {index}: left ")?;
                fmt_value(f, left)?;
                f.write_str(", right ")?;
                fmt_value(f, right)
            }
        }
    }
}

fn fmt_value(f: &mut fmt::Formatter<'_>, value: &Option<Value>) -> fmt::Result {
    match value {
        Some(value) => write!(f, "{value}"),
        None => f.write_str("nothing"),
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Left => "left",
            Self::Right => "right",
        })
    }
}

impl fmt::Display for SlotUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Absent => "absent",
            Self::Read => "read",
            Self::Changed => "changed",
        })
    }
}
