//! The layers between a block's state and the store, few enough to look through.
//!
//! A read that finds nothing asks every layer, so a state 128 blocks above the store must not have 128 of them. When
//! the youngest sixteen are single blocks they are merged into one: a state then has at most fifteen single layers and
//! one for each sixteen blocks below. The merged copy costs memory and one merge in sixteen blocks; the single layers
//! stay with their blocks, which hand them to the store one day.

use std::sync::Arc;

use balsa_state::{Layer, StateDiff};

/// Single layers that are merged into one.
const MERGED_BLOCKS: usize = 16;

/// Layers over the store, oldest first. Cloning shares them.
#[derive(Clone, Debug, Default)]
pub(crate) struct LayerStack {
    layers: Arc<[StackLayer]>,
}

#[derive(Clone, Debug)]
struct StackLayer {
    /// Number of the youngest block in it.
    top: u64,
    merged: bool,
    layer: Arc<Layer>,
}

impl LayerStack {
    /// The stack of a child: block `number` changed `layer`.
    pub(crate) fn child(&self, number: u64, layer: Arc<Layer>) -> Self {
        let mut layers = self.layers.to_vec();
        layers.push(StackLayer { top: number, merged: false, layer });
        let singles = layers.iter().rev().take_while(|layer| !layer.merged).count();
        if singles >= MERGED_BLOCKS {
            let merged = merge(&layers[layers.len() - singles..]);
            layers.truncate(layers.len() - singles);
            layers.push(StackLayer { top: number, merged: true, layer: merged });
        }
        Self { layers: layers.into() }
    }

    /// The stack over a store that holds the state of block `number`: layers with nothing above it are gone.
    ///
    /// A merged layer that reaches further down than the store's head says nothing wrong: all of its blocks are
    /// ancestors of this state.
    pub(crate) fn above(&self, number: u64) -> Self {
        Self { layers: self.layers.iter().filter(|layer| layer.top > number).cloned().collect() }
    }

    /// The layers, oldest first.
    pub(crate) fn layers(&self) -> Vec<Arc<Layer>> {
        self.layers.iter().map(|layer| layer.layer.clone()).collect()
    }
}

fn merge(layers: &[StackLayer]) -> Arc<Layer> {
    let mut merged = StateDiff::default();
    for layer in layers {
        merged.merge(layer.layer.diff());
    }
    Arc::new(Layer::new(merged))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{B256, U256};
    use balsa_state::{Account, MemoryStore, State};

    /// Block `number` sets the nonce of account `number % 5`.
    fn layer(number: u64) -> Arc<Layer> {
        let account = Account { nonce: number, balance: U256::ZERO, ..Account::default() };
        let accounts = vec![(B256::with_last_byte((number % 5) as u8), Some(account))];
        Arc::new(Layer::new(StateDiff { accounts, ..StateDiff::default() }))
    }

    #[test]
    fn a_stack_reads_like_its_blocks_one_by_one() {
        let mut stack = LayerStack::default();
        let mut store = MemoryStore::default();
        for number in 1..=100u64 {
            stack = stack.child(number, layer(number));
            assert!(stack.layers().len() <= MERGED_BLOCKS + number as usize / MERGED_BLOCKS, "block {number}");
            if number == 40 {
                (1..=number).for_each(|flushed| store.apply(layer(flushed).diff()));
                stack = stack.above(number);
            }
            let state = State::with_layers(Arc::new(store.clone()), stack.layers());
            for account in 0..5u8 {
                let nonce = (1..=number).rev().find(|n| (n % 5) as u8 == account);
                let found = state.account(&B256::with_last_byte(account)).unwrap();
                assert_eq!(found.map(|account| account.nonce), nonce, "block {number}");
            }
        }
        assert!(stack.above(100).layers().is_empty());
    }
}
