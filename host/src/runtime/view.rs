//! How the interface `backend` gets into a store, in the way of the `wasi` crates of wasmtime: [`StorageCtx`] is the
//! state, [`StorageView`] how to get at it, and [`add_to_linker`] puts the interface into a linker, for embedders who run
//! components of their own.

use std::{collections::BTreeMap, sync::Arc};

use wasmtime::{
    ResourceLimiter, Store,
    component::{HasData, Linker, ResourceTable},
};

use super::{
    activity::Activity,
    bindings::omnistorage::storage::{backend, types},
    budget::Budget,
    growth::Growth,
    limits::Limits,
};
use crate::{backend::Backend, registry::Registry};

/// What a component may open.
#[derive(Clone, Debug, Default)]
pub(super) struct Grants {
    /// Open backends by name.
    pub(super) mounts: BTreeMap<String, Arc<dyn Backend>>,
    /// Kinds that the guest may open by itself, with a configuration of its own.
    pub(super) kinds: Registry,
    /// The host does not move bytes between its backends: guests read and write.
    pub(super) without_transfer: bool,
}

/// The state of the interface for one store: what its component was granted, and what it may use.
///
/// The [limits](Limits) of what the host holds for the component, and of what it holds open, are kept in any case; those
/// of what wasmtime knows of, such as its memories, by [`limit_store`].
#[derive(Debug)]
pub struct StorageCtx {
    pub(super) grants: Arc<Grants>,
    pub(super) budget: Budget,
    pub(super) growth: Growth,
    pub(super) activity: Activity,
}

impl StorageCtx {
    /// Grants nothing yet, under the default limits.
    #[must_use]
    pub fn new() -> Self {
        Self::granting(Arc::default(), Limits::default())
    }

    pub(super) fn granting(grants: Arc<Grants>, limits: Limits) -> Self {
        let budget = Budget::new(limits);
        Self { grants, growth: Growth::of(&budget), budget, activity: Activity::default() }
    }

    /// Bounds what the component may use. For what is open already there are the limits of before.
    #[must_use]
    pub fn limits(self, limits: Limits) -> Self {
        Self { activity: self.activity, ..Self::granting(self.grants, limits) }
    }

    /// What keeps the memories and tables of the component within the limits, for
    /// [`Store::limiter`](wasmtime::Store::limiter).
    pub fn limiter(&mut self) -> &mut dyn ResourceLimiter {
        &mut self.growth
    }

    /// Grants a backend under a name. What the component stores there is no part of its limits.
    #[must_use]
    pub fn mount(mut self, name: impl Into<String>, backend: Arc<dyn Backend>) -> Self {
        Arc::make_mut(&mut self.grants).mounts.insert(name.into(), backend);
        self
    }
}

impl Default for StorageCtx {
    fn default() -> Self {
        Self::new()
    }
}

/// Borrowed state of the interface.
#[derive(Debug)]
pub struct StorageCtxView<'a> {
    /// What the component was granted.
    pub ctx: &'a mut StorageCtx,
    /// What it opened.
    pub table: &'a mut ResourceTable,
}

/// How the interface gets at its state in the data of a store.
pub trait StorageView: Send {
    /// Borrows the state.
    fn storage(&mut self) -> StorageCtxView<'_>;
}

/// Adds `omnistorage:storage/backend` and `omnistorage:storage/types` to a linker.
///
/// # Errors
/// If the linker has an interface of that name.
pub fn add_to_linker<T: StorageView + 'static>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    backend::add_to_linker::<T, HasStorage>(linker, T::storage)?;
    types::add_to_linker::<T, HasStorage>(linker, T::storage)
}

/// Holds what runs in a store to the limits of its [`StorageCtx`], but for [`Limits::guest_time`], which asks for epochs.
pub fn limit_store<T: StorageView + 'static>(store: &mut Store<T>) {
    let limits = store.data_mut().storage().ctx.budget.limits().clone();
    store.limiter(|state| state.storage().ctx.limiter());
    store.set_hostcall_fuel(limits.hostcall_bytes);
    store.set_max_component_handles(limits.handles);
}

/// Where the interface finds its state.
pub(super) struct HasStorage;

impl HasData for HasStorage {
    type Data<'a> = StorageCtxView<'a>;
}
