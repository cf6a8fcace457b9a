//! The block that is being built.

use alloy_consensus::{Header, Transaction as _};
use alloy_eips::eip2718::Encodable2718;
use alloy_eips::eip7685::Requests;
use alloy_primitives::{Address, Bytes, U256};
use alloy_rlp::Encodable;
use balsa_bal::item_count_max;
use balsa_chainspec::{Fork, GAS_PER_BLOB, Rules};
use balsa_evm::{AdmissionError, BlockEnvironment, InvalidTransaction, TransactError, Transaction};
use balsa_executor::{
    BlockInProgress, ClosedBlock, Closing, ExecuteError, Executor, InternalError, Parent, ReceiptsSummary, Refused,
    SealedBlock, Taken,
};
use balsa_trie::{NodeChanges, StateTrie, ordered_root};
use thiserror::Error;

use crate::{Attributes, AttributesError};

/// Room for what a block's RLP holds beside transactions and withdrawals: its header, and length prefixes.
const BLOCK_OVERHEAD_BYTES: usize = 2048;
/// The most that the length prefix of one transaction takes, in bytes.
const LENGTH_PREFIX_MAX: usize = 9;
/// How many transactions to make room for.
const TRANSACTIONS_EXPECTED: usize = 512;

/// A block to which transactions can be added until it is sealed.
pub struct BlockBuilder<'a> {
    rules: Rules,
    header: Header,
    attributes: Attributes,
    open: BlockInProgress<'a>,
    transactions: Vec<Transaction>,
    blobs: u64,
    /// Upper bound of the block's RLP, in bytes.
    rlp_len: usize,
    /// Tips so far, in wei.
    value: U256,
}

/// A block that was built. Valid, as far as the executor's own rules go: it was executed by them.
#[derive(Clone, Debug)]
pub struct BuiltBlock {
    /// The block with its header and hash.
    pub block: SealedBlock,
    /// The receipts with their root and bloom.
    pub receipts: ReceiptsSummary,
    /// Requests to the consensus layer (EIP-7685).
    pub requests: Requests,
    /// The block access list, where the rules ask for one (EIP-7928).
    pub list: Option<Bytes>,
    /// What the fee recipient gets in tips, in wei.
    pub value: U256,
    /// The flat change of state.
    pub diff: balsa_state::StateDiff,
    /// The trie after the block.
    pub trie: StateTrie,
    /// Nodes to persist.
    pub nodes: NodeChanges,
}

/// Why a transaction is passed over. The block is as it was before; whether the transaction could stand in it later, or
/// in another block, is for the caller to see from the reason.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Skipped {
    /// It does not fit what is left of the block's gas.
    #[error(transparent)]
    Gas(#[from] AdmissionError),
    /// It may not stand here.
    #[error(transparent)]
    Invalid(#[from] InvalidTransaction),
    /// The block would have too many blobs (EIP-4844).
    #[error("{blobs} more blobs do not fit the {available} that are left")]
    Blobs {
        /// Of the transaction.
        blobs: u64,
        /// What the block has left.
        available: u64,
    },
    /// The block would become too long (EIP-7934).
    #[error("{len} more bytes do not fit the {available} that are left")]
    Size {
        /// Of the transaction.
        len: usize,
        /// What the block has left.
        available: usize,
    },
}

/// Why no block could be built. Says nothing about any transaction.
#[derive(Debug, Error)]
pub enum BuildError {
    /// No block can have these attributes.
    #[error(transparent)]
    Attributes(#[from] AttributesError),
    /// The calls around the transactions failed, or state could not be read.
    #[error(transparent)]
    Execute(#[from] ExecuteError),
    /// More accounts and slots were touched than the gas limit allows (EIP-7928). Each costs a transaction at least
    /// as much gas as it counts for, so only what the protocol itself touches can take a block of a tiny gas limit here.
    #[error("block access list has {items} items, the gas limit allows {max}")]
    ListItems {
        /// Accounts and slots in the list.
        items: u64,
        /// Gas limit over 2000.
        max: u64,
    },
}

impl<'a> BlockBuilder<'a> {
    /// Opens a block on `parent`: index 0 has run when this returns.
    ///
    /// # Errors
    /// See [`BuildError`].
    pub fn open(executor: &Executor, parent: &'a Parent, attributes: Attributes) -> Result<Self, BuildError> {
        let (rules, header) = attributes.header(executor.spec(), parent.hash, &parent.header)?;
        let environment = BlockEnvironment::new(rules, &header, parent.hashes.clone());
        let open = BlockInProgress::open(parent, &environment, executor.codes(), &header, TRANSACTIONS_EXPECTED)?;
        let rlp_len = BLOCK_OVERHEAD_BYTES + attributes.withdrawals.as_ref().map_or(0, Encodable::length);
        let (transactions, blobs, value) = (Vec::new(), 0, U256::ZERO);
        Ok(Self { rules, header, attributes, open, transactions, blobs, rlp_len, value })
    }

    /// The header as far as it stands: what is fixed before execution.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// What the header would call gas used if the block were sealed now.
    pub fn gas_used(&self) -> u64 {
        self.open.gas_used()
    }

    /// How many transactions the block has.
    pub fn transaction_count(&self) -> usize {
        self.transactions.len()
    }

    /// Runs a transaction, whose sender was recovered from its signature, and adds it.
    ///
    /// # Errors
    /// The outer result is for what this node could not do; the inner one says why the transaction is passed over.
    pub fn add(&mut self, transaction: &Transaction, sender: Address) -> Result<Result<Taken, Skipped>, InternalError> {
        let blobs = transaction.blob_count().unwrap_or(0);
        let len = transaction.encode_2718_len() + LENGTH_PREFIX_MAX;
        if let Err(skipped) = self.fits(blobs, len) {
            return Ok(Err(skipped));
        }
        let taken = match self.open.take(transaction, sender) {
            Ok(taken) => taken,
            Err(Refused::Admission(error)) => return Ok(Err(error.into())),
            Err(Refused::Transact(TransactError::Invalid(error))) => return Ok(Err(error.into())),
            Err(Refused::Transact(TransactError::State(error))) => return Err(error.into()),
            Err(Refused::Transact(TransactError::Internal(message))) => {
                return Err(InternalError::Interpreter(message));
            }
            Err(Refused::Internal(error)) => return Err(error),
        };
        let tip = transaction.effective_tip_per_gas(self.header.base_fee_per_gas.unwrap_or(0)).unwrap_or(0);
        self.value += U256::from(tip) * U256::from(taken.gas.used);
        self.blobs += blobs;
        self.rlp_len += len;
        self.transactions.push(transaction.clone());
        Ok(Ok(taken))
    }

    /// Closes the block, computes its roots, and seals it.
    ///
    /// # Errors
    /// See [`BuildError`].
    pub fn seal(self) -> Result<BuiltBlock, BuildError> {
        let Self { rules, mut header, attributes, open, transactions, blobs, value, .. } = self;
        let withdrawals = attributes.withdrawals;
        let closing = Closing { ommers: &[], withdrawals: withdrawals.as_deref().map_or(&[], |all| all) };
        let ClosedBlock { receipts, gas_used, requests, list, diff, after } = open.close(closing)?;
        let max = item_count_max(header.gas_limit);
        if let Some(items) = list.as_ref().map(|list| list.items).filter(|items| *items > max) {
            return Err(BuildError::ListItems { items, max });
        }

        header.gas_used = gas_used;
        header.blob_gas_used = rules.blobs.map(|_| blobs * GAS_PER_BLOB);
        header.state_root = after.root;
        header.receipts_root = receipts.root;
        header.logs_bloom = receipts.bloom;
        header.transactions_root =
            ordered_root(&transactions.iter().map(Encodable2718::encoded_2718).collect::<Vec<_>>());
        header.withdrawals_root = withdrawals
            .as_ref()
            .map(|withdrawals| ordered_root(&withdrawals.iter().map(alloy_rlp::encode).collect::<Vec<_>>()));
        header.requests_hash = rules.has(Fork::Prague).then(|| requests.requests_hash());
        header.block_access_list_hash = list.as_ref().map(|list| list.hash);

        let block = SealedBlock::from_parts(header, transactions, Vec::new(), withdrawals);
        let list = list.map(|list| list.bytes);
        Ok(BuiltBlock { block, receipts, requests, list, value, diff, trie: after.trie, nodes: after.nodes })
    }

    fn fits(&self, blobs: u64, len: usize) -> Result<(), Skipped> {
        let available = self.rules.blobs.map_or(0, |rules| rules.max).saturating_sub(self.blobs);
        if blobs > available {
            return Err(Skipped::Blobs { blobs, available });
        }
        let available = self.rules.block_bytes_max.unwrap_or(usize::MAX).saturating_sub(self.rlp_len);
        if len > available {
            return Err(Skipped::Size { len, available });
        }
        Ok(())
    }
}
