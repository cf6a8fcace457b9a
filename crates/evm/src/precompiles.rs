//! The precompiles of a block: where the fork has them, or where a caller has moved them.

use std::collections::BTreeMap;

use alloy_primitives::{Address, map::AddressSet};
use balsa_state::StateView;
use revm::{
    handler::{EthPrecompiles, PrecompileProvider},
    interpreter::{CallInputs, InterpreterResult},
    precompile::{PrecompileSpecId, Precompiles},
    primitives::hardfork::SpecId,
};

use crate::{BlockEnvironment, environment::spec_id, transaction::BlockContext};

/// Precompiles that are not where the fork has them: what a call's state overrides ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PrecompileMoves {
    /// The precompile that runs at an address, named by where the fork has it; `None` where it was taken away.
    table: BTreeMap<Address, Option<Address>>,
}

impl PrecompileMoves {
    /// Takes away the precompile at `address`: code that is there runs from now on.
    pub fn remove(&mut self, address: Address) {
        self.table.insert(address, None);
    }

    /// Lets the precompile that the fork has at `from` run at `to`. Whether it still runs at `from` is not changed.
    pub fn place(&mut self, from: Address, to: Address) {
        self.table.insert(to, Some(from));
    }

    /// Where the fork has the precompile that runs at an address, if one does.
    fn resolve(&self, address: Address) -> Option<Address> {
        self.table.get(&address).copied().unwrap_or(Some(address))
    }
}

/// Whether the block's fork has a precompile at an address.
pub fn is_precompile(environment: &BlockEnvironment, address: &Address) -> bool {
    Precompiles::new(PrecompileSpecId::from_spec_id(spec_id(environment.rules.fork))).contains(address)
}

/// What the interpreter asks for precompiles.
pub struct BlockPrecompiles {
    standard: EthPrecompiles,
    moves: Option<Box<PrecompileMoves>>,
}

impl BlockPrecompiles {
    pub(crate) fn new(spec: SpecId, moves: Option<&PrecompileMoves>) -> Self {
        Self { standard: EthPrecompiles::new(spec), moves: moves.cloned().map(Box::new) }
    }
}

impl<V: StateView> PrecompileProvider<BlockContext<V>> for BlockPrecompiles {
    type Output = InterpreterResult;

    fn set_spec(&mut self, spec: SpecId) -> bool {
        PrecompileProvider::<BlockContext<V>>::set_spec(&mut self.standard, spec)
    }

    fn run(&mut self, context: &mut BlockContext<V>, inputs: &CallInputs) -> Result<Option<InterpreterResult>, String> {
        let Some(moves) = &self.moves else { return self.standard.run(context, inputs) };
        let Some(original) = moves.resolve(inputs.bytecode_address) else { return Ok(None) };
        self.standard.run(context, &CallInputs { bytecode_address: original, ..inputs.clone() })
    }

    /// What is warm is what the fork has, moved or not.
    fn warm_addresses(&self) -> &AddressSet {
        self.standard.warm_addresses()
    }
}
