//! The stream of transactions: what is sent, by whom, in what order. It follows from the parameters alone, so it can be
//! drawn and signed ahead of execution.
//!
//! The plan keeps what a set of honest wallets would know: nonces, who owns which collectible, which rows are
//! filled, which contracts can still be destroyed. That holds as long as the chain takes every transaction in order,
//! which the generator checks.

mod contracts;
mod failures;
mod payments;
mod protocol;
mod storage;
mod trades;

use std::sync::Arc;

use alloy_eips::eip2930::{AccessList, AccessListItem};
use alloy_primitives::{Address, B256, TxKind, U256};

use crate::abi::{slot_of, word};
use crate::contracts::token_layout::BALANCES;
use crate::intent::{Call, Delegation, Form, Intent};
use crate::kind::Kind;
use crate::params::{ContentionParams, Params, ParamsError, Range, SizeParams};
use crate::random::Random;
use crate::world::{OLD_MORTALS, World};

/// Tips lie below this, in wei a gas.
const PRIORITY_FEE_MAX: u64 = 3_000_000_000;

/// The endless stream of a load's transactions.
#[derive(Clone, Debug)]
pub struct Plan {
    world: Arc<World>,
    size: SizeParams,
    contention: ContentionParams,
    /// Kinds with the running sum of their weights.
    weights: Vec<(u64, Kind)>,
    random: Random,
    known: Known,
}

/// What the wallets know of the chain.
#[derive(Clone, Debug)]
struct Known {
    nonces: Vec<u64>,
    last_sender: usize,
    /// How many addresses were made up so far.
    strangers: u64,
    approvals: Vec<Approval>,
    /// Owners of each collection's pieces, by id.
    pieces: Vec<Vec<usize>>,
    /// Ranges of filled rows: ledger, first row, count.
    rows: Vec<FilledRows>,
    /// The next free row of each ledger.
    free_rows: Vec<u64>,
    /// Contracts that can be destroyed.
    mortals: Vec<Address>,
    /// How many salts were used with the factory.
    salts: u64,
    /// Signers whose account is delegated.
    delegated: Vec<usize>,
}

/// `owner` lets `spender` have some of a token.
#[derive(Clone, Copy, Debug)]
struct Approval {
    token: usize,
    owner: usize,
    spender: usize,
}

#[derive(Clone, Copy, Debug)]
struct FilledRows {
    ledger: usize,
    first: u64,
    count: u64,
}

impl Plan {
    /// The plan of `params` in its `world`.
    ///
    /// # Errors
    /// [`ParamsError`] where the parameters do not hold together.
    pub fn new(params: &Params, world: Arc<World>) -> Result<Self, ParamsError> {
        params.check()?;
        let fork = params.rulebook()?.fork;
        let occurring = params.mix.iter().filter(|(kind, weight)| kind.exists_in(fork) && **weight > 0);
        let weights = occurring.scan(0, |sum, (kind, weight)| {
            *sum += weight;
            Some((*sum, *kind))
        });
        let known = Known {
            nonces: vec![0; world.signers.len()],
            last_sender: 0,
            strangers: 0,
            approvals: Vec::new(),
            pieces: vec![Vec::new(); world.nfts.len()],
            rows: Vec::new(),
            free_rows: vec![0; world.ledgers.len()],
            mortals: (0..OLD_MORTALS).map(|index| world.old_mortal(index)).collect(),
            salts: 0,
            delegated: Vec::new(),
        };
        Ok(Self {
            size: params.size.clone(),
            contention: params.contention.clone(),
            weights: weights.collect(),
            random: Random::stream(params.seed, "plan"),
            known,
            world,
        })
    }

    /// The next transaction. There is always one.
    pub fn next_intent(&mut self) -> Intent {
        let kind = self.draw_kind();
        match kind {
            Kind::Blob => self.blob(),
            Kind::SetCode => self.set_code(),
            _ => {
                let sender = self.draw_sender(kind);
                let call = self.call(kind, sender);
                let form = self.draw_form(sender, &call);
                self.intent(kind, sender, call, form)
            }
        }
    }

    fn call(&mut self, kind: Kind, sender: usize) -> Call {
        match kind {
            Kind::Transfer => self.transfer(),
            Kind::TransferNew => self.transfer_new(),
            Kind::TokenTransfer => self.token_transfer(),
            Kind::TokenApprove => self.token_approve(sender),
            Kind::TokenTransferFrom => self.token_transfer_from(sender),
            Kind::NftMint => self.nft_mint(sender),
            Kind::NftTransfer => self.nft_transfer(sender),
            Kind::Swap => self.swap(1),
            Kind::SwapRoute => self.swap_route(),
            Kind::StorageWrite => self.storage_write(),
            Kind::StorageClear => self.storage_clear(),
            Kind::StorageRead => self.storage_read(),
            Kind::Hash => self.hash(),
            Kind::Precompiles => self.precompiles(),
            Kind::Deploy => self.deploy(),
            Kind::FactoryCreate => self.factory_create(),
            Kind::FactoryCreate2 => self.factory_create2(),
            Kind::DestroySame => self.destroy_same(),
            Kind::DestroyOld => self.destroy_old(),
            Kind::Revert => self.revert(),
            Kind::OutOfGas => self.out_of_gas(),
            Kind::DeepCall => self.deep_call(),
            Kind::Observe => self.observe(),
            Kind::Tip => self.tip(),
            Kind::DelegatedCall => self.delegated_call(),
            Kind::Deposit => self.deposit(),
            Kind::WithdrawalRequest => self.withdrawal_request(),
            Kind::ConsolidationRequest => self.consolidation_request(),
            Kind::BuilderDeposit => self.builder_deposit(),
            Kind::BuilderExit => self.builder_exit(),
            Kind::Blob | Kind::SetCode => unreachable!("these have a form of their own"),
        }
    }

    fn intent(&mut self, kind: Kind, sender: usize, call: Call, form: Form) -> Intent {
        let nonce = self.known.nonces[sender];
        self.known.nonces[sender] += 1;
        self.known.last_sender = sender;
        let priority_fee = self.random.below(PRIORITY_FEE_MAX);
        Intent { kind, sender, nonce, call, priority_fee, form }
    }

    fn draw_kind(&mut self) -> Kind {
        let total = self.weights.last().map_or(0, |(sum, _)| *sum);
        let drawn = self.random.below(total);
        let position = self.weights.partition_point(|(sum, _)| *sum <= drawn);
        self.weights[position].1
    }

    /// Who sends: anyone, or whoever sent before; a piece is sold by its owner, others' tokens are moved by who may.
    fn draw_sender(&mut self, kind: Kind) -> usize {
        let entitled = match kind {
            Kind::NftTransfer => self.draw_owner(),
            Kind::TokenTransferFrom if self.random.chance(900) => self.draw_spender(),
            _ => None,
        };
        if let Some(entitled) = entitled {
            return entitled;
        }
        match self.random.chance(self.contention.same_sender_permille) {
            true => self.known.last_sender,
            false => self.random.index(self.world.signers.len()),
        }
    }

    /// Any of `count` things, or, as contention has it, the first.
    fn draw_hot(&mut self, count: usize) -> usize {
        match self.random.chance(self.contention.hot_permille) {
            true => 0,
            false => self.random.index(count),
        }
    }

    /// An account that is there: a holder for the most part, else a signer.
    fn draw_recipient(&mut self) -> Address {
        if self.random.chance(self.contention.hot_permille / 4) {
            return self.world.holder(0);
        }
        match self.random.chance(700) {
            true => self.world.holder(self.random.below(self.world.holders)),
            false => self.world.signers[self.random.index(self.world.signers.len())].address,
        }
    }

    /// An address that nobody has used before.
    fn stranger(&mut self) -> Address {
        self.known.strangers += 1;
        crate::accounts::address(self.world.seed, "stranger", self.known.strangers)
    }

    fn draw_in(&mut self, Range { min, max }: Range) -> u64 {
        self.random.between(min, max)
    }

    /// One of the types that every call can have, sometimes with an access list: of what is touched, and of what is not.
    fn draw_form(&mut self, sender: usize, call: &Call) -> Form {
        match self.random.below(100) {
            0..15 => Form::Legacy,
            15..23 => Form::AccessList(self.draw_access_list(sender, call)),
            23..27 => Form::DynamicFee(self.draw_access_list(sender, call)),
            _ => Form::DynamicFee(AccessList::default()),
        }
    }

    fn draw_access_list(&mut self, sender: usize, call: &Call) -> AccessList {
        let mut items = Vec::new();
        if let TxKind::Call(to) = call.to {
            let balance = slot_of(word(self.world.signers[sender].address), BALANCES);
            items.push(AccessListItem { address: to, storage_keys: vec![balance.into(), B256::ZERO] });
        }
        if self.random.chance(500) {
            let never_touched = self.stranger();
            items.push(AccessListItem { address: never_touched, storage_keys: vec![self.random.hash()] });
        }
        AccessList(items)
    }

    /// A small amount of ether, in wei.
    fn draw_wei(&mut self) -> U256 {
        U256::from(self.random.between(1, 1_000_000_000_000_000))
    }

    /// A small amount of a token.
    fn draw_tokens(&mut self) -> U256 {
        U256::from(self.random.between(1, 1_000_000_000_000_000_000))
    }

    /// An authorisation by `authority`, whose nonce it uses up.
    fn authorise(&mut self, authority: usize, target: Address, chain_id: u64) -> Delegation {
        let nonce = self.known.nonces[authority];
        self.known.nonces[authority] += 1;
        Delegation { authority, target, nonce, chain_id }
    }
}
