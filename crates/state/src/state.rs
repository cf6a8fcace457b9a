//! The state after one block.

use std::sync::Arc;

use alloy_primitives::{B256, Bytes, U256};

use crate::{Account, FlatStore, Layer, ReadCache, StateDiff, StateError};

/// The state after one block: the layers of recent blocks over a store. Cloning is cheap and shares everything.
///
/// # Invariant
/// The store may move on while a state is held, but only to blocks whose layers this state holds too: a key that no
/// layer names was not changed by any of them, so what the store says of it is right for this state. Who flushes
/// keeps to that (ARCHITECTURE.md, "Flushing").
#[derive(Clone)]
pub struct State {
    store: Arc<dyn FlatStore>,
    /// Oldest first.
    layers: Arc<[Arc<Layer>]>,
    cache: Option<Arc<ReadCache>>,
}

impl State {
    /// The state that the store itself holds.
    pub fn new(store: Arc<dyn FlatStore>) -> Self {
        Self { store, layers: Arc::new([]), cache: None }
    }

    /// The same store under other layers, oldest first.
    pub fn with_layers(store: Arc<dyn FlatStore>, layers: Vec<Arc<Layer>>) -> Self {
        Self { store, layers: layers.into(), cache: None }
    }

    /// Reads through `cache` from now on. The cache must stand at this very state, and only one thread may import.
    pub fn with_cache(mut self, cache: Arc<ReadCache>) -> Self {
        self.cache = Some(cache);
        self
    }

    /// The state after one more block.
    pub fn child(&self, layer: Arc<Layer>) -> Self {
        let layers = self.layers.iter().cloned().chain([layer]).collect();
        Self { store: self.store.clone(), layers, cache: None }
    }

    /// The layers over the store, oldest first.
    pub fn layers(&self) -> &[Arc<Layer>] {
        &self.layers
    }

    /// The account, `None` if it does not exist.
    pub fn account(&self, address_hash: &B256) -> Result<Option<Account>, StateError> {
        if let Some(cached) = self.cache.as_deref().and_then(|cache| cache.account(address_hash)) {
            return Ok(cached);
        }
        let account = match self.layers.iter().rev().find_map(|layer| layer.account(address_hash)) {
            Some(account) => account,
            None => self.store.account(address_hash)?,
        };
        if let Some(cache) = &self.cache {
            cache.put_account(*address_hash, account);
        }
        Ok(account)
    }

    /// The value of a slot, zero if not set.
    pub fn slot(&self, address_hash: &B256, slot_hash: &B256) -> Result<U256, StateError> {
        if let Some(cached) = self.cache.as_deref().and_then(|cache| cache.slot(address_hash, slot_hash)) {
            return Ok(cached);
        }
        let value = match self.layers.iter().rev().find_map(|layer| layer.slot(address_hash, slot_hash)) {
            Some(value) => value,
            None => self.store.slot(address_hash, slot_hash)?,
        };
        if let Some(cache) = &self.cache {
            cache.put_slot(*address_hash, *slot_hash, value);
        }
        Ok(value)
    }

    /// Code by its hash.
    ///
    /// # Errors
    /// [`StateError::MissingCode`] if neither the layers nor the store hold it.
    pub fn code(&self, code_hash: &B256) -> Result<Bytes, StateError> {
        if let Some(code) = self.layers.iter().rev().find_map(|layer| layer.code(code_hash)) {
            return Ok(code.clone());
        }
        self.store.code(code_hash)?.ok_or(StateError::MissingCode(*code_hash))
    }

    /// All layers as one change.
    pub fn merged_diff(&self) -> StateDiff {
        let mut merged = StateDiff::default();
        for layer in self.layers.iter() {
            merged.merge(layer.diff());
        }
        merged
    }
}
