//! Requests to the consensus layer (EIP-7685).

use alloy_consensus::TxReceipt;
use alloy_primitives::{Address, B256, Bytes, Log, address, b256};
use balsa_chainspec::{Fork, Rules};
use thiserror::Error;

/// Type of deposit requests (EIP-6110).
pub(crate) const DEPOSIT_TYPE: u8 = 0;

/// `DepositEvent(bytes,bytes,bytes,bytes,bytes)`.
const DEPOSIT_TOPIC: B256 = b256!("649bbc62d0e31342afea4e5cd82d4049e7e1ee912fc0889aa790803be39038c5");

/// The five fields of a deposit event: offset of the length word in the event's data, and length (EIP-6110).
const DEPOSIT_FIELDS: [(usize, usize); 5] = [(160, 48), (256, 32), (320, 8), (384, 96), (512, 8)];

/// Length of a deposit event's data, bytes.
const DEPOSIT_DATA_LEN: usize = 576;

/// A predeploy whose queue is read at the end of each block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestContract {
    /// Where it is.
    pub address: Address,
    /// EIP-7685 type of its requests.
    pub request_type: u8,
}

impl RequestContract {
    /// The predeploys that a block of these rules calls, in order.
    pub fn all(rules: &Rules) -> &'static [Self] {
        const fn contract(address: Address, request_type: u8) -> RequestContract {
            RequestContract { address, request_type }
        }
        const ALL: [RequestContract; 4] = [
            // EIP-7002 withdrawals, EIP-7251 consolidations.
            contract(address!("0x00000961Ef480Eb55e80D19ad83579A64c007002"), 1),
            contract(address!("0x0000BBdDc7CE488642fb579F8B00f3a590007251"), 2),
            // EIP-8282 builder deposits, builder exits.
            contract(address!("0x0000BFF46984E3725691FA540A8C7589300D8282"), 3),
            contract(address!("0x000064D678505AD48F8CCB093BC65613800E8282"), 4),
        ];
        if rules.has(Fork::Amsterdam) {
            &ALL
        } else if rules.has(Fork::Prague) {
            &ALL[..2]
        } else {
            &[]
        }
    }
}

/// A log of the deposit contract that is not laid out as a deposit: the block is invalid (EIP-6110).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DepositError {
    /// The data is not of a deposit's length.
    #[error("deposit event of {0} bytes, not {DEPOSIT_DATA_LEN}")]
    Length(usize),
    /// A field does not stand where it must, or not with its length.
    #[error("field {field} of a deposit event is misplaced or mis-sized")]
    Field {
        /// 0 public key, 1 withdrawal credentials, 2 amount, 3 signature, 4 index.
        field: usize,
    },
}

/// The deposits that the block's logs announce, joined, without the type byte (EIP-6110).
pub fn deposit_requests<R>(rules: &Rules, receipts: &[R]) -> Result<Bytes, DepositError>
where
    R: TxReceipt<Log = Log>,
{
    let mut requests = Vec::new();
    for log in receipts.iter().flat_map(|receipt| receipt.logs()) {
        if log.address == rules.deposit_contract && log.topics().first() == Some(&DEPOSIT_TOPIC) {
            append_deposit(&log.data.data, &mut requests)?;
        }
    }
    Ok(requests.into())
}

fn append_deposit(data: &[u8], requests: &mut Vec<u8>) -> Result<(), DepositError> {
    if data.len() != DEPOSIT_DATA_LEN {
        return Err(DepositError::Length(data.len()));
    }
    for (field, (at, len)) in DEPOSIT_FIELDS.into_iter().enumerate() {
        if !is_word(&data[field * 32..][..32], at) || !is_word(&data[at..][..32], len) {
            return Err(DepositError::Field { field });
        }
        requests.extend_from_slice(&data[at + 32..][..len]);
    }
    Ok(())
}

/// Whether 32 big-endian bytes say `value`.
fn is_word(word: &[u8], value: usize) -> bool {
    let (high, low) = word.split_at(24);
    high.iter().all(|byte| *byte == 0) && low == (value as u64).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A well-formed deposit event: every field filled with its number.
    fn event() -> Vec<u8> {
        let mut data = vec![0; DEPOSIT_DATA_LEN];
        for (field, (at, len)) in DEPOSIT_FIELDS.into_iter().enumerate() {
            data[field * 32 + 24..][..8].copy_from_slice(&(at as u64).to_be_bytes());
            data[at + 24..][..8].copy_from_slice(&(len as u64).to_be_bytes());
            data[at + 32..][..len].fill(field as u8 + 1);
        }
        data
    }

    #[test]
    fn joins_the_fields_without_padding() {
        let mut requests = Vec::new();
        append_deposit(&event(), &mut requests).unwrap();
        let wanted = [vec![1; 48], vec![2; 32], vec![3; 8], vec![4; 96], vec![5; 8]].concat();
        assert_eq!(requests, wanted);
    }

    #[test]
    fn rejects_what_is_not_laid_out_so() {
        let check = |change: &dyn Fn(&mut Vec<u8>), error| {
            let mut data = event();
            change(&mut data);
            assert_eq!(append_deposit(&data, &mut Vec::new()), Err(error));
        };
        check(&|data| data.push(0), DepositError::Length(577));
        check(&|data| data.truncate(575), DepositError::Length(575));
        check(&|data| data[63] ^= 1, DepositError::Field { field: 1 });
        check(&|data| data[0] = 1, DepositError::Field { field: 0 });
        check(&|data| data[512 + 31] = 9, DepositError::Field { field: 4 });
    }
}
