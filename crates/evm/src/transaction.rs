//! THE function that runs one transaction, for both executors, the payload builder and simulation.

use std::sync::Arc;

use alloy_consensus::{EthereumTxEnvelope, Transaction as _, TxEip4844, Typed2718};
use alloy_primitives::{Address, Bytes, Log};
use balsa_chainspec::Fork;
use balsa_state::StateView;
use revm::{
    MainBuilder,
    context::{
        Context, Evm, LocalContext, TxEnv,
        either::Either,
        journal::JournalInner,
        result::{EVMError, ExecutionResult, HaltReason, InvalidTransaction as RevmInvalid},
    },
    handler::{EthFrame, Handler, MainnetHandler, SystemCallTx, instructions::EthInstructions},
    interpreter::interpreter::EthInterpreter,
    primitives::hardfork::SpecId,
    state::TransactionId,
};

use crate::{
    AccountOutcome, BlockEnvironment, CodeCache, Fault, InvalidTransaction, Observation, TransactError, TransactionGas,
    Unobserved,
    database::{DatabaseError, ViewDatabase},
    journal::Journal,
    net_gas_metering,
    precompiles::BlockPrecompiles,
    vast_memory,
};

/// A signed transaction of any type up to EIP-7702, blobs by their hashes only (EIP-2718).
pub type Transaction = EthereumTxEnvelope<TxEip4844>;

/// Caller of system contracts (EIP-4788 and after).
pub(crate) const SYSTEM_ADDRESS: Address = revm::handler::SYSTEM_ADDRESS;

/// Gas of a system call before Amsterdam (EIP-4788, EIP-2935, EIP-7002, EIP-7251).
const SYSTEM_CALL_GAS: u64 = 30_000_000;

pub(crate) type BlockContext<V> =
    Context<revm::context::BlockEnv, TxEnv, revm::context::CfgEnv, ViewDatabase<V>, Journal<V>, (), LocalContext>;
pub(crate) type BlockEvm<V, O> = Evm<
    BlockContext<V>,
    O,
    EthInstructions<EthInterpreter, BlockContext<V>>,
    BlockPrecompiles,
    EthFrame<EthInterpreter>,
>;

/// What a transaction did, apart from state.
#[derive(Clone, Debug)]
pub struct TransactionResult {
    /// Whether it ran to its end; `false` if it reverted or halted.
    pub success: bool,
    /// Gas in the dimensions that blocks and receipts count.
    pub gas: TransactionGas,
    /// Logs, in order; none of a failed transaction, except those that EIP-7708 keeps.
    pub logs: Vec<Log>,
    /// Returned or reverted data.
    pub output: Bytes,
    /// Address of the contract created, if the transaction was to create one and did.
    pub created: Option<Address>,
    /// Why it halted, in the interpreter's words.
    pub halt: Option<String>,
    /// Why it failed, if it did.
    pub fault: Option<Fault>,
}

/// Runs transactions of one block, each on the view that it is given.
///
/// After each run the accounts that it reached are read with [`outcomes`](Self::outcomes); the next run forgets them.
/// Nothing is written to the view.
///
/// `O` says whether runs are watched, and by whom; both ways are the same function.
pub struct TransactionEvm<V: StateView, O = Unobserved> {
    evm: BlockEvm<V, O>,
    keep_empty: bool,
}

impl<V: StateView> TransactionEvm<V> {
    /// An EVM for the block, its first view in place.
    pub fn new(environment: &BlockEnvironment, codes: Arc<CodeCache>, view: V) -> Self {
        Self::observed(environment, codes, view, Unobserved)
    }
}

impl<V: StateView, O: Observation<V>> TransactionEvm<V, O> {
    /// An EVM for the block, its first view in place, whose transactions `observer` watches. System calls are not
    /// watched.
    pub fn observed(environment: &BlockEnvironment, codes: Arc<CodeCache>, view: V, observer: O) -> Self {
        let database = ViewDatabase::new(view, environment.hashes.clone(), codes);
        let journaled_state = Journal { database, inner: JournalInner::new() };
        let context = Context {
            block: environment.block.clone(),
            tx: TxEnv::default(),
            cfg: environment.cfg.clone(),
            journaled_state,
            chain: (),
            local: LocalContext::default(),
            error: Ok(()),
        };
        let precompiles = BlockPrecompiles::new(environment.cfg.spec, environment.precompiles.as_ref());
        let mut evm = context.build_mainnet_with_inspector(observer).with_precompiles(precompiles);
        if environment.rules.fork == Fork::Constantinople {
            net_gas_metering::install(&mut evm);
        }
        vast_memory::install(&mut evm);
        let mut evm = Self { evm, keep_empty: !environment.rules.has(Fork::SpuriousDragon) };
        evm.reset();
        evm
    }

    /// The view that the next run reads.
    pub fn view_mut(&mut self) -> &mut V {
        &mut self.evm.ctx.journaled_state.database.view
    }

    /// Who watches.
    pub fn observer(&self) -> &O {
        &self.evm.inspector
    }

    /// Who watches, to be told something.
    pub fn observer_mut(&mut self) -> &mut O {
        &mut self.evm.inspector
    }

    /// Who watched.
    pub fn into_observer(self) -> O {
        self.evm.inspector
    }

    /// Gives the view back.
    pub fn into_view(self) -> V {
        self.evm.ctx.journaled_state.database.view
    }

    /// Runs a transaction whose sender was recovered from its signature.
    ///
    /// # Errors
    /// [`TransactError::Invalid`] leaves no outcome behind.
    pub fn transact(&mut self, transaction: &Transaction, sender: Address) -> Result<TransactionResult, TransactError> {
        self.reset();
        check_shape(transaction, self.evm.ctx.cfg.spec)?;
        self.evm.ctx.tx = transaction_environment(transaction, sender);
        if self.evm.ctx.cfg.disable_nonce_check {
            // revm refuses the largest nonce (EIP-2681) even where it checks none.
            self.evm.ctx.tx.nonce = 0;
        }
        match O::run(&mut self.evm) {
            Ok(result) => Ok(result.into()),
            Err(error) => {
                self.reset();
                Err(transact_error(error, transaction))
            }
        }
    }

    /// Calls a system contract as the protocol does: no fees, no nonce, no limit of the block (EIP-4788 and after).
    pub fn system_call(&mut self, contract: Address, data: Bytes) -> Result<TransactionResult, TransactError> {
        self.reset();
        self.evm.ctx.tx = TxEnv::new_system_tx_with_caller(SYSTEM_ADDRESS, contract, data);
        // revm adds room for state gas (EIP-8037) whatever the fork.
        if !self.evm.ctx.cfg.spec.is_enabled_in(SpecId::AMSTERDAM) {
            self.evm.ctx.tx.gas_limit = SYSTEM_CALL_GAS;
        }
        match MainnetHandler::<_, EVMError<DatabaseError>, _>::default().run_system_call(&mut self.evm) {
            Ok(result) => {
                // The protocol's calls are not the system address's doing: it stays out of lists (EIP-7928) and state.
                self.evm.ctx.journaled_state.inner.state.remove(&SYSTEM_ADDRESS);
                Ok(result.into())
            }
            Err(EVMError::Database(DatabaseError(error))) => Err(error.into()),
            Err(error) => Err(TransactError::Internal(error.to_string())),
        }
    }

    /// What the last run left behind of each account that it reached.
    pub fn outcomes(&self) -> impl Iterator<Item = AccountOutcome<'_>> {
        let state = &self.evm.ctx.journaled_state.inner.state;
        state.iter().map(|(address, account)| AccountOutcome::from_journal(*address, account, self.keep_empty))
    }

    /// Hands each outcome of the last run to the view that it ran on.
    pub fn apply_outcomes<E>(
        &mut self,
        mut apply: impl FnMut(&mut V, AccountOutcome<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let Journal { database, inner } = &mut self.evm.ctx.journaled_state;
        for (address, account) in &inner.state {
            apply(&mut database.view, AccountOutcome::from_journal(*address, account, self.keep_empty))?;
        }
        Ok(())
    }

    /// Forgets the last run. Tables keep their capacity: a worker runs hundreds of transactions on one EVM.
    fn reset(&mut self) {
        let Journal { database, inner } = &mut self.evm.ctx.journaled_state;
        database.storage_only.clear();
        inner.state.clear();
        inner.transient_storage.clear();
        inner.logs.clear();
        inner.journal.clear();
        inner.depth = 0;
        inner.transaction_id = TransactionId::ZERO;
        inner.warm_addresses.clear_coinbase_and_access_list();
        inner.selfdestructed_addresses.clear();
        self.evm.ctx.error = Ok(());
    }
}

/// Rules on a transaction's form that the interpreter leaves to its caller.
fn check_shape(transaction: &Transaction, spec: SpecId) -> Result<(), InvalidTransaction> {
    let transaction_type = transaction.ty();
    let since = match transaction_type {
        0 => SpecId::FRONTIER,
        1 => SpecId::BERLIN,
        2 => SpecId::LONDON,
        3 => SpecId::CANCUN,
        _ => SpecId::PRAGUE,
    };
    if !spec.is_enabled_in(since) {
        return Err(InvalidTransaction::TypeNotActive { transaction_type });
    }
    if transaction_type == 0 && transaction.chain_id().is_some() && !spec.is_enabled_in(SpecId::SPURIOUS_DRAGON) {
        return Err(InvalidTransaction::ChainId);
    }
    Ok(())
}

fn transaction_environment(transaction: &Transaction, sender: Address) -> TxEnv {
    let authorizations = transaction.authorization_list().unwrap_or_default();
    TxEnv {
        tx_type: transaction.ty(),
        caller: sender,
        gas_limit: transaction.gas_limit(),
        gas_price: transaction.max_fee_per_gas(),
        kind: transaction.kind(),
        value: transaction.value(),
        data: transaction.input().clone(),
        nonce: transaction.nonce(),
        chain_id: transaction.chain_id(),
        access_list: transaction.access_list().cloned().unwrap_or_default(),
        gas_priority_fee: transaction.max_priority_fee_per_gas(),
        blob_hashes: transaction.blob_versioned_hashes().unwrap_or_default().to_vec(),
        max_fee_per_blob_gas: transaction.max_fee_per_blob_gas().unwrap_or_default(),
        authorization_list: authorizations.iter().cloned().map(Either::Left).collect(),
    }
}

impl From<ExecutionResult<HaltReason>> for TransactionResult {
    fn from(result: ExecutionResult<HaltReason>) -> Self {
        let gas = TransactionGas {
            used: result.gas().tx_gas_used(),
            regular: result.gas().block_regular_gas_used(),
            state: result.gas().block_state_gas_used(),
        };
        let success = result.is_success();
        let created = result.created_address();
        let halt = match &result {
            ExecutionResult::Halt { reason, .. } => Some(format!("{reason:?}")),
            _ => None,
        };
        let fault = match &result {
            ExecutionResult::Success { .. } => None,
            ExecutionResult::Revert { .. } => Some(Fault::Reverted),
            ExecutionResult::Halt { reason, .. } => Fault::of(reason.clone().into()),
        };
        let output = result.output().cloned().unwrap_or_default();
        Self { success, gas, logs: result.into_logs(), output, created, halt, fault }
    }
}

fn transact_error(error: EVMError<DatabaseError>, transaction: &Transaction) -> TransactError {
    match error {
        EVMError::Transaction(invalid) => invalid_transaction(invalid, transaction).into(),
        EVMError::Database(DatabaseError(error)) => error.into(),
        EVMError::Header(_) | EVMError::Custom(_) | EVMError::CustomAny(_) => {
            TransactError::Internal(error.to_string())
        }
    }
}

/// revm's reasons in our words.
fn invalid_transaction(invalid: RevmInvalid, transaction: &Transaction) -> InvalidTransaction {
    use InvalidTransaction as Ours;
    let inactive = Ours::TypeNotActive { transaction_type: transaction.ty() };
    match invalid {
        RevmInvalid::PriorityFeeGreaterThanMaxFee => Ours::PriorityFeeAboveMaxFee,
        RevmInvalid::GasPriceLessThanBasefee => Ours::FeeBelowBaseFee,
        RevmInvalid::CallerGasLimitMoreThanBlock => Ours::GasLimitAboveBlock,
        RevmInvalid::CallGasCostMoreThanGasLimit { initial_gas, gas_limit } => {
            Ours::IntrinsicGas { intrinsic: initial_gas, gas_limit }
        }
        RevmInvalid::GasFloorMoreThanGasLimit { gas_floor, gas_limit } => {
            Ours::FloorGas { floor: gas_floor, gas_limit }
        }
        RevmInvalid::RejectCallerWithCode => Ours::SenderHasCode,
        RevmInvalid::LackOfFundForMaxFee { fee, balance } => Ours::InsufficientFunds { cost: *fee, balance: *balance },
        RevmInvalid::OverflowPaymentInTransaction => Ours::CostOverflow,
        RevmInvalid::NonceOverflowInTransaction => Ours::NonceMax,
        RevmInvalid::NonceTooHigh { tx, state } => Ours::NonceTooHigh { transaction: tx, sender: state },
        RevmInvalid::NonceTooLow { tx, state } => Ours::NonceTooLow { transaction: tx, sender: state },
        RevmInvalid::CreateInitCodeSizeLimit => Ours::InitcodeSize,
        RevmInvalid::InvalidChainId | RevmInvalid::MissingChainId => Ours::ChainId,
        RevmInvalid::TxGasLimitGreaterThanCap { gas_limit, cap } => Ours::GasLimitAboveCap { gas_limit, cap },
        RevmInvalid::BlobGasPriceGreaterThanMax { block_blob_gas_price, tx_max_fee_per_blob_gas } => {
            Ours::BlobFeeBelowBaseFee { base: block_blob_gas_price, max: tx_max_fee_per_blob_gas }
        }
        RevmInvalid::EmptyBlobs => Ours::NoBlobs,
        RevmInvalid::BlobCreateTransaction => Ours::BlobCreate,
        RevmInvalid::TooManyBlobs { max, have } => Ours::BlobCount { count: have, max },
        RevmInvalid::BlobVersionNotSupported => Ours::BlobVersion,
        RevmInvalid::EmptyAuthorizationList => Ours::NoAuthorizations,
        RevmInvalid::AuthorizationListInvalidFields => Ours::AuthorizationCreate,
        RevmInvalid::AccessListNotSupported
        | RevmInvalid::MaxFeePerBlobGasNotSupported
        | RevmInvalid::BlobVersionedHashesNotSupported
        | RevmInvalid::AuthorizationListNotSupported
        | RevmInvalid::Eip2930NotSupported
        | RevmInvalid::Eip1559NotSupported
        | RevmInvalid::Eip4844NotSupported
        | RevmInvalid::Eip7702NotSupported
        | RevmInvalid::Eip7873NotSupported => inactive,
        RevmInvalid::Eip7873MissingTarget => Ours::Other("initcode transaction without target".into()),
        RevmInvalid::Str(message) => Ours::Other(message.into_owned()),
    }
}
