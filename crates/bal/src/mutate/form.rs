//! Mutations of the form: the same list, or nearly, in RLP that is not canonical.

use super::{Mutation, MutationKind};
use crate::{AccountChanges, Change, SlotChanges};
use alloy_primitives::{Bytes, U256};
use std::fmt;

/// A form that decoding must not accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    /// A length below 56 with bytes of its own.
    NonMinimalLength,
    /// A length with a leading zero.
    PaddedLength,
    /// A byte below 0x80 with a length.
    LongSingleByte,
    /// A zero byte before an integer or an address.
    LeadingZero,
    /// An integer or an address of 33 bytes.
    TooWide,
    /// A list instead of a string.
    ListForString,
    /// A string instead of a list.
    StringForList,
    /// A further item at the end of a record.
    ExtraItem,
    /// The last item of a record left out.
    MissingItem,
    /// A length that reaches over the end.
    Overrun,
    /// A byte after the list.
    TrailingByte,
    /// The last byte left out.
    MissingByte,
}

/// Every form that each item of the list can wrongly have.
pub(super) fn mutations(accounts: &[AccountChanges]) -> impl Iterator<Item = Mutation> + use<> {
    let root = tree(accounts);
    let mut faults = Vec::new();
    root.faults(&mut 0, &mut faults);
    faults.into_iter().map(move |fault| {
        let mut bytes = Vec::new();
        root.encode(&mut 0, Some(fault), &mut bytes);
        let place = format!("item {}", fault.item);
        Mutation { kind: MutationKind::Reencode(fault.form), place, bytes: bytes.into() }
    })
}

/// One item, by its number in depth-first order, in a wrong form.
#[derive(Clone, Copy)]
struct Fault {
    item: usize,
    form: Form,
}

/// An item of the list.
enum Node {
    /// A code: any bytes.
    Bytes(Bytes),
    /// An integer or an address: of limited width.
    Number(Vec<u8>),
    /// A list of any length.
    List(Vec<Node>),
    /// A list with a fixed number of items.
    Record(Vec<Node>),
    /// The list of all accounts.
    Root(Vec<Node>),
}

fn tree(accounts: &[AccountChanges]) -> Node {
    Node::Root(accounts.iter().map(account).collect())
}

fn account(account: &AccountChanges) -> Node {
    Node::Record(vec![
        Node::Number(account.address.to_vec()),
        Node::List(account.storage_changes.iter().map(slot_changes).collect()),
        Node::List(account.storage_reads.iter().map(integer).collect()),
        changes(&account.balance_changes, integer),
        changes(&account.nonce_changes, |nonce| integer(&U256::from(*nonce))),
        changes(&account.code_changes, |code| Node::Bytes(code.clone())),
    ])
}

fn slot_changes(slot: &SlotChanges) -> Node {
    Node::Record(vec![integer(&slot.slot), changes(&slot.changes, integer)])
}

fn changes<T>(changes: &[Change<T>], post: impl Fn(&T) -> Node) -> Node {
    let change =
        |change: &Change<T>| Node::Record(vec![integer(&U256::from(change.block_access_index)), post(&change.post)]);
    Node::List(changes.iter().map(change).collect())
}

fn integer(value: &U256) -> Node {
    Node::Number(value.to_be_bytes_trimmed_vec())
}

impl Node {
    /// All faults of this item and those in it; `item` is the number of this one, and of the next one after.
    fn faults(&self, item: &mut usize, faults: &mut Vec<Fault>) {
        faults.extend(self.forms().into_iter().map(|form| Fault { item: *item, form }));
        *item += 1;
        for child in self.children() {
            child.faults(item, faults);
        }
    }

    fn forms(&self) -> Vec<Form> {
        let mut payload = Vec::new();
        self.encode_payload(&mut 0, None, &mut payload);
        let mut forms = vec![match (self, payload.len()) {
            (Self::Bytes(_) | Self::Number(_), 1) if payload[0] < 0x80 => Form::LongSingleByte,
            (_, 0..56) => Form::NonMinimalLength,
            _ => Form::PaddedLength,
        }];
        forms.extend_from_slice(match self {
            Self::Bytes(_) => &[Form::ListForString],
            Self::Number(_) => &[Form::ListForString, Form::LeadingZero, Form::TooWide],
            Self::List(_) => &[Form::StringForList],
            Self::Record(_) => &[Form::StringForList, Form::ExtraItem, Form::MissingItem],
            Self::Root(_) => &[Form::StringForList, Form::Overrun, Form::TrailingByte, Form::MissingByte],
        });
        forms
    }

    fn children(&self) -> &[Node] {
        match self {
            Self::Bytes(_) | Self::Number(_) => &[],
            Self::List(items) | Self::Record(items) | Self::Root(items) => items,
        }
    }

    fn encode(&self, item: &mut usize, fault: Option<Fault>, out: &mut Vec<u8>) {
        let form = fault.filter(|fault| fault.item == *item).map(|fault| fault.form);
        let mut payload = Vec::new();
        self.encode_payload(item, fault, &mut payload);
        match form {
            Some(Form::LeadingZero) => payload.insert(0, 0),
            Some(Form::TooWide) => payload = vec![1; 33],
            Some(Form::ExtraItem) => payload.push(0x80),
            _ => {}
        }
        let is_string = matches!(self, Self::Bytes(_) | Self::Number(_));
        let as_string = match form {
            Some(Form::ListForString) => false,
            Some(Form::StringForList) => true,
            _ => is_string,
        };
        if !(as_string && payload.len() == 1 && payload[0] < 0x80) || form == Some(Form::LongSingleByte) {
            encode_header(as_string, payload.len(), form, out);
        }
        out.extend(payload);
        match form {
            Some(Form::TrailingByte) => out.push(0x80),
            Some(Form::MissingByte) => {
                out.pop();
            }
            _ => {}
        }
    }

    fn encode_payload(&self, item: &mut usize, fault: Option<Fault>, out: &mut Vec<u8>) {
        let leaves_out_last = fault.is_some_and(|fault| fault.item == *item && fault.form == Form::MissingItem);
        *item += 1;
        match self {
            Self::Bytes(bytes) => out.extend_from_slice(bytes),
            Self::Number(bytes) => out.extend_from_slice(bytes),
            Self::List(items) | Self::Record(items) | Self::Root(items) => {
                for child in &items[..items.len() - usize::from(leaves_out_last)] {
                    child.encode(item, fault, out);
                }
            }
        }
    }
}

fn encode_header(as_string: bool, size: usize, form: Option<Form>, out: &mut Vec<u8>) {
    let (short, long) = if as_string { (0x80, 0xb7) } else { (0xc0, 0xf7) };
    let size = if form == Some(Form::Overrun) { size + 1 } else { size };
    let mut length = U256::from(size).to_be_bytes_trimmed_vec();
    match form {
        Some(Form::NonMinimalLength) => {
            length.resize(1, 0);
            out.push(long + 1);
            out.extend(length);
        }
        Some(Form::PaddedLength) => {
            out.extend([long + 1 + length.len() as u8, 0]);
            out.extend(length);
        }
        _ if size < 56 => out.push(short + size as u8),
        _ => {
            out.push(long + length.len() as u8);
            out.extend(length);
        }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NonMinimalLength => "with a non-minimal length",
            Self::PaddedLength => "with a padded length",
            Self::LongSingleByte => "a single byte in long form",
            Self::LeadingZero => "with a leading zero",
            Self::TooWide => "too wide",
            Self::ListForString => "a string as a list",
            Self::StringForList => "a list as a string",
            Self::ExtraItem => "with an extra item",
            Self::MissingItem => "with an item missing",
            Self::Overrun => "with a length over the end",
            Self::TrailingByte => "with a trailing byte",
            Self::MissingByte => "without its last byte",
        })
    }
}
