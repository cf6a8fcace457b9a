//! Records to canonical RLP.

use crate::{AccountChanges, Change, SlotChanges};
use alloy_primitives::{Bytes, U256};
use alloy_rlp::{BufMut, Encodable, Header};

/// The RLP of a list. Canonical if the records are in canonical order, see [`crate::ListBuilder`].
pub fn encode(accounts: &[AccountChanges]) -> Bytes {
    let mut out = Vec::with_capacity(list_length(accounts));
    encode_list(accounts, &mut out);
    out.into()
}

impl Encodable for AccountChanges {
    fn length(&self) -> usize {
        let payload = self.payload_length();
        payload + header_length(payload)
    }

    fn encode(&self, out: &mut dyn BufMut) {
        Header { list: true, payload_length: self.payload_length() }.encode(out);
        self.address.encode(out);
        encode_list(&self.storage_changes, out);
        encode_list::<U256>(&self.storage_reads, out);
        encode_list(&self.balance_changes, out);
        encode_list(&self.nonce_changes, out);
        encode_list(&self.code_changes, out);
    }
}

impl AccountChanges {
    fn payload_length(&self) -> usize {
        self.address.length()
            + list_length(&self.storage_changes)
            + list_length(&self.storage_reads)
            + list_length(&self.balance_changes)
            + list_length(&self.nonce_changes)
            + list_length(&self.code_changes)
    }
}

impl Encodable for SlotChanges {
    fn length(&self) -> usize {
        let payload = self.slot.length() + list_length(&self.changes);
        payload + header_length(payload)
    }

    fn encode(&self, out: &mut dyn BufMut) {
        let payload_length = self.slot.length() + list_length(&self.changes);
        Header { list: true, payload_length }.encode(out);
        self.slot.encode(out);
        encode_list(&self.changes, out);
    }
}

impl<T: Encodable> Encodable for Change<T> {
    fn length(&self) -> usize {
        let payload = self.block_access_index.length() + self.post.length();
        payload + header_length(payload)
    }

    fn encode(&self, out: &mut dyn BufMut) {
        let payload_length = self.block_access_index.length() + self.post.length();
        Header { list: true, payload_length }.encode(out);
        self.block_access_index.encode(out);
        self.post.encode(out);
    }
}

fn encode_list<T: Encodable>(items: &[T], out: &mut dyn BufMut) {
    Header { list: true, payload_length: payload_length(items) }.encode(out);
    for item in items {
        item.encode(out);
    }
}

fn list_length<T: Encodable>(items: &[T]) -> usize {
    let payload = payload_length(items);
    payload + header_length(payload)
}

fn payload_length<T: Encodable>(items: &[T]) -> usize {
    items.iter().map(Encodable::length).sum()
}

fn header_length(payload_length: usize) -> usize {
    alloy_rlp::length_of_length(payload_length)
}
