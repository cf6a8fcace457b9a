//! What a block does before and after its transactions, in the specification's order.

use std::sync::Arc;

use alloy_consensus::Header;
use alloy_eips::{eip4895::Withdrawal, eip7685::Requests};
use alloy_primitives::{Address, B256, Bytes, U256, address};
use balsa_chainspec::Fork;
use balsa_state::{EMPTY_CODE_HASH, StateView};

use crate::{
    BlockEnvironment, CodeCache, Phase, PhaseError, RequestContract, TransactionEvm,
    dao::{DRAINED, REFUND_CONTRACT},
    requests::DEPOSIT_TYPE,
};

/// EIP-4788.
const BEACON_ROOTS: Address = address!("0x000F3df6D732807Ef1319fB7B8bB8522d0Beac02");
/// EIP-2935.
const HISTORY_STORAGE: Address = address!("0x0000F90827F1C53a10cb7A02335B175320002935");

/// Wei in a gwei: withdrawals are given in gwei (EIP-4895).
const GWEI: u64 = 1_000_000_000;

/// The calls before the first transaction, block access index 0: the parent beacon block's root into its ring
/// (EIP-4788), the parent's hash into the history (EIP-2935). A contract without code, or one that fails, changes
/// nothing and harms nothing.
pub fn before_transactions<V: StateView>(
    environment: &BlockEnvironment,
    codes: &Arc<CodeCache>,
    parent_hash: B256,
    parent_beacon_block_root: Option<B256>,
    view: V,
) -> Result<Phase<V>, PhaseError> {
    let rules = &environment.rules;
    let mut evm = TransactionEvm::new(environment, codes.clone(), Phase::new(view));
    if let Some(root) = parent_beacon_block_root.filter(|_| rules.has(Fork::Cancun)) {
        call(&mut evm, BEACON_ROOTS, root.into())?;
    }
    if rules.has(Fork::Prague) {
        call(&mut evm, HISTORY_STORAGE, parent_hash.into())?;
    }
    Ok(evm.into_view())
}

/// What follows the last transaction, block access index n + 1: withdrawals (EIP-4895), then the request predeploys
/// (EIP-7002, EIP-7251, EIP-8282). `deposits` are those of the block's logs (EIP-6110); they come first in the list.
pub fn after_transactions<V: StateView>(
    environment: &BlockEnvironment,
    codes: &Arc<CodeCache>,
    withdrawals: &[Withdrawal],
    view: V,
) -> Result<(Phase<V>, Requests), PhaseError> {
    let rules = &environment.rules;
    let mut phase = Phase::new(view);
    for withdrawal in withdrawals {
        let wei = U256::from(withdrawal.amount) * U256::from(GWEI);
        let credited = phase.credit(withdrawal.address, wei, false)?;
        credited.ok_or(PhaseError::BalanceOverflow(withdrawal.address))?;
    }
    let mut requests = Requests::default();
    let mut evm = TransactionEvm::new(environment, codes.clone(), phase);
    for contract in RequestContract::all(rules) {
        let data = call_required(&mut evm, contract.address)?;
        if !data.is_empty() {
            requests.push_request_with_type(contract.request_type, data);
        }
    }
    Ok((evm.into_view(), requests))
}

/// Puts deposits before the predeploys' requests: types are ascending (EIP-7685).
pub fn with_deposits(deposits: Bytes, requests: Requests) -> Requests {
    let mut all = Requests::default();
    if !deposits.is_empty() {
        all.push_request_with_type(DEPOSIT_TYPE, deposits);
    }
    for request in requests {
        all.push_request(request);
    }
    all
}

/// Rewards of the proof-of-work era: the block's to its beneficiary with 1/32 for each ommer, and (8 - depth)/8 of it
/// to each ommer's (Yellow Paper, section 11.3).
pub fn proof_of_work_rewards<V: StateView>(
    environment: &BlockEnvironment,
    ommers: &[Header],
    view: V,
) -> Result<Phase<V>, PhaseError> {
    let mut phase = Phase::new(view);
    let Some(reward) = environment.rules.block_reward else { return Ok(phase) };
    // A reward of nothing would bring the coinbase into being: none is paid then.
    if reward.is_zero() {
        return Ok(phase);
    }
    let keep_empty = !environment.rules.has(Fork::SpuriousDragon);
    let mut credit = |address, wei| -> Result<(), PhaseError> {
        phase.credit(address, wei, keep_empty)?.ok_or(PhaseError::BalanceOverflow(address))
    };
    for ommer in ommers {
        let depth = environment.number().saturating_sub(ommer.number);
        credit(ommer.beneficiary, U256::from(8u64.saturating_sub(depth)) * reward / U256::from(8))?;
    }
    credit(environment.beneficiary(), reward + reward * U256::from(ommers.len()) / U256::from(32))?;
    Ok(phase)
}

/// The irregular state change of the DAO fork block (EIP-779): the drained accounts' wei moves to the refund contract.
pub fn dao_fork<V: StateView>(view: V) -> Result<Phase<V>, PhaseError> {
    let mut phase = Phase::new(view);
    for address in DRAINED {
        let wei = phase.drain(address)?;
        phase.credit(REFUND_CONTRACT, wei, true)?.ok_or(PhaseError::BalanceOverflow(REFUND_CONTRACT))?;
    }
    Ok(phase)
}

/// A call whose failure is of no consequence.
fn call<V: StateView>(evm: &mut TransactionEvm<Phase<V>>, contract: Address, data: Bytes) -> Result<(), PhaseError> {
    evm.system_call(contract, data)?;
    absorb(evm);
    Ok(())
}

/// A call that must succeed, and what it returned.
fn call_required<V: StateView>(evm: &mut TransactionEvm<Phase<V>>, address: Address) -> Result<Bytes, PhaseError> {
    let account = evm.view_mut().account(&address)?;
    if account.is_none_or(|account| account.info.code_hash == EMPTY_CODE_HASH) {
        return Err(PhaseError::SystemContractEmpty(address));
    }
    let result = evm.system_call(address, Bytes::new())?;
    if !result.success {
        let reason = result.halt.unwrap_or_else(|| format!("reverted with {}", result.output));
        return Err(PhaseError::SystemContractFailed { address, reason });
    }
    absorb(evm);
    Ok(result.output)
}

fn absorb<V: StateView>(evm: &mut TransactionEvm<Phase<V>>) {
    let absorbed: Result<(), std::convert::Infallible> = evm.apply_outcomes(|phase, outcome| {
        phase.absorb(&outcome);
        Ok(())
    });
    let Ok(()) = absorbed;
}
