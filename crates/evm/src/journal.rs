//! revm's journal, with one rule more.
//!
//! revm decides whether a creation collides by nonce and code alone. EIP-7610 adds storage: an account left without
//! nonce and code but with slots (possible before EIP-161) must not be created upon. Everything else is passed on.

use alloy_primitives::{
    Address, B256, Log, U256,
    map::{AddressMap, AddressSet, HashSet},
};
use balsa_state::StateView;
use revm::{
    bytecode::Bytecode,
    context::{JournalEntry, journal::JournalInner},
    context_interface::{
        context::{SStoreResult, SelfDestructResult, StateLoad},
        journaled_state::{
            AccountInfoLoad, AccountLoad, JournalCheckpoint, JournalLoadError, JournalTr, TransferError,
            account::JournaledAccount,
        },
    },
    inspector::JournalExt,
    primitives::hardfork::SpecId,
    state::{Account, EvmState},
};

use crate::database::{DatabaseError, ViewDatabase};

type LoadResult<T> = Result<StateLoad<T>, DatabaseError>;
type SkippableResult<T> = Result<T, JournalLoadError<DatabaseError>>;

/// The journal of one transaction.
pub struct Journal<V> {
    pub(crate) database: ViewDatabase<V>,
    pub(crate) inner: JournalInner<JournalEntry>,
}

impl<V: StateView> JournalTr for Journal<V> {
    type Database = ViewDatabase<V>;
    type State = EvmState;
    type JournaledAccount<'a>
        = JournaledAccount<'a, ViewDatabase<V>, JournalEntry>
    where
        V: 'a;

    fn new(database: ViewDatabase<V>) -> Self {
        Self { database, inner: JournalInner::new() }
    }

    fn create_account_checkpoint(
        &mut self,
        caller: Address,
        address: Address,
        balance: U256,
        spec_id: SpecId,
    ) -> Result<JournalCheckpoint, TransferError> {
        if self.database.storage_only.contains(&address) {
            return Err(TransferError::CreateCollision);
        }
        self.inner.create_account_checkpoint(caller, address, balance, spec_id)
    }

    fn db_and_state(&self) -> (&ViewDatabase<V>, &EvmState) {
        (&self.database, &self.inner.state)
    }

    fn db_and_state_mut(&mut self) -> (&mut ViewDatabase<V>, &mut EvmState) {
        (&mut self.database, &mut self.inner.state)
    }

    fn sload_skip_cold_load(&mut self, address: Address, key: U256, skip: bool) -> SkippableResult<StateLoad<U256>> {
        self.inner.sload_assume_account_present(&mut self.database, address, key, skip)
    }

    fn sstore_skip_cold_load(
        &mut self,
        address: Address,
        key: U256,
        value: U256,
        skip: bool,
    ) -> SkippableResult<StateLoad<SStoreResult>> {
        self.inner.sstore_assume_account_present(&mut self.database, address, key, value, skip)
    }

    fn tload(&mut self, address: Address, key: U256) -> U256 {
        self.inner.tload(address, key)
    }

    fn tstore(&mut self, address: Address, key: U256, value: U256) {
        self.inner.tstore(address, key, value);
    }

    fn log(&mut self, log: Log) {
        self.inner.log(log);
    }

    fn take_logs(&mut self) -> Vec<Log> {
        self.inner.take_logs()
    }

    fn logs(&self) -> &[Log] {
        &self.inner.logs
    }

    fn selfdestruct(
        &mut self,
        address: Address,
        target: Address,
        skip: bool,
    ) -> SkippableResult<StateLoad<SelfDestructResult>> {
        self.inner.selfdestruct(&mut self.database, address, target, skip)
    }

    fn warm_access_list(&mut self, access_list: AddressMap<HashSet<U256>>) {
        self.inner.warm_addresses.set_access_list(access_list);
    }

    fn warm_coinbase_account(&mut self, address: Address) {
        self.inner.warm_addresses.set_coinbase(address);
    }

    fn warm_precompiles(&mut self, addresses: &AddressSet) {
        self.inner.warm_addresses.set_precompile_addresses(addresses);
    }

    fn precompile_addresses(&self) -> &AddressSet {
        self.inner.warm_addresses.precompiles()
    }

    fn set_spec_id(&mut self, spec_id: SpecId) {
        self.inner.cfg.spec = spec_id;
    }

    fn set_eip7708_config(&mut self, disabled: bool, delayed_clear_disabled: bool) {
        self.inner.set_eip7708_config(disabled, delayed_clear_disabled);
    }

    fn touch_account(&mut self, address: Address) {
        self.inner.touch(address);
    }

    fn transfer(&mut self, from: Address, to: Address, balance: U256) -> Result<Option<TransferError>, DatabaseError> {
        self.inner.transfer(&mut self.database, from, to, balance)
    }

    fn transfer_loaded(&mut self, from: Address, to: Address, balance: U256) -> Option<TransferError> {
        self.inner.transfer_loaded(from, to, balance)
    }

    #[expect(deprecated, reason = "the trait still asks for it")]
    fn caller_accounting_journal_entry(&mut self, address: Address, old_balance: U256, bump_nonce: bool) {
        self.inner.caller_accounting_journal_entry(address, old_balance, bump_nonce);
    }

    fn balance_incr(&mut self, address: Address, balance: U256) -> Result<(), DatabaseError> {
        self.inner.balance_incr(&mut self.database, address, balance)
    }

    #[expect(deprecated, reason = "the trait still asks for it")]
    fn nonce_bump_journal_entry(&mut self, address: Address) {
        self.inner.nonce_bump_journal_entry(address);
    }

    fn load_account(&mut self, address: Address) -> LoadResult<&Account> {
        self.inner.load_account(&mut self.database, address)
    }

    fn load_account_with_code(&mut self, address: Address) -> LoadResult<&Account> {
        self.inner.load_code(&mut self.database, address)
    }

    fn load_account_delegated(&mut self, address: Address) -> LoadResult<AccountLoad> {
        self.inner.load_account_delegated(&mut self.database, address)
    }

    fn load_account_mut_skip_cold_load(
        &mut self,
        address: Address,
        skip: bool,
    ) -> SkippableResult<StateLoad<Self::JournaledAccount<'_>>> {
        self.inner.load_account_mut_optional(&mut self.database, address, skip)
    }

    fn load_account_mut_optional_code(
        &mut self,
        address: Address,
        load_code: bool,
    ) -> LoadResult<Self::JournaledAccount<'_>> {
        self.inner
            .load_account_mut_optional_code(&mut self.database, address, load_code, false)
            .map_err(JournalLoadError::unwrap_db_error)
    }

    fn load_account_info_skip_cold_load(
        &mut self,
        address: Address,
        load_code: bool,
        skip: bool,
    ) -> SkippableResult<AccountInfoLoad<'_>> {
        let spec = self.inner.cfg.spec;
        let load = self.inner.load_account_optional(&mut self.database, address, load_code, skip)?;
        Ok(AccountInfoLoad::new(&load.data.info, load.is_cold, load.state_clear_aware_is_empty(spec)))
    }

    fn set_code_with_hash(&mut self, address: Address, code: Bytecode, hash: B256) {
        self.inner.set_code_with_hash(address, code, hash);
    }

    fn checkpoint(&mut self) -> JournalCheckpoint {
        self.inner.checkpoint()
    }

    fn checkpoint_commit(&mut self) {
        self.inner.checkpoint_commit();
    }

    fn checkpoint_revert(&mut self, checkpoint: JournalCheckpoint) {
        self.inner.checkpoint_revert(checkpoint);
    }

    fn depth(&self) -> usize {
        self.inner.depth
    }

    fn commit_tx(&mut self) {
        self.inner.commit_tx();
    }

    fn discard_tx(&mut self) {
        self.inner.discard_tx();
    }

    fn finalize(&mut self) -> EvmState {
        self.inner.finalize()
    }
}

impl<V: StateView> JournalExt for Journal<V> {
    fn journal(&self) -> &[JournalEntry] {
        &self.inner.journal
    }
}
